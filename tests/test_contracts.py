"""A rule and a device that only this file knows run in the compiled loop, and do what a plain reference does."""

import numpy as np
import pytest
from shares import quick

import neurosim as ns
from neurosim.checks import Parameter
from neurosim.contracts import Device, Plasticity, Release, Trace
from neurosim.maths import exp
from neurosim.neurons import State

DT = 0.1


class ToyPair(Plasticity):
    """Additive pair rule, clipped to 0 .. w_max."""

    a_plus = Parameter(0.05, per_element=False)
    a_minus = Parameter(0.03, per_element=False)
    tau_plus = Parameter(15.0, "ms", above=0, per_element=False)
    tau_minus = Parameter(25.0, "ms", above=0, per_element=False)
    w_max = Parameter(1.0, per_element=False)
    source_traces = {"x": Trace("tau_plus")}
    target_traces = {"y": Trace("tau_minus")}

    @staticmethod
    def on_source(weight, y, a_minus):
        """Depress by the target's trace."""
        return max(weight - a_minus * y, 0.0)

    @staticmethod
    def on_target(weight, x, a_plus, w_max):
        """Potentiate by the source's trace."""
        return min(weight + a_plus * x, w_max)


class ToyVoltage(ToyPair):
    """The same, gated by the target's voltage, counting its arrivals, and decaying every 2 ms."""

    state = {"arrivals": State(0.0, "", "how many spikes have arrived")}
    reads = ("v",)
    period = 2.0

    @staticmethod
    def on_source(weight, arrivals, y, v, a_minus):
        """Depress where the target is depolarised."""
        return max(weight - a_minus * y * (1.0 if v > -60.0 else 0.5), 0.0), arrivals + 1.0

    @staticmethod
    def on_target(weight, arrivals, x, a_plus, w_max):
        """Potentiate."""
        return min(weight + a_plus * x, w_max), arrivals

    @staticmethod
    def on_period(weight, arrivals):
        """Decay."""
        return weight * 0.999, arrivals


class NoisyDevice(Device):
    """Weights programmed with an error, read with noise, updated with a gain."""

    read_noise = Parameter(0.2, per_element=False)
    gain = Parameter(0.5, per_element=False)

    def program(self, weights, generator):
        """Add one error to each weight."""
        return weights + 0.01 * generator.standard_normal(weights.size)

    @staticmethod
    def read(weight, normal, read_noise):
        """Multiply by fresh noise."""
        return weight * (1.0 + read_noise * normal)

    @staticmethod
    def update(weight, change, gain):
        """Do a part of what was asked."""
        return weight + gain * change


def network(rule=None, device=None, release=None, delay=None, n=300, weight=0.5):
    net = ns.Network()
    rng = np.random.default_rng(4)
    ticks = np.sort(rng.integers(1, 3000, 1500))
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=ticks, ids=rng.integers(0, 40, 1500).astype(np.uint32), size=40,
                                             duration=300.0, dt=DT)), name="given")
    cells = net.add(ns.LIF(tau_mem=20.0, t_ref=2.0, i_bias=ns.Uniform(140.0, 260.0)), n, name="cells")
    projection = net.connect(given, cells, ns.FixedProbability(0.2), weight=weight,
                             delay=ns.Uniform(0.5, 4.0) if delay is None else delay, plasticity=rule, device=device,
                             release=release, name="p")
    net.record(given)
    net.record(cells)
    return net, projection


def pair_reference(sim, start, rule, gain=1.0):
    """Event by event, in float64: arrivals come before target spikes of the same tick."""
    s = sim.synapses("p")
    given, cells = sim.spikes("given"), sim.spikes("cells")
    weights = np.array(start, dtype=float)
    for k in range(weights.size):
        arrivals = given.ticks[given.ids == s.source[k]] + round(s.delay[k] / DT)
        spikes = cells.ticks[cells.ids == s.target[k]]
        events = sorted([(t, 0) for t in arrivals if t <= sim.tick] + [(t, 1) for t in spikes])
        x, y, last, w = 0.0, 0.0, 0, weights[k]
        for tick, kind in events:
            x *= np.exp((last - tick) * DT / rule.tau_plus)
            y *= np.exp((last - tick) * DT / rule.tau_minus)
            last = tick
            if kind == 0:
                w += gain * (max(w - rule.a_minus * y, 0.0) - w)
                x += 1
            else:
                w += gain * (min(w + rule.a_plus * x, rule.w_max) - w)
                y += 1
        weights[k] = w
    return weights


