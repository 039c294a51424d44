"""The same description run elsewhere: by Brian2 or NEST, with the same connections, parameters and input::

    result = ns.backends.run(net, 100.0, dt=0.1, seed=1, backend="brian2")
    result.spikes(cells) == sim.spikes(cells)

`docs/backends.md` tells what each of them can express.
"""

from neurosim.backends.result import Result as Result
from neurosim.backends.running import run as run
from neurosim.backends.running import script as script

__all__ = ["Result", "run", "script"]
