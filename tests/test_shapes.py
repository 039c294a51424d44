"""What does not fit in shape, is no number or is empty: an answer, or one sentence of ours, never one of NumPy's."""

import numpy as np
import pytest

import neurosim as ns
from hardware_models.faults import BitFlips, ClippedReLU, StuckAt, forward, knee, profile
from hardware_models.memristor import ConstantStep, HopfieldMemory, MeasuredPulses, Memristor, NonlinearPulses
from hardware_models.ramp_adc import FUNCTIONS, RampADC, lstm
from neurosim.contracts import Device
from neurosim.reservoirs import EchoState

LAYERS = [(np.eye(2), np.zeros(2)), (np.ones((2, 1)), np.zeros(1))]
NOISY = Memristor(read_noise=0.1)


class Flaky(Device):
    @staticmethod
    def read(weight, normal):
        return weight + normal


def rng():
    return np.random.default_rng(0)


def product(device, *given):
    return device.matmul(np.zeros((2, 4)), np.zeros((5, 3)), *given)


def states(shape, **parts):
    return EchoState(5, density=1.0, **parts).transform(np.zeros(shape))


REFUSED = {
    "bounds of other neurons": (lambda: ClippedReLU([1.0, 4.0])(np.zeros((2, 3))), "must be given 2 neurons"),
    "ideal product": (lambda: product(Memristor()), r"shape \(..., 5\).*got \(2, 4\)"),
    "noisy product": (lambda: product(NOISY, rng()), r"shape \(..., 5\).*got \(2, 4\)"),
    "product of one's own": (lambda: product(Flaky(), rng()), "Flaky.matmul must be given"),
    "without generator": (lambda: Flaky().matmul(np.zeros((2, 5)), np.zeros((5, 3))), "Flaky.matmul .* a generator"),
    "recall of others": (lambda: HopfieldMemory(np.ones((1, 4))).recall(np.ones((2, 5))), r"shape \(samples, 4\)"),
    "recall of nan": (lambda: HopfieldMemory(np.ones((1, 4))).recall([np.nan] * 4), "must be given finite states"),
    "state": (lambda: EchoState(5, density=1.0).step(np.zeros(4), [1.0]), r"EchoState.step .* got \(4,\) and \(1,\)"),
    "input": (lambda: EchoState(5, density=1.0).step(np.zeros(5), [1.0, 2.0]), r"got \(5,\) and \(2,\)"),
    "layers": (lambda: forward(LAYERS, np.zeros((3, 5))), "layer 0 must be given 2 values for each sample"),
    "no data": (lambda: profile(LAYERS, np.zeros((0, 2))), "must be given data, got no samples"),
    "pulses": (lambda: ConstantStep().pulse(np.zeros(3), [1, 2]), "ConstantStep.pulse must be given whole numbers"),
    "parts of pulses": (lambda: ConstantStep().pulse(np.zeros(2), [1, 0.5]), "whole numbers of pulses"),
    "undefined pulses": (lambda: NonlinearPulses().pulse(np.zeros(2), [1, np.nan]), "whole numbers of pulses"),
    "pulses of a table": (lambda: MeasuredPulses().pulse(np.zeros(3), np.array([1, 2])), "whole numbers of pulses"),
    "accuracies": (lambda: knee([1e-5, 1e-4], [np.nan, 0.5], 0.9, 0.1), "knee: rates must be numbers"),
    "text": (lambda: Memristor().program("a", rng()), "must be numbers, got 'a'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_gets_a_sentence(name):
    call, message = REFUSED[name]
    with pytest.raises(ns.ParameterError, match=message):
        call()


EMPTY = {
    "ideal product": (lambda: Memristor().matmul(np.zeros((0, 5)), np.zeros((5, 3))), (0, 3)),
    "noisy product": (lambda: NOISY.matmul(np.zeros((0, 5)), np.zeros((5, 3)), rng()), (0, 3)),
    "product of one's own": (lambda: Flaky().matmul(np.zeros((0, 5)), np.zeros((5, 3)), rng()), (0, 3)),
    "recall": (lambda: HopfieldMemory(np.ones((1, 4))).recall(np.ones((0, 4))), (0, 4)),
    "no times": (lambda: states((0, 1)), (0, 5)),
    "no samples": (lambda: states((0, 7, 1), device=NOISY.replace(weight_max=9.0)), (0, 7, 5)),
    "codes": (lambda: RampADC()(np.zeros((0, 3))), (0, 3)),
    "lstm without samples": (lambda: lstm(np.zeros((3, 0, 2)), np.ones((3, 4)), np.zeros(4), *LSTM), (3, 0, 1)),
    "lstm without steps": (lambda: lstm(np.zeros((0, 1, 2)), np.ones((3, 4)), np.zeros(4), *LSTM), (0, 1, 1)),
    "pulses": (lambda: ConstantStep().pulse(np.zeros(0), np.zeros(0)), (0,)),
    "flips": (lambda: BitFlips(rate=0.1).program(np.zeros(0), rng()), (0,)),
    "stuck": (lambda: StuckAt(on=0.1).program(np.zeros(0), rng()), (0,)),
    "programmed": (lambda: NOISY.replace(programming_noise=0.1, stuck_on=0.1).program(np.zeros((0, 3)), rng()), (0, 3)),
}
LSTM = FUNCTIONS["sigmoid"], FUNCTIONS["tanh"]


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_gives_nothing(name):
    call, shape = EMPTY[name]
    assert call().shape == shape