@pytest.mark.parametrize("delay", quick((1.5,), [1.5, None]))
def test_a_rule_of_this_file_does_what_a_plain_reference_does(delay):
    rule = ToyPair()
    net, projection = network(rule, delay=delay)
    sim = ns.Simulation(net, DT, dtype="float64", seed=5)
    start = sim.weights(projection)
    sim.run(300.0)
    assert len(sim.spikes("cells")) > 2000
    found = sim.weights(projection)
    assert np.std(found) > 0.05
    np.testing.assert_allclose(found, pair_reference(sim, start, rule), rtol=0, atol=1e-10)


def test_a_device_of_this_file_holds_the_weights():
    rule, device = ToyPair(), NoisyDevice(read_noise=0.0)
    net, projection = network(rule, device)
    sim = ns.Simulation(net, DT, dtype="float64", seed=5)
    start = sim.weights(projection)
    assert 0.005 < np.std(start) < 0.015
    sim.run(200.0)
    np.testing.assert_allclose(sim.weights(projection), pair_reference(sim, start, rule, device.gain), atol=1e-10)


CASES = {
    "pair": {"rule": ToyPair()},
    "voltage": {"rule": ToyVoltage()},
    "device": {"device": NoisyDevice()},
    "all": {"rule": ToyVoltage(), "device": NoisyDevice(), "release": ns.TsodyksMarkram(tau_rec=100.0, tau_facil=50.0)},
}


def outcome(parts, pieces, threads, restore_at=None):
    net, projection = network(**parts, weight=ns.Uniform(0.1, 0.9))
    sim = ns.Simulation(net, DT, seed=5, threads=threads)
    for k, piece in enumerate(pieces):
        sim.run(piece)
        if k == restore_at:
            other = ns.Simulation(net, DT, seed=5, threads=4 - threads)
            other.restore(sim.state())
            sim = other
    return sim.get("cells", "v"), sim.synapses(projection)


@pytest.mark.slow
@pytest.mark.parametrize("name", quick(("all",), CASES))
def test_threads_pieces_and_checkpoints_change_no_bit(name):
    v, synapses = outcome(CASES[name], [200.0], 1)
    for pieces, threads, restore_at in (([200.0], 2, None), ([0.1, 70.3, 100.0, 29.6], 1, None),
                                        ([33.3, 66.7, 100.0], 3, 1), ([120.0, 80.0], 1, 0)):
        other_v, other = outcome(CASES[name], pieces, threads, restore_at)
        np.testing.assert_array_equal(v, other_v)
        for variable, values in vars(synapses).items():
            np.testing.assert_array_equal(values, getattr(other, variable), err_msg=f"{variable} {pieces} {threads}")


def test_read_noise_is_fresh_for_each_synapse_and_tick_and_right_in_size():
    """Delta weights w (1 + s N) onto integrators that do not leak: the sum of n reads has variance n s^2 w^2."""
    net = ns.Network()
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=np.arange(1, 401), ids=np.zeros(400, dtype=np.uint32), size=1,
                                             duration=50.0, dt=DT)))
    cells = net.add(ns.LIF(tau_mem=1e9, v_leak=0.0, v_threshold=1e9, v_reset=0.0), 2000)
    net.connect(given, cells, weight=1.0, delay=0.1, device=NoisyDevice(read_noise=0.1))
    sim = ns.Simulation(net, DT, dtype="float64")
    weights = sim.weights(net.projections[0])
    with pytest.warns(ns.NeurosimWarning, match="never spiked"):
        sim.run(50.0)
        sim.run(60.0)
    rest = (sim.get(cells, "v") - 400 * weights) / weights
    assert abs(rest.mean()) < 4 * 0.1 * 20 / np.sqrt(2000)
    assert abs(rest.std() / (0.1 * 20) - 1) < 0.07


