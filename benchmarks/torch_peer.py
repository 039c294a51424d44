"""The liquid in PyTorch: all recordings at once, dense, tick by tick."""

import time

import numpy as np

from benchmarks import recordings
from benchmarks.cases import LSM, Case, liquid_weights


def measure(case: Case, threads: int, dtype: str = "float32", folder=None, spikes: str = "") -> dict:
    """Run the liquid over all recordings; making the dense rasters counts as building."""
    import torch

    torch.set_num_threads(threads)
    samples = recordings.samples(case)
    real = getattr(torch, dtype)
    began = time.perf_counter()
    inputs, weights = liquid_weights()
    w_in, w = (torch.tensor(matrix, dtype=real) for matrix in (inputs, weights))
    raster = np.zeros((round(case.sample_ms / case.dt) + 1, len(samples), LSM["inputs"]), dtype=np.float32)
    for k, sample in enumerate(samples):
        np.add.at(raster, (sample.ticks, k, sample.ids), 1.0)
    raster = torch.from_numpy(raster).to(real)
    started = time.perf_counter()
    count = _run(torch, raster, w_in, w, real)
    ended = time.perf_counter()
    return {"build": started - began, "simulate": ended - started, "rates": [count / case.n[0] / case.run * 1e3],
            "input_events": recordings.events_of(samples, np.count_nonzero(inputs, axis=1))}


def _run(torch, raster, w_in, w, real) -> float:
    """Return the number of spikes of the liquid; an event of tick t arrives at tick t + 1."""
    ticks, batch, _ = raster.shape
    decay, n_ref = float(np.exp(-1.0 / LSM["tau_mem"])), round(LSM["t_ref"])
    v = torch.zeros(batch, w.shape[0], dtype=real)
    fired, held = torch.zeros_like(v), torch.zeros_like(v)
    total = 0.0
    with torch.no_grad():
        for tick in range(1, ticks):
            free = held <= 0
            v = torch.where(free, v * decay + raster[tick - 1] @ w_in + fired @ w, torch.zeros_like(v))
            fired = (v > LSM["v_threshold"]).to(real)
            v = v * (1 - fired)
            held = torch.where(fired > 0, torch.full_like(held, n_ref), held - 1)
            total += float(fired.sum())
    return total


def versions() -> str:
    """Return what was run."""
    import torch

    return f"torch {torch.__version__}"
