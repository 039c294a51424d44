"""Expressive leaky memory neurons: branches that leak, memories of many time constants, and a small network between."""

import math
from typing import Any

from neurosim.bridge.extra import torch
from neurosim.bridge.tensors import Named, check_generator, check_state, float_type, sequence, watch
from neurosim.checks import check_number, check_whole, describe_value
from neurosim.errors import ParameterError


class ELM(torch.nn.Module):
    r"""A neuron whose memories are moved by what its branches and the memories themselves say.

    b(t) = k_b b(t-1) + sum over a branch of w x(t);  m(t) = k_m m(t-1) + (1 - k_lambda) T(MLP([b(t), k_m m(t-1)]));
    y(t) = W m(t), with k_b = exp(-dt / tau_branch), k_m = exp(-dt / tau_memory), k_lambda = k_m^lambda,
    T(x) = 1.7159 tanh(2 x / 3), and w = relu(a parameter). The time constants of the memories are spaced evenly on a
    logarithmic scale.

    Args:
        n_in: number of inputs.
        n_out: number of outputs.
        memories: number of memories.
        branches: number of branches; every input is on one of them, in turn.
        tau_branch: ms.
        tau_memory: shortest and longest time constant of the memories, ms.
        rate: lambda, how much faster than it leaks a memory is written.
        hidden: units of the network's one layer, by default twice the memories.
        dt: length of a tick, ms.
        generator: of the first weights.
        dtype: float type.

    >>> import torch
    >>> ELM(10, 2, memories=4, branches=5)(torch.zeros(7, 3, 10))[0].shape
    torch.Size([7, 3, 2])

    Source: Spieler, Rahaman, Martius, Schoelkopf, Levina, The expressive leaky memory neuron, ICLR 2024 (version 2).
    """

    def __init__(self, n_in: int, n_out: int, *, memories: int = 20, branches: int = 10, tau_branch: float = 5.0,
                 tau_memory: tuple[float, float] = (1.0, 500.0), rate: float = 5.0, hidden: int | None = None,
                 dt: float = 1.0, generator: Any = None, dtype: Any = None):
        super().__init__()
        self.n_in, self.n_out = check_whole("ELM.n_in", n_in, at_least=1), check_whole("ELM.n_out", n_out, at_least=1)
        self.memories = check_whole("ELM.memories", memories, at_least=1)
        self.branches = check_whole("ELM.branches", branches, at_least=1)
        hidden = 2 * self.memories if hidden is None else check_whole("ELM.hidden", hidden, at_least=1)
        dtype = float_type("ELM", dtype)
        check_generator("ELM", generator)
        if not isinstance(tau_memory, (tuple, list)) or len(tau_memory) != 2:
            raise ParameterError(f"ELM.tau_memory must be two time constants, ms, got {describe_value(tau_memory)}")
        low, high = (check_number("ELM.tau_memory", tau, "ms", above=0) for tau in tau_memory)
        taus = torch.logspace(math.log10(low), math.log10(high), self.memories, dtype=dtype)
        self.register_buffer("k_memory", torch.exp(-dt / taus))
        self.register_buffer("k_written", torch.exp(-dt * check_number("ELM.rate", rate, "", above=0) / taus))
        self.k_branch = math.exp(-dt / check_number("ELM.tau_branch", tau_branch, "ms", above=0))
        self.register_buffer("branch_of", torch.arange(self.n_in) % self.branches)
        self.synapses = torch.nn.Parameter(torch.full((self.n_in,), 0.5, dtype=dtype))
        self.network = torch.nn.Sequential(
            torch.nn.Linear(self.branches + self.memories, hidden, dtype=dtype), torch.nn.ReLU(),
            torch.nn.Linear(hidden, self.memories, dtype=dtype))
        self.readout = torch.nn.Linear(self.memories, self.n_out, dtype=dtype)
        if generator is not None:
            with torch.no_grad():
                for part in (self.network[0], self.network[2], self.readout):
                    bound = 1.0 / math.sqrt(part.in_features)
                    part.weight.uniform_(-bound, bound, generator=generator)
                    part.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, x: Any, state: tuple[Any, Any] | None = None) -> tuple[Any, tuple[Any, Any]]:
        """Return outputs (ticks, samples, n_out), and branches and memories after the last tick.

        Args:
            x: inputs, shape (ticks, samples, n_in).
            state: branches (samples, branches) and memories (samples, memories) before; zeros by default.
        """
        x = sequence("ELM", x, self.n_in, self.synapses)
        shapes = [(x.shape[1], n) for n in (self.branches, self.memories)]
        if state is not None:
            check_state("ELM", state, shapes, self.synapses)
        branch, memory = map(x.new_zeros, shapes) if state is None else state
        weighted = x * self.synapses.clamp(min=0.0)
        given = weighted.new_zeros(*x.shape[:2], self.branches).index_add(2, self.branch_of, weighted)
        outputs = []
        for now in given:
            branch = self.k_branch * branch + now
            kept = self.k_memory * memory
            written = 1.7159 * torch.tanh(2.0 / 3.0 * self.network(torch.cat([branch, kept], 1)))
            memory = kept + (1.0 - self.k_written) * written
            outputs.append(memory)
        out = torch.stack(outputs) if outputs else x.new_zeros(0, x.shape[1], self.memories)
        out = self.readout(out)
        watch(Named("ELM"), given, out)
        return out, (branch, memory)