def test_release_reproduces_the_tabulated_amplitudes():
    """Release for 10 spikes at 20 Hz, numbers 1, 2, 3, 5, 10, of NEST's tsodyks2 and the sets of Maass and Markram."""
    table = {(0.5, 800.0, 1e-3): (0.5, 0.26515, 0.15483, 0.07868, 0.05762),
             (0.5, 1100.0, 50.0): (0.5, 0.30914, 0.15103, 0.05837, 0.04333),
             (0.05, 125.0, 1200.0): (0.05, 0.09236, 0.12551, 0.16854, 0.21361),
             (0.25, 700.0, 20.0): (0.25, 0.20362, 0.15813, 0.1047, 0.06489),
             (0.32, 144.0, 60.0): (0.32, 0.32082, 0.27148, 0.22706, 0.217)}
    for (u_0, tau_rec, tau_facil), expected in table.items():
        net = ns.Network()
        given = net.add(ns.SpikeSource(ns.Spikes.from_times(np.arange(1, 11) * 50.0, np.zeros(10, dtype=int), size=1,
                                                            duration=550.0, dt=1.0)))
        cell = net.add(ns.LIF(tau_mem=1e9, v_leak=0.0, v_threshold=100.0, v_reset=0.0), 1)
        net.connect(given, cell, weight=1.0, delay=1.0,
                    release=ns.TsodyksMarkram(u_0=u_0, tau_rec=tau_rec, tau_facil=tau_facil))
        net.record(cell, "v")
        sim = ns.Simulation(net, 1.0, dtype="float64")
        with pytest.warns(ns.NeurosimWarning):
            sim.run(550.0)
        jumps = np.diff(sim.trace(cell, "v")[1][:, 0])
        np.testing.assert_allclose(jumps[jumps > 1e-6][[0, 1, 2, 4, 9]], expected, atol=1e-5)


class HalfRelease(Release):
    """Every spike transmits half."""

    @staticmethod
    def release(elapsed):
        """Half, always."""
        return 0.5 + 0.0 * exp(-elapsed)


def test_a_release_of_this_file():
    net, _ = network(release=HalfRelease(), weight=2.0)
    plain, _ = network(weight=1.0)
    spikes = []
    for description in (net, plain):
        sim = ns.Simulation(description, DT, seed=5)
        sim.run(100.0)
        spikes.append(sim.spikes("cells"))
    assert spikes[0] == spikes[1] and len(spikes[0]) > 500


def test_a_rule_that_reads_what_the_target_has_not_is_refused():
    class ReadsW(ToyPair):
        reads = ("w",)

    net, _ = network(ReadsW())
    with pytest.raises(ns.UnsupportedError, match="reads 'w' of its target, but LIF has v"):
        ns.Simulation(net, DT)


def test_parts_that_share_the_name_of_a_parameter_are_refused():
    class Clash(Device):
        a_plus = Parameter(1.0, per_element=False)

    net, _ = network(ToyPair(), Clash())
    with pytest.raises(ns.UnsupportedError, match="'a_plus' twice"):
        ns.Simulation(net, DT)


class Shelf(Device):
    """Loses a power of time; keeps how long ago it was programmed."""

    nu = Parameter(0.05, per_element=False)

    def age(self, weights, elapsed, since=0.0):
        """G ~ (1 + t) ^ -nu."""
        return weights * ((1.0 + since) / (1.0 + since + elapsed)) ** self.nu


@pytest.mark.slow
@pytest.mark.parametrize("rule", [None, ToyPair()])
def test_devices_age_once_or_in_steps_and_after_a_file(rule, tmp_path):
    sims = []
    for steps in ((1e6,), (400.0, 999_600.0)):
        net, projection = network(rule, Shelf(), weight=ns.Uniform(0.1, 0.9))
        sim = ns.Simulation(net, DT, dtype="float64", seed=5)
        start = sim.weights(projection)
        sim.age(projection, steps[0])
        if len(steps) > 1:
            sim.save(tmp_path / "s.h5")
            sim = ns.Simulation.load(tmp_path / "s.h5", net)
            sim.age("p", steps[1])
        np.testing.assert_allclose(sim.weights("p"), start * (1.0 + 1e6) ** -0.05, rtol=1e-12)
        sim.run(20.0)
        sims.append(sim)
    assert sims[0].spikes("cells") == sims[1].spikes("cells")
    with pytest.raises(ns.ParameterError, match="elapsed must be a finite number >= 0 ms, got -1"):
        sim.age("p", -1)
