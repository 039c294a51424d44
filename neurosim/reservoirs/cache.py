"""States of a liquid on disk, under a name that follows from everything that made them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.files import reading, whole_file
from neurosim.reservoirs.features import Counts, as_features
from neurosim.reservoirs.liquid import Liquid
from neurosim.reservoirs.states import Features, Keys
from neurosim.spikes import Spikes
from neurosim.sweep.identity import parts


def cached_states(liquid: Liquid, samples: Iterable[Spikes], duration: float, features: Features = None, *,
                  folder: Any, keys: Keys = None, threads: int | None = None, progress: bool = False) -> np.ndarray:
    """Return `liquid.states(...)`, from a file where the same was computed before, else computed and written.

    The name of the file is a digest of the network, dt, seed, every spike of the samples, duration, features and keys,
    of the version of neurosim, and of the code of classes that the caller's own files define. What changes any of them
    is another file; old files stay until they are removed.

    Args:
        liquid: a `Liquid`.
        samples, duration, features, keys, threads, progress: as for `Liquid.states`.
        folder: where files are; it is made if there is none.

    Raises:
        ParameterError: an argument does not fit.
        FileError: a file cannot be written, or is damaged.

    >>> import tempfile
    >>> import neurosim as ns
    >>> from neurosim.reservoirs import MaassLattice, RandomInput
    >>> liquid = Liquid(MaassLattice(), RandomInput(40, k=10, weight=8.0), seed=1)
    >>> samples = [ns.Spikes(ticks=[3, 9, 9], ids=[k, 2, 30], size=40, dt=1.0, duration=50.0) for k in range(4)]
    >>> folder = tempfile.mkdtemp()
    >>> first = cached_states(liquid, samples, 50.0, folder=folder, threads=1)
    >>> np.array_equal(cached_states(liquid, samples, 50.0, folder=folder), first), len(list(Path(folder).iterdir()))
    (True, 1)
    """
    if not isinstance(liquid, Liquid):
        raise ParameterError(f"liquid must be a Liquid, got {describe_value(liquid)}")
    samples = list(samples)
    features = as_features(Counts() if features is None else features)
    keys = None if keys is None else [int(key) for key in keys]
    path = Path(folder) / f"{_key(liquid, samples, duration, features, keys)}.npy"
    if path.exists():
        with reading(path, "a file of states"):
            return np.load(path, allow_pickle=False)
    found = liquid.states(samples, duration, features, keys=keys, threads=threads, progress=progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        np.save(file, found)
    return found


def _key(liquid, samples, duration, features, keys) -> str:
    """Return the digest of everything that states depend on."""
    net = liquid.network
    used = [*(p.model for p in net.populations), *features]
    for p in net.projections:
        used += [part for part in (p.rule, p.receptor, p.release, *p.plasticity, p.device) if part is not None]
    code: dict[str, str] = {}
    for each in used:
        code |= parts(type(each))
    digest = hashlib.sha256(f"{net.fingerprint()} {liquid.dt!r} {liquid.seed!r} {float(duration)!r} {features!r} "
                            f"{keys!r} {sorted(code.items())}".encode())
    for k, sample in enumerate(samples):
        if not isinstance(sample, Spikes):
            raise ParameterError(f"samples must be Spikes, got {describe_value(sample)} as sample {k}")
        digest.update(sample.fingerprint().encode())
    return digest.hexdigest()[:32]


__all__ = ["cached_states"]
