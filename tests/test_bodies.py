"""A body that cannot be compiled: one sentence with the body and the line, the compiler's words below, in one try."""

import pytest
from numba.core import event

import neurosim as ns
from neurosim.checks import Parameter
from neurosim.contracts import Plasticity, Release
from neurosim.neurons import Neuron, State

ALLOWED = "a body may use its arguments and numbers"


def helper(v):
    return v.spike_count  # no such thing


class Cell(Neuron):
    """A model whose other bodies can be compiled."""

    gain = Parameter(1.0)
    state = {"v": State(0.0)}

    @staticmethod
    def step(v, i, gain):
        return v + gain * i

    @staticmethod
    def fires(v):
        return v > 1e9

    @staticmethod
    def after_spike(v):
        return 0.0


class UnknownAttribute(Cell):
    @staticmethod
    def step(v, i, gain):
        return gain * v.rate


class UnknownName(Cell):
    @staticmethod
    def step(v, i, gain):
        return v + missing  # noqa: F821


class WithFile(Cell):
    @staticmethod
    def step(v, i, gain):
        with open("log") as file:
            file.write("v")
        return v


class ByHelper(Cell):
    @staticmethod
    def fires(v):
        return helper(v) > 1.0


class TwoNumbers(Cell):
    @staticmethod
    def step(v, i, gain):
        return divmod(v, i + gain)  # which is not called before it is compiled


class ItsOwnCaller(Cell):
    @staticmethod
    def step(v, i, gain):
        return ItsOwnCaller_step(v, i, gain)


ItsOwnCaller_step = ItsOwnCaller.step


class Raises(Cell):
    @staticmethod
    def step(v, i, gain):
        if v != v:
            raise ValueError
        return v


class SometimesNothing(Cell):
    @staticmethod
    def step(v, i, gain):
        if v > 1.0:
            return None
        return v


class BadRelease(Release):
    @staticmethod
    def release(elapsed):
        return elapsed.foo


class BadRule(Plasticity):
    @staticmethod
    def on_source(weight):
        return weight.foo


def refused(build):
    """Return the message, after at most one compilation of a kernel, and again when it is tried again."""
    for _ in range(2):
        with event.install_recorder("numba:run_pass") as passes, pytest.raises(ns.ModelError) as caught:
            build()
        kernels = [moment for _, moment in passes.buffer
                   if moment.is_start and moment.data["name"].startswith("translate_bytecode [kernel]")]
        assert len(kernels) <= 1
        assert caught.value.__suppress_context__ or caught.value.__context__ is None, "no traceback of its own"
    return str(caught.value)


@pytest.mark.parametrize("model, words", [
    (UnknownAttribute, ["UnknownAttribute.step", "`return gain * v.rate`", "Unknown attribute 'rate'"]),
    (UnknownName, ["UnknownName.step", "name 'missing' is not defined"]),
    (WithFile, ["WithFile.step", "with"]),
    (ByHelper, ["ByHelper.fires", "`return v.spike_count  # no such thing`", "in helper, which it calls"]),
    (TwoNumbers, ["where TwoNumbers.step returns UniTuple(float32 x 2)"]),
], ids=lambda value: getattr(value, "__name__", ""))
def test_a_body_that_the_compiler_refuses_is_named(model, words):
    def build():
        net = ns.Network()
        net.add(model(), 3)
        ns.Simulation(net, dt=1.0)

    sentence, _, below = refused(build).partition(" The compiler says:\n")
    assert ALLOWED in sentence and "\n" not in sentence and below
    for word in words:
        assert word in sentence + below
    assert "test_bodies.py, line" in sentence or model is TwoNumbers


@pytest.mark.parametrize("model, words", [
    (ItsOwnCaller, ["ItsOwnCaller.step calls itself"]),
    (Raises, ["Raises.step (test_bodies.py, line ", "raises or asserts, which nobody would see"]),
    (SometimesNothing, ["SometimesNothing.step (test_bodies.py, line ", "must return numbers on every path"]),
], ids=lambda value: getattr(value, "__name__", ""))
def test_a_body_that_would_fail_unseen_is_refused(model, words):
    def build():
        net = ns.Network()
        net.add(model(), 3)
        ns.Simulation(net, dt=1.0).run(3.0)

    message = refused(build)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("mode", ["clocked", "event"])
@pytest.mark.parametrize("part, name", [({"release": BadRelease()}, "BadRelease.release"),
                                        ({"plasticity": BadRule()}, "BadRule.on_source")],
                         ids=["release", "rule"])
def test_bodies_of_synapses_are_named_in_both_modes(mode, part, name):
    def build():
        net = ns.Network()
        source, target = net.add(ns.Poisson(100.0), 2), net.add(ns.LIF(), 2)
        net.connect(source, target, weight=1.0, delay=1.0, **part)
        ns.Simulation(net, **({"mode": "event"} if mode == "event" else {"dt": 1.0})).run(3.0)

    message = refused(build)
    assert message.startswith(f"{name} cannot be compiled: test_bodies.py, line ")
    assert ".foo`)" in message and ALLOWED in message and "Unknown attribute 'foo'" in message
