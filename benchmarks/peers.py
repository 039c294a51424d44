"""Who is measured: where the code is, what must be installed, and the settings in which each is at its best."""

import importlib
import importlib.util
import os
from dataclasses import dataclass

from benchmarks.cases import Case


@dataclass(frozen=True)
class Peer:
    """A simulator.

    Args:
        name: what it is called on the command line.
        what: what it is called in tables.
        module: where `measure` is.
        needs: the package that must be installed.
        function: name of the function that measures.
        families: what it can run.
        threaded: whether it is at its best with as many threads as neurosim; one thread otherwise.
        compiles_within: whether its first build compiles and cannot tell how long that took.
    """

    name: str
    what: str
    module: str
    needs: str
    function: str = "measure"
    families: tuple[str, ...] = ("cuba", "coba", "brunel", "brunel_stdp", "izhikevich", "microcircuit", "lsm",
                                "diehl_cook", "fly")
    threaded: bool = False
    compiles_within: bool = False

    @property
    def installed(self) -> bool:
        """Whether it can be imported."""
        return importlib.util.find_spec(self.needs) is not None

    def threads(self, case: Case, threads: int) -> int:
        """Return the number of threads that it is best run with."""
        if not self.threaded:
            return 1
        chosen = getattr(importlib.import_module(self.module), "threads_for", None)
        return chosen(case, threads) if chosen else threads

    def environment(self, threads: int) -> dict:
        """Return the environment that its process needs."""
        found = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY",)}
        found |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), str(threads))
        chosen = getattr(importlib.import_module(self.module), "environment", None)
        return found | (chosen(threads) if chosen else {})


_NO_BATCH = ("cuba", "coba", "brunel", "brunel_stdp", "izhikevich", "microcircuit")
OURS = Peer("neurosim", "neurosim", "benchmarks.ours", "neurosim", threaded=True)
PEERS = {
    peer.name: peer for peer in (
        Peer("brian2", "Brian2 C++", "benchmarks.brian2_peer", "brian2"),
        Peer("brian2_cython", "Brian2 Cython", "benchmarks.brian2_peer", "brian2", "measure_cython",
             ("cuba", "coba", "brunel", "brunel_stdp", "izhikevich"), compiles_within=True),
        Peer("nest", "NEST", "benchmarks.nest_peer", "nest", families=_NO_BATCH, threaded=True),
        Peer("bindsnet", "BindsNET", "benchmarks.bindsnet_peer", "bindsnet", families=("diehl_cook",)),
        Peer("torch", "torch, dense", "benchmarks.torch_peer", "torch", families=("lsm",), threaded=True),
    )
}


def peer_of(name: str) -> Peer:
    """Return a peer, or neurosim itself, by name."""
    return OURS if name == OURS.name else PEERS[name]
