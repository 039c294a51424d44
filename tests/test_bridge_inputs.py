"""What modules of the bridge refuse: tensors of another kind, states of another layer, numbers that are not finite."""

import math

import pytest

torch = pytest.importorskip("torch")

from neurosim import bridge  # noqa: E402
from neurosim.bridge.sequence import plain  # noqa: E402
from neurosim.bridge.tensors import Named, whole_lengths  # noqa: E402
from neurosim.errors import ParameterError, SimulationError  # noqa: E402

ALL = {
    "LIF": lambda: bridge.LIFLayer(6, 4),
    "structured": lambda: bridge.StructuredLayer([torch.nn.Conv2d(1, 2, 2)], (1, 2, 3)),
    "late": lambda: bridge.LIFLayer(6, 4, delays=bridge.Delays(3.0)),
    "ELM": lambda: bridge.ELM(6, 4),
    "rates": lambda: bridge.LeakyRates(6, 4),
    "legendre": lambda: bridge.LegendreMemory(3, 5.0),
    "spiking legendre": lambda: bridge.SpikingLegendreLayer(6, 4),
    "RWKV": lambda: bridge.SpikingRWKV(6),
    "sequential": lambda: bridge.Sequential(bridge.LIFLayer(6, 4)),
    "blocks": lambda: bridge.Sequential(bridge.LIFLayer(6, 4), block=2),
}
SPIKES = (torch.rand(5, 2, 6, generator=torch.Generator().manual_seed(1)) < 0.5).float()
WRONG = {
    "float64": (SPIKES.double(), r"must be of torch.float32 as its weights are, got torch.float64"),
    "float16": (SPIKES.half(), r"must be of torch.float32 as its weights are, got torch.float16"),
    "complex": (SPIKES.to(torch.complex64), r"must be of torch.float32 as its weights are, got torch.complex64"),
    "device": (SPIKES.to("meta"), r"must be on cpu as its weights are, got meta"),
    "sparse": (SPIKES.to_sparse(), r"must be a dense tensor, got one of torch.sparse_coo"),
    "array": (SPIKES.numpy(), r"must be a tensor of shape \(ticks, samples, .*got an array of shape \(5, 2, 6\)"),
    "none": (None, r"must be a tensor of shape \(ticks, samples, .*got None"),
    "axes": (SPIKES[0], r"must be a tensor of shape \(ticks, samples, .*got a tensor of shape \(2, 6\)"),
    "undefined": (SPIKES * math.nan, r"must be finite numbers, got infinite or undefined"),
}


@pytest.mark.parametrize("module", ALL)
@pytest.mark.parametrize("wrong", WRONG)
def test_inputs_of_another_kind_get_one_sentence(module, wrong):
    x, message = WRONG[wrong]
    with pytest.raises(ParameterError, match=message):
        ALL[module]()(x)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8])
