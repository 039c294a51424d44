"""Two spoken digits, a gap, and their sum: expressive leaky memory neurons beside an LSTM.

    NEUROSIM_DATA=FOLDER python examples/shd_adding.py [--gaps 0 500] [--seeds 1] [--full] [--spikes FILE.h5] [--out F]

The recordings and splits are those of shd_delays.py, which lies beside this script: the official files of SHD where
NEUROSIM_DATA holds them, else spoken digits (FSDD) in SHD's layout; that is not SHD. Two recordings follow one another
with a silence of --gaps ms between; what a model says at the last tick is the sum of the digits, 0 to 18. An ELM
neuron (its memories have time constants up to --longest ms) and an LSTM of as many parameters are trained on pairs
drawn anew for each epoch; tests are pairs of recordings that no training pair holds. Beside them stand chance, the most
frequent sum, and ridge regression on the counts of the spikes in ten parts of both words, which knows where the words
are. Epochs and rates are fixed; they were chosen by a fifth of the training recordings, which --validate leaves out and
tests on instead. Nothing is downloaded; it needs PyTorch (extra torch).
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from shd_delays import DT, recordings, text

from neurosim import plot
from neurosim.readouts import interval, ridge

SUMS, PARTS = 19, 10
RATES = {"ELM": 5e-3, "LSTM": 2e-2}  # of Adamax


def arguments():
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spikes", type=Path, help="file in SHD's layout that encode_folder made of FSDD")
    parser.add_argument("--gaps", type=float, nargs="*", default=[0.0, 500.0], help="ms between the words (0 500)")
    parser.add_argument("--seeds", type=int, default=1, help="speakers left out, pairs and weights (1)")
    parser.add_argument("--memories", type=int, default=60, help="of the ELM neuron (60)")
    parser.add_argument("--longest", type=float, default=1500.0, help="time constant of its memories, ms (1500)")
    parser.add_argument("--epochs", type=int, default=30, help="of 1,600 pairs (30)")
    parser.add_argument("--pairs", type=int, default=1600, help="of an epoch (1600)")
    parser.add_argument("--tests", type=int, default=1000, help="pairs of a test (1000)")
    parser.add_argument("--takes", type=int, default=25, help="train on takes 5 to this one (25); 50 are all")
    parser.add_argument("--tick", type=int, default=2, help="length of a tick in tens of ms (2)")
    parser.add_argument("--rate", type=float, help="of Adamax, for both models")
    parser.add_argument("--validate", action="store_true", help="choose by parts of the training recordings")
    parser.add_argument("--full", action="store_true", help="3 seeds, 100 memories, 60 epochs, all takes")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for shd_adding.png")
    options = parser.parse_args()
    if options.full:
        options.seeds, options.memories, options.epochs, options.takes = 3, 100, 60, 50
    return options


def pairs(labels, rows, n, rng):
    """Return n pairs of recordings, (2, n), and the sums of their digits."""
    chosen = rng.choice(rows, (2, n))
    return chosen, (labels[chosen] % 10).sum(axis=0)


def joined(x, chosen, gap, dt):
    """Return the spikes of pairs one after the other, with a silence of `gap` ms between."""
    return torch.cat([x[:, chosen[0]], x.new_zeros(round(gap / dt), chosen.shape[1], x.shape[2]), x[:, chosen[1]]])


def validation(split):
    """Return a split of the training recordings of a split: a fifth of them, and the rest."""
    def inner(seed):
        rows = np.random.default_rng([seed, 9]).permutation(split(seed)[0])
        return rows[len(rows) // 5:], {"a fifth of the training recordings": rows[:len(rows) // 5]}

    return inner


def models(inputs, options, generator):
    """Return functions from spikes (ticks, samples, inputs) to logits, and what is learned, by name; of one size."""
    elm = bridge.ELM(inputs, SUMS, memories=options.memories, branches=inputs, tau_branch=DT, dt=DT * options.tick,
                     tau_memory=(DT, options.longest), generator=generator)
    size = sum(each.numel() for each in elm.parameters())
    hidden = next(h for h in range(1, 2000) if 4 * h * (inputs + h + 2) + (h + 1) * SUMS >= size)
    lstm, readout = torch.nn.LSTM(inputs, hidden), torch.nn.Linear(hidden, SUMS)
    return {"ELM": (lambda x: elm(x)[0][-1], list(elm.parameters())),
            "LSTM": (lambda x: readout(lstm(x)[0][-1]), [*lstm.parameters(), *readout.parameters()])}


def train(kind, told, parameters, x, labels, rows, gap, seed, options):
    """Train a model on pairs of some recordings."""
    rng, steps = np.random.default_rng([seed, 1]), options.epochs * -(-options.pairs // 64)
    adamax = torch.optim.Adamax(parameters, lr=options.rate or RATES[kind])
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(adamax, steps)
    for _ in range(steps):
        chosen, sums = pairs(labels, rows, 64, rng)
        logits = told(joined(x, chosen, gap, DT * options.tick))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(sums))
        adamax.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adamax.step()
        slower.step()


def counts(x, chosen):
    """Return the numbers of spikes of both words in parts of their time."""
    words = [np.array_split(x[:, rows].numpy(), PARTS) for rows in chosen]
    return np.concatenate([part.sum(0) for word in words for part in word], axis=1)


def compare(x, labels, split, options):
    """Return shares of right sums by gap, name and test, a list of seeds, and chance by test."""
    right, chance = {gap: {} for gap in options.gaps}, {}
    for seed in range(options.seeds):
        rows, parts = split(seed)
        tests = {name: pairs(labels, part, options.tests, np.random.default_rng([seed, 2]))
                 for name, part in parts.items()}
        chosen, sums = pairs(labels, rows, 4000, np.random.default_rng([seed, 3]))
        linear = ridge(np.logspace(0, 5, 11), root=True).fit(counts(x, chosen), sums)
        for name, (_, sums) in tests.items():
            chance.setdefault(name, []).append(np.bincount(sums).max() / len(sums))
        for gap in options.gaps:
            answers = {"linear readout": lambda chosen, linear=linear: linear.predict(counts(x, chosen))}
            torch.manual_seed(seed)
            made = models(x.shape[2], options, torch.Generator().manual_seed(seed))
            for kind, (told, parameters) in made.items():
                train(kind, told, parameters, x, labels, rows, gap, seed, options)
                answers[kind] = lambda chosen, told=told, gap=gap: np.concatenate(
                    [told(joined(x, part, gap, DT * options.tick)).argmax(1).numpy()
                     for part in np.array_split(chosen, 4, axis=1)])
            for kind, answer in answers.items():
                for name, (chosen, sums) in tests.items():
                    with torch.no_grad():
                        share = float((answer(chosen) == sums).mean())
                    right[gap].setdefault(kind, {}).setdefault(name, []).append(share)
            print(f"seed {seed}, gap {gap:g} ms: trained on pairs of {len(rows)} recordings", flush=True)
    size = {kind: sum(each.numel() for each in parameters) for kind, (_, parameters) in made.items()}
    return right, chance, size


def told_of(shares, tests):
    """Return a share with its 95 % interval: over seeds, or of one seed over its pairs."""
    if len(shares) > 1:
        return text(shares)
    low, high = interval(shares[0], tests)
    return f"{shares[0]:.1%} ({low:.1%} to {high:.1%})"


def draw(right, chance, options):
    """Draw accuracies by gap, a panel for each test."""
    figure, panels = plt.subplots(1, len(chance), figsize=(4.5 * len(chance), 3.4), layout="constrained", sharey=True,
                                  squeeze=False)
    for panel, (name, at_chance) in zip(panels[0], chance.items(), strict=True):
        for kind, color in zip(("ELM", "LSTM", "linear readout"), (*plot.COLORS[:2], "0.6"), strict=True):
            shares = np.array([right[gap][kind][name] for gap in options.gaps])
            panel.plot(options.gaps, 100 * shares.mean(axis=1), "o-", color=color, label=kind)
            panel.plot(options.gaps, 100 * shares, ".", color=color, markersize=4)
        panel.axhline(100 * np.mean(at_chance), color="black", linestyle="--", linewidth=1, label="chance")
        panel.set(xlabel="Gap between the words (ms)", ylim=(0, 100), title=name)
    panels[0, 0].set(ylabel="Right sums (%)")
    panels[0, 0].legend()
    print(f"\nwrote {plot.save(figure, options.out / 'shd_adding.png')}")


def main():
    """Train, compare, print and draw."""
    options, began = arguments(), time.perf_counter()
    samples, labels, split = recordings(options)
    plot.style()
    torch.set_num_threads(1)
    x = torch.from_numpy(np.minimum(samples, 5.0)).transpose(0, 1).contiguous()
    x = x[:len(x) // options.tick * options.tick].unflatten(0, (-1, options.tick)).sum(1)
    if options.validate:
        split = validation(split)
    right, chance, sizes = compare(x, labels, split, options)
    print(f"\n{'':<28}" + "".join(f"{name:<28}" for name in chance))
    for gap, by_kind in right.items():
        for kind, by_name in by_kind.items():
            row = "".join(f"{told_of(each, options.tests):<28}" for each in by_name.values())
            print(f"{f'{kind}, gap {gap:g} ms':<28}{row}")
    print(f"{'chance':<28}" + "".join(f"{np.mean(each):<28.1%}" for each in chance.values()))
    print(f"n_test {options.tests} pairs each, seeds 0 to {options.seeds - 1}, {options.epochs} epochs of "
          f"{options.pairs} pairs, ticks of {DT * options.tick:g} ms,\nparameters "
          f"{', '.join(f'{kind} {size}' for kind, size in sizes.items())}, {time.perf_counter() - began:.0f} s")
    draw(right, chance, options)


if __name__ == "__main__":
    from neurosim import bridge
    from neurosim.bridge.extra import torch

    main()
