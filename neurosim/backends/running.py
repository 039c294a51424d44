"""Running one description by any of the simulators, and writing it down for another machine."""

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from neurosim.backends.handing import hand_over
from neurosim.backends.result import Result
from neurosim.calls import arguments_listed
from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.network import Network

NAMES = {"brian2": "Brian2", "nest": "NEST"}


@arguments_listed
def run(net: Network, duration: float, dt: float = 0.1, seed: int = 0,
        backend: Literal["brian2", "nest"] = "brian2", *, scheme: Literal["same", "own"] = "same",
        **options: Any) -> Result:
    """Run a network by another simulator, with the connections, parameters and input that neurosim would draw.

    Spikes of all populations are kept, and the variables that the network records. All is float64.

    Args:
        net: the network.
        duration: ms.
        dt: length of a tick, ms.
        seed: of everything that is drawn.
        backend: "brian2" or "nest".
        scheme: "same" computes what neurosim computes, with the same spikes where nothing rounds another way; "own"
            hands the equations over and lets the simulator integrate them its way.
        options: of the backend. Brian2: `target` ("numpy", "cython" or "cpp_standalone"), `folder` and `threads` of a
            program in C++. NEST: `threads`.

    Raises:
        UnsupportedError: the simulator is not installed, or cannot express a part of the network, which is named.
        ParameterError: an argument does not fit.
        SimulationError: a value became infinite or undefined.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> cell = net.add(ns.StochasticLIF(), 1, name="cell")
    >>> ns.backends.run(net, 10.0, backend="arbor")
    Traceback (most recent call last):
    neurosim.errors.ParameterError: backend must be 'brian2' or 'nest', got 'arbor'
    """
    if backend not in NAMES:
        raise ParameterError(f"backend must be 'brian2' or 'nest', got {describe_value(backend)}")
    runner = import_module(f"neurosim.backends.{backend}").run
    known = runner.__code__.co_varnames[1:runner.__code__.co_argcount]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ParameterError(f"options of {NAMES[backend]} are {', '.join(known)}, got {unknown[0]!r}")
    return runner(hand_over(net, duration, dt, seed, NAMES[backend], scheme), **options)


@arguments_listed
def script(net: Network, backend: Literal["nest"], path: str | Path, duration: float, dt: float = 0.1, seed: int = 0, *,
           scheme: Literal["same", "own"] = "same") -> Path:
    """Write a program for NEST that needs no neurosim: a script, and its numbers in an .npz file beside it.

    Args:
        net: the network.
        backend: "nest".
        path: of the script, which ends in ".py"; the numbers lie beside it.
        duration: ms that the script runs if it is told nothing else.
        dt, seed, scheme: as for `run`.

    Returns:
        The path of the script.

    Raises:
        UnsupportedError: NEST cannot express a part of the network, which is named.
        ParameterError: an argument does not fit.
        FileError: a file cannot be written.
    """
    if backend != "nest":
        raise ParameterError(f"backend must be 'nest', got {describe_value(backend)}; Brian2 writes programs in C++ by "
                             "itself: run(..., backend='brian2', target='cpp_standalone', folder=...)")
    from neurosim.backends import nest

    return nest.write(hand_over(net, duration, dt, seed, NAMES[backend], scheme), Path(path))
