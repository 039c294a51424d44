"""Delays that learn, on spoken digits as spikes: learned, fixed at random, and none, for speakers heard and not heard.

    NEUROSIM_DATA=FOLDER python examples/shd_delays.py [--seeds 3] [--full] [--spikes FILE.h5] [--out FOLDER]

The official files of the Spiking Heidelberg Digits, shd_train.h5 and shd_test.h5, are taken where NEUROSIM_DATA holds
them in `shd` or `SHD`. Else recordings of the Free Spoken Digit Dataset become a file in SHD's layout first, through a
silicon cochlea of 64 channels, as `neurosim encode audio` would make it; --spikes names one that was made before. This
is spoken digits in SHD's format, not SHD. A layer of LIF neurons that forget within two ticks of 10 ms, so that memory
lies in the delays of its inputs, is trained together with a readout of leaky integrators. Seed k leaves out speaker k:
tests are takes 0 to 4 of the other speakers, and what speaker k says. Beside it stand chance and ridge regression on
the counts of the spikes in ten parts of the time. Epochs and rates are fixed, nothing is chosen on a test part.
Then delays are whole ticks, and the core sends the same spikes. Nothing is downloaded; it needs PyTorch (extra torch).
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats

import neurosim as ns
from neurosim import plot
from neurosim.readouts import ridge

DT, CHANNELS, PARTS = 10.0, 64, 10  # ms of a tick, of the silicon cochlea, of the time for the linear readout
KINDS = {"none": "no delays", "random": "random delays that stay", "learned": "delays that learn"}


def arguments():
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spikes", type=Path, help="file in SHD's layout that encode_folder made of FSDD")
    parser.add_argument("--seeds", type=int, default=3, help="speakers left out, weights and delays (3)")
    parser.add_argument("--hidden", type=int, default=64, help="hidden neurons (64)")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the training part (20)")
    parser.add_argument("--takes", type=int, default=25, help="train on takes 5 to this one (25); 50 are all")
    parser.add_argument("--full", action="store_true", help="5 seeds, 128 neurons, 40 epochs, all takes")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for shd_delays.png")
    parser.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
    options = parser.parse_args()
    if options.full:
        options.seeds, options.hidden, options.epochs, options.takes = 5, 128, 40, 50
    return options


# ---- recordings -------------------------------------------------------------------------------------


def counted(path, duration, group):
    """Return a file of SHD's layout and its numbers of spikes, (samples, ticks, channels / group)."""
    spoken = ns.datasets.SHD(path)
    whole = spoken.load_all()
    made = np.zeros((len(spoken), round(duration / DT), spoken.sensor_size[0] // group), dtype=np.float32)
    for x, events in zip(made, np.split(whole.events, whole.offsets[1:-1]), strict=True):
        ticks = events["t"] // round(1000 * DT)
        kept = ticks < len(x)
        np.add.at(x, (ticks[kept], events["x"][kept] // group), 1.0)
    return spoken, made


def official(folder):
    """Return samples, labels and the splits of the official files: one split, whose test part is shd_test.h5."""
    (train, x), (test, new) = (counted(folder / f"shd_{part}.h5", 1000.0, 5) for part in ("train", "test"))
    n, unheard = len(x), ~np.isin(test.speakers, train.speakers)
    tests = {"speakers heard": n + np.flatnonzero(~unheard), "speakers not heard": n + np.flatnonzero(unheard)}
    tests = {name: part for name, part in tests.items() if len(part)}
    return np.concatenate([x, new]), np.concatenate([train.labels, test.labels]), lambda seed: (np.arange(n), tests)


def spoken_digits(path, takes):
    """Return samples, labels and splits of FSDD: a speaker is left out, and takes 0 to 4 of the others."""
    spoken, x = counted(path, 700.0, 1)
    x = x.reshape(*x.shape[:2], CHANNELS, -1).sum(axis=3)  # up and down of a channel together
    number = np.array([int(Path(name).stem.rpartition("_")[2]) for name in spoken.names])

    def split(seed):
        out = spoken.speakers == seed % len(np.unique(spoken.speakers))
        return (np.flatnonzero(~out & (number >= 5) & (number < takes)),
                {"takes not heard": np.flatnonzero(~out & (number < 5)), "a speaker not heard": np.flatnonzero(out)})

    return x, spoken.labels, split


def recordings(options):
    """Return samples, labels, and a function from a seed to training and test parts; or leave."""
    data = Path(os.environ.get("NEUROSIM_DATA") or "nowhere")
    for folder in (data / "shd", data / "SHD"):
        if options.spikes is None and (folder / "shd_train.h5").is_file() and (folder / "shd_test.h5").is_file():
            print("Spiking Heidelberg Digits, official files")
            return official(folder)
    archives = sorted((data / "fsdd").glob("*.zip"))
    if options.spikes is None and not archives:
        print("shd_delays.py needs SHD or the Free Spoken Digit Dataset and found none: set NEUROSIM_DATA to a folder "
              "with shd/ and its two files, or with fsdd/ and a zip file, or give --spikes FILE.h5. Nothing was done.")
        sys.exit(0)
    print("spoken digits (FSDD) in SHD's layout")
    if options.spikes is not None:
        return spoken_digits(options.spikes, options.takes)
    ear = ns.encoders.SiliconCochlea(CHANNELS, f_max=3800.0, gain=20_000.0, dt=None)
    with tempfile.TemporaryDirectory() as folder:
        made = ns.encoders.encode_folder(ear, archives[0], Path(folder) / "digits.h5", seed=1)
        return spoken_digits(made.path, options.takes)


# ---- networks ---------------------------------------------------------------------------------------


def network(kind, sizes, x, generator):
    """Return a network whose first sums have a standard deviation of 1, the threshold."""
    delays = None if kind == "none" else bridge.Delays(200.0, learn=kind == "learned")
    first = bridge.LIFLayer(*sizes[:2], dt=DT, tau_mem=10.0, delays=delays, bias=True, surrogate=bridge.ATan(2.0),
                            generator=generator)
    last = bridge.LeakyIntegratorLayer(*sizes[1:], dt=DT, tau_mem=100.0, bias=True, generator=generator)
    with torch.no_grad():
        silence = x.new_zeros(0 if delays is None else first.delays.late, *x.shape[1:])
        first.weight.div_(first.arrivals(torch.cat([silence, x])).std())
    return bridge.Sequential(first, torch.nn.Dropout(0.3), last)


def moved(x, rng):
    """Return a batch moved by up to two channels, as voices are higher or lower."""
    by = int(rng.integers(-2, 3))
    x = torch.roll(x, by, 2)
    x[:, :, :by] = 0.0
    x[:, :, x.shape[2] + min(by, 0):] = 0.0
    return x


def trained(kind, x, labels, rows, seed, options):
    """Return a network trained on some samples, its delays whole ticks."""
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    torch.manual_seed(seed)  # of the dropout
    net = network(kind, (x.shape[2], options.hidden, int(labels.max()) + 1), x[:, rows[:128]], generator)
    late = [each for name, each in net.named_parameters() if "delay" in name]
    others = [each for name, each in net.named_parameters() if "delay" not in name]
    groups = [{"params": others, "lr": 5e-3, "weight_decay": 1e-3}]
    groups += [{"params": late, "lr": 5.0, "weight_decay": 0.0}] if late else []  # ms
    adam, batches = torch.optim.AdamW(groups), -(-len(rows) // 64)
    pace = torch.optim.lr_scheduler.OneCycleLR(adam, [each["lr"] for each in groups], pct_start=0.2,
                                               total_steps=options.epochs * batches)
    for epoch in range(options.epochs):
        bridge.anneal(net, min(1.0, epoch / (0.6 * options.epochs)))
        for chosen in np.array_split(rng.permutation(rows), batches):
            v, _ = net(moved(x[:, chosen], rng))
            loss = torch.nn.functional.cross_entropy(v.mean(0), labels[chosen])
            adam.zero_grad()
            loss.backward()
            adam.step()
            pace.step()
    return net.eval()


def told(net, x):
    """Return the classes that a network tells."""
    with torch.no_grad():
        return net(x)[0].mean(0).argmax(1).numpy()


def same_spikes(net, x):
    """Return how many spikes the hidden neurons send in the core, and whether they are those of PyTorch."""
    made = bridge.to_network(net.double()).run(x.numpy())[0]
    with torch.no_grad():
        return int(made.sum()), np.array_equal(made, net.layers[0](x.double())[0].numpy())


def parts(x, rows):
    """Return the numbers of spikes of each channel in parts of the time."""
    return np.concatenate([each.sum(0) for each in np.array_split(x[:, rows].numpy(), PARTS)], axis=1)


# ---- all together -----------------------------------------------------------------------------------


def compare(x, labels, split, options):
    """Return shares of right answers by name and test, one a seed, chance by test, and a network that was trained."""
    right, chance, sizes = {}, {}, {}  # every split of a file has test parts of one size
    for seed in range(options.seeds):
        rows, tests = split(seed)
        linear = ridge(np.logspace(0, 5, 11), root=True).fit(parts(x, rows), labels[rows])
        answers = {"linear readout of the spikes": lambda part, linear=linear: linear.predict(parts(x, part))}
        for kind, name in KINDS.items():
            net = trained(kind, x, torch.tensor(labels, dtype=torch.int64), rows, seed, options)
            answers[name] = lambda part, net=net: told(net, x[:, part])
        for test, part in tests.items():
            chance.setdefault(test, []).append(np.bincount(labels[part]).max() / len(part))
            sizes[test] = len(part)
            for name, answer in answers.items():
                right.setdefault(name, {}).setdefault(test, []).append(float((answer(part) == labels[part]).mean()))
        print(f"seed {seed}: trained on {len(rows)} recordings", flush=True)
    return right, chance, sizes, net, x[:, part[:20]]


def text(shares):
    """Return mean and 95 % interval of Student's t over seeds."""
    if len(shares) < 2:
        return f"{shares[0]:.1%}"
    half = scipy.stats.t.ppf(0.975, len(shares) - 1) * np.std(shares, ddof=1) / np.sqrt(len(shares))
    return f"{np.mean(shares):.1%} +- {half:.1%}"


def draw(right, chance, net, path):
    """Draw accuracies, and the delays that were learned."""
    figure, (left, other) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", width_ratios=(3, 2))
    width = 0.8 / len(right)
    for k, (name, by_test) in enumerate(right.items()):
        at = np.arange(len(by_test)) + width * (k - (len(right) - 1) / 2)
        means = [100 * np.mean(each) for each in by_test.values()]
        bars = left.bar(at, means, 0.9 * width, label=name, color=["0.7", *plot.COLORS][k])
        left.bar_label(bars, fmt="%.0f", fontsize=8, label_type="center", color="white" if k else "black")
        for place, each in zip(at, by_test.values(), strict=True):
            left.plot([place] * len(each), 100 * np.array(each), ".", color="black", markersize=3)
    left.axhline(100 * np.mean(list(chance.values())), color="black", linestyle="--", linewidth=1, label="chance")
    left.set_xticks(range(len(chance)), list(chance))
    left.set(ylabel="Accuracy (%)", ylim=(0, 105))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    learned = net.layers[0].delays.ticks().numpy().ravel() * DT
    other.hist(learned, bins=np.arange(-DT / 2, 200.0 + DT, DT), color=plot.COLORS[2])
    other.set(xlabel="Learned delay (ms)", ylabel="Synapses")
    print(f"\nwrote {plot.save(figure, path)}")


def main():
    """Encode, train, compare, print and draw."""
    options, began = arguments(), time.perf_counter()
    samples, labels, split = recordings(options)
    plot.style()
    torch.set_num_threads(1)
    x = torch.from_numpy(samples).transpose(0, 1).contiguous()
    print(f"{len(labels)} recordings, {samples.sum() / len(labels):.0f} spikes each, {x.shape[2]} channels, "
          f"{x.shape[0]} ticks of {DT:g} ms; {options.hidden} neurons, {options.epochs} epochs")
    right, chance, sizes, net, some = compare(x, labels, split, options)
    print(f"\n{'':<30}" + "".join(f"{test:<24}" for test in chance))
    for name, by_test in right.items():
        print(f"{name:<30}" + "".join(f"{text(each):<24}" for each in by_test.values()))
    print(f"{'chance':<30}" + "".join(f"{np.mean(each):<24.1%}" for each in chance.values()))
    print(f"{'n_test, each seed':<30}" + "".join(f"{each:<24}" for each in sizes.values()))
    spikes, same = same_spikes(net, some)
    print(f"seeds 0 to {options.seeds - 1}, {time.perf_counter() - began:.0f} s; in the core {spikes} spikes of "
          f"{some.shape[1]} samples, {'the same, tick for tick' if same else 'NOT THE SAME'}")
    draw(right, chance, net, options.out / f"shd_delays.{options.format}")


if __name__ == "__main__":
    from neurosim import bridge
    from neurosim.bridge.extra import torch

    main()
