"""Where long memories come from: time constants of single units, or the network, by how it is taught.

    python examples/long_memories.py [--seeds 10] [--first 100] [--epoch 100] [--full] [--out FOLDER]

Leaky rate units, each with a time constant that is trained, see a stream of random bits. N-parity: is the number of
ones among the last N odd? N-DMS (delayed match to sample): is the last bit that of N - 1 ticks before? N is judged
every 100 steps and grows by one where 98 % of the last 20 batches are right. Taught with one head, a network has to
answer for the present N alone; with many, for all N up to it at once. Mean time constant of the units, in ticks, when N
was mastered, and its slope over N from 6 on (before, time constants fall from where they began): with one head it is to
grow, with many heads to stay. Intervals are 95 % of Student's t over networks. Beside it: what a linear readout of the
last N bits gets right, and chance. Settings, that 6 among them, were chosen on networks of seeds below 100. The
authors' code judges N after 600 steps; with --epoch 1 N may rise after any step, and losses of heads are averaged, not
added up. --full: N to 20, epochs of 600; hours. It needs PyTorch (the extra torch).

Source: Khajehabdollahi, Zeraati, Giannakakis, Schaefer, Martius, Levina, ICLR 2024.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import joblib
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import torch
from sklearn.linear_model import LogisticRegression

from neurosim import bridge, plot

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=10, help="networks of each kind (10)")
arguments.add_argument("--first", type=int, default=100, help="seed of the first network (100)")
arguments.add_argument("--epoch", type=int, default=100, help="steps after which N may rise (100)")
arguments.add_argument("--full", action="store_true", help="N to 20, epochs of 600 steps")
arguments.add_argument("--quick", action="store_true", help="N to 4, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for long_memories.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
EPOCH = 600 if options.full else options.epoch
LONGEST = {"N-parity": 20 if options.full else 4 if options.quick else 9,
           "N-DMS": 20 if options.full else 4 if options.quick else 11}
FIRST, UNITS, BATCH, RATE, STEPS = (2 if options.quick else 6), 60, 64, 0.05, 100_000 if options.full else 20_000


def wanted(task, bits, n):
    """Return the right answers after the last of the bits, shape (samples,): 1 or 0."""
    return bits[-n:].sum(0) % 2 if task == "N-parity" else (bits[-1] == bits[-n]).double()


def learned(task, heads, seed):
    """Return mean time constants for each N that was mastered, and the accuracy at the last on new bits."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    tau = 1.0 + 0.2 * torch.rand(UNITS, generator=generator)
    net = bridge.LeakyRates(1, UNITS, tau=tau.numpy(), generator=generator)
    outs = [torch.nn.Parameter(torch.randn(UNITS, generator=generator) / UNITS ** 0.5)
            for _ in range(LONGEST[task] + 1)]
    offsets = torch.nn.Parameter(torch.zeros(LONGEST[task] + 1))
    sgd = torch.optim.SGD([*net.parameters(), offsets, *outs], lr=RATE, momentum=0.9, nesterov=True)

    def answered(n, asked, samples=BATCH):
        """Return answers and right answers for each N that is asked, after a stream of random length."""
        ticks = int(torch.randint(n + 2, 4 * n + 1, (), generator=generator))
        bits = (torch.rand(ticks, samples, generator=generator) < 0.5).float()
        last = net(2 * bits[:, :, None] - 1)[-1]
        return [(last @ outs[k] + offsets[k], wanted(task, bits, k).float()) for k in asked]

    found, seen, n = [], [], 2
    for _ in range(STEPS):
        pairs = answered(n, range(2, n + 1) if heads == "many" else [n])
        loss = sum(torch.nn.functional.binary_cross_entropy_with_logits(*pair) for pair in pairs)
        loss = loss / len(pairs) if EPOCH == 1 else loss
        sgd.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        sgd.step()
        seen.append([float(((out > 0) == (right > 0.5)).float().mean()) for out, right in pairs])
        if len(seen) < EPOCH:
            continue
        right, seen = np.mean(seen[-20:], axis=0), []
        if (right.min() if EPOCH == 1 else min(right.mean(), right[-1])) > 0.98:
            found.append(float(net.tau.detach().mean()))
            if n == LONGEST[task]:
                break
            n += 1
    with torch.no_grad():
        right = [float(((out > 0) == (right > 0.5)).float().mean()) for out, right in
                 (answered(n, [n], 200)[0] for _ in range(10))]
    return np.array(found), float(np.mean(right))


def linear(task):
    """Return what a linear classifier of the last N bits gets right, of as many new ones, for the longest N."""
    n, rng = LONGEST[task], np.random.default_rng(0)
    bits = torch.from_numpy(rng.integers(0, 2, (n, 4000)).astype(float))
    answers = wanted(task, bits, n).numpy()
    return LogisticRegression().fit(bits.numpy().T[:2000], answers[:2000]).score(bits.numpy().T[2000:], answers[2000:])


def summary(values, digits=3):
    """Return mean and interval as text."""
    values = np.asarray(values)
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values) if len(values) > 1 else np.nan
    return f"{values.mean():.{digits}f} ({values.mean() - half:.{digits}f} to {values.mean() + half:.{digits}f})"


kinds = [(task, heads) for task in LONGEST for heads in ("one", "many")]
seeds = range(options.first, options.first + options.seeds)
made = joblib.Parallel(n_jobs=2)(joblib.delayed(learned)(*kind, seed) for seed in seeds for kind in kinds)
print(f"{UNITS} units, {options.seeds} networks of each kind; chance 50 %, n_test 2000 a network, at the longest N\n"
      f"{'':<24}{'tau at the longest N':>30}{'slope, ticks a step of N':>32}{'right':>10}")
figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", sharey=True)
for k, (task, heads) in enumerate(kinds):
    runs = made[k::len(kinds)]
    whole = [found for found, _ in runs if len(found) == LONGEST[task] - 1]
    name = f"{task}, {heads} head{'s' if heads == 'many' else ''}"
    print(f"{name:<24}" + (f"{summary([found[-1] for found in whole]):>30}" + f"""{summary(
        [np.polyfit(np.arange(FIRST, LONGEST[task] + 1), found[FIRST - 2:], 1)[0] for found in whole], 4):>32}"""
                           if whole else f"{'none got there':>62}")
          + f"{100 * np.mean([right for _, right in runs]):>8.1f} %"
          + ("" if len(whole) == len(runs) else f"   {len(runs) - len(whole)} of {len(runs)} did not master N = "
             f"{LONGEST[task]} and are left out"))
    for found, _ in runs:
        panels[k // 2].plot(np.arange(2, 2 + len(found)), found, ".-", color=plot.COLORS[k % 2], lw=1,
                            label=f"{heads} head{'s' if heads == 'many' else ''}" if found is runs[0][0] else None)
    panels[k // 2].set(xlabel="N", title=task)
print("linear classifier of the last N bits: " + ", ".join(f"{task} {100 * linear(task):.1f} %" for task in LONGEST))
panels[0].set_ylabel("Mean time constant (ticks)")
panels[0].legend()
print(f"\nwrote {plot.save(figure, options.out / f'long_memories.{options.format}')}")