def test_whole_numbers_and_booleans_are_numbers_of_spikes(dtype):
    layer = bridge.LIFLayer(6, 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(layer(SPIKES.to(dtype))[0], layer(SPIKES)[0])


DENDRITES = bridge.Perforated(torch.nn.Linear(6, 2), 6, 2)


def _run(number):
    x = SPIKES.clone()
    x[3, 1, 2] = number
    return bridge.to_network(ALL["LIF"]()).run(x)


def test_one_name_of_what_learns_may_be_alone():
    names = [{name for name, _ in bridge.LIFLayer(2, 2, trainable=each).named_parameters()}
             for each in ("tau_mem", ["tau_mem"])]
    assert names[0] == names[1] == {"weight", "log_tau_mem"}


def _state(other):
    return lambda: ALL["LIF"]()(SPIKES, other(6, 4)(SPIKES)[1])


@pytest.mark.parametrize(("make", "message"), [
    (_state(lambda a, b: bridge.LIFLayer(a, 5)), r"state of LIFLayer must be a State of shape \(2, 4\)"),
    (_state(bridge.CurrentLIFLayer), "state of LIFLayer must have i = 0, got that of a layer of another kind"),
    (_state(lambda a, b: bridge.AdaptiveLIFLayer(a, b, v_threshold=0.01)), "state of LIFLayer must have theta = 0"),
    (_state(lambda a, b: bridge.LIFLayer(a, b, v_threshold=-1.0, t_ref=3.0)), "state of LIFLayer must have held = 0"),
    (lambda: bridge.LIFLayer(6, 4, dtype=torch.float64)(SPIKES.double(), ALL["LIF"]()(SPIKES)[1]),
     "state of LIFLayer must be of torch.float64 as the weights are, got torch.float32"),
    (lambda: bridge.ELM(6, 4)(SPIKES, (torch.zeros(2, 10),)), r"state of ELM must be a tuple of \(2, 10\), \(2, 20\)"),
    (lambda: bridge.ELM(6, 4)(SPIKES, 3), "state of ELM must be a tuple of .*, as a call returns it, got 3"),
    (lambda: bridge.LeakyRates(6, 4)(SPIKES, torch.zeros(3, 4)), r"state of LeakyRates must be .*\(2, 4\).*\(3, 4\)"),
    (lambda: bridge.LegendreMemory(3, 5.0)(SPIKES, 3), r"state of LegendreMemory must be a tuple of \(2, 6, 3\)"),
    (lambda: bridge.SpikingRWKV(6)(SPIKES, 3), "state of SpikingRWKV must be a tuple of"),
    (lambda: bridge.SpikingRWKV(6)(SPIKES, (SPIKES[0], 3, None, SPIKES[0], None)), "state of wkv must be a tuple of"),
    (lambda: bridge.SpikingLegendreLayer(6, 4)(SPIKES, 3), "state of SpikingLegendreLayer must be a tuple of"),
    (lambda: bridge.MaxPoolLayer((1, 2, 3), 2)(SPIKES, 3), "state of MaxPoolLayer must be a State"),
    (lambda: bridge.Sequential(ALL["LIF"]())(SPIKES, 3), "states must be 1, one a layer, got 3"),
    (lambda: bridge.MaxPoolLayer((1, 2, 3), 2)(0.5 * SPIKES), "input of MaxPoolLayer must be spikes, 0 or 1"),
    (lambda: bridge.LIFLayer(6, 4).half()(SPIKES.half()), "weights of LIFLayer must be of torch.float32 or torch.flo"),
    (lambda: bridge.LIFLayer(6, 4, dtype=torch.float16), "LIFLayer.dtype must be torch.float32 or torch.float64"),
    (lambda: bridge.LIFLayer(6, 4, dtype="float32"), "LIFLayer.dtype must be torch.float32 or torch.float64, got 'fl"),
    (lambda: bridge.ELM(6, 4, dtype=torch.int8), "ELM.dtype must be torch.float32 or torch.float64"),
    (lambda: bridge.LIFLayer(6, 4, generator=3), "LIFLayer.generator must be a torch.Generator or None, got 3"),
    (lambda: bridge.StochasticBinary()(torch.zeros(2, dtype=torch.int64)), "must be a tensor of float numbers"),
    (lambda: bridge.StochasticBinary("noisy_rectifier", noise=-1.0), "StochasticBinary.noise must be a finite number"),
    (lambda: bridge.to_network(ALL["LIF"](), device=3), "device must be a device layer or a function .*, got 3"),
    (lambda: bridge.ChipInTheLoop(ALL["LIF"](), 3), "ChipInTheLoop.device must be a device layer or a function"),
    (lambda: bridge.frequency_response(3, [5.0], mean=1.0, amplitude=0.5), "run must be a layer or another function"),
    (lambda: bridge.retrieval(3, SPIKES, [0], SPIKES, [0]), "towers must be TwoTowers that were fitted, got 3"),
    (lambda: bridge.StochasticBinary()(torch.tensor([math.nan])), "input of StochasticBinary must be finite numbers"),
    (lambda: DENDRITES(SPIKES[..., :3]), r"input of Perforated must be a tensor of shape \(\.\.\., 6\), got a tensor"),
    (lambda: DENDRITES(SPIKES.numpy()), "input of Perforated must be a tensor of shape .* got an array"),
    (lambda: DENDRITES(SPIKES.double()), "input of Perforated must be of torch.float32 as its weights are"),
    (lambda: DENDRITES(SPIKES.to("meta")), "input of Perforated must be on cpu as its weights are, got meta"),
    (lambda: DENDRITES(SPIKES * math.nan), "input of Perforated must be finite numbers"),
    (lambda: _run(0.5), "x must be whole numbers of spikes >= 0, got 0.5 at tick 3 of input 2; the core sends spikes"),
    (lambda: _run(-1.0), "x must be whole numbers of spikes >= 0, got -1 at tick 3 of input 2"),
    (lambda: _run(math.nan), "x must be whole numbers of spikes >= 0, got nan at tick 3 of input 2"),
    (lambda: _run(math.inf), "x must be whole numbers of spikes >= 0, got inf at tick 3 of input 2"),
    (lambda: bridge.to_network(ALL["LIF"]()).run(SPIKES[..., :4]), r"x must be of shape \(ticks, samples, 6\), got"),
    (lambda: bridge.LIFLayer(6, 4, trainable="tau"), "LIFLayer takes tau_mem, .*, got 'tau'"),
    (lambda: bridge.mask([5], 4), r"lengths must be whole numbers from 0 to 4, one a sample, got \[5\]"),
    (lambda: whole_lengths("ab", 4, 2), "lengths must be 2 whole numbers from 0 to 4, one a sample, got 'ab'"),
])
def test_states_and_options_that_do_not_fit_get_one_sentence(make, message):
    with pytest.raises(ParameterError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("module", sorted(set(ALL) - {"legendre"}))
def test_a_gradient_that_is_not_finite_is_named_by_every_module(module):
    out = ALL[module]()(SPIKES.clone().requires_grad_())
    out = out[0] if isinstance(out, tuple) else out
    factor = torch.ones_like(out)
    factor[3, 1, 2] = math.nan
    with pytest.raises(SimulationError, match=r"the gradient of .* must be finite, .* at tick 3 of sample 1, from its"):
        (out * factor).sum().backward()


def test_a_gradient_that_is_not_finite_is_named_where_layers_run_tick_by_tick():
    """As on a GPU; there is none here."""
    layer = bridge.LeakyIntegratorLayer(6, 4, dtype=torch.float64)
    x = SPIKES.double()
    for value, ticks, said in ((math.inf, 1, "tick 3 of sample 1, from its output"),
                               (1.7e308, 5, "tick 3 of sample 1, made in it")):  # two of these are more than there is
        out, _ = plain(layer.kind, x @ layer.weight, layer.bias, layer.recurrent, layer.coefficients(),
                       layer.initial(2), torch.full((2,), 5), Named("layer 7"))
        factor = torch.ones_like(out)
        factor[3:3 + ticks, 1, 2] = value
        with pytest.raises(SimulationError, match=rf"the gradient of layer 7 must be finite, .*{said}"):
            (out * factor).sum().backward()


def test_ticks_and_samples_are_those_of_the_whole_network():
    """In blocks, on a device, and where each place of a convolution is a row of its own."""
    hardware = pytest.importorskip("hardware_models")
    kernel = bridge.StructuredLayer([torch.nn.Conv2d(1, 2, 2)], (1, 2, 3), recurrent=True)
    for layer in (bridge.OnDevice(bridge.LIFLayer(6, 4), hardware.Memristor()), kernel):
        for block in (None, 2):
            out, _ = bridge.Sequential(layer, block=block)(SPIKES)
            factor = torch.ones_like(out)
            factor[3, 1, 2] = math.nan
            with pytest.raises(SimulationError, match=r"gradient of layer 1 .* at tick 3 of sample 1, from its"):
                (out * factor).sum().backward()


@pytest.mark.parametrize("module", ["LIF", "structured", "late", "sequential"])
def test_weights_that_are_not_finite_are_named_and_not_sent_as_silence(module):
    made = ALL[module]()
    with torch.no_grad():
        dict(made.named_parameters())[next(name for name, p in made.named_parameters() if p.requires_grad)].fill_(
            math.nan)
    with pytest.raises(SimulationError, match="of (layer 1|LIF|Structured).* must be finite, .*learning rate"):
        made(SPIKES)


def test_layers_on_devices_keep_the_blocks_of_a_network():
    hardware = pytest.importorskip("hardware_models")
    assert bridge.layers_on(ALL["blocks"](), hardware.Memristor()).block == 2
