"""Pictures of what learns beside a simulation or around it: readouts, layers, descents, masks, tasks."""

import numpy as np

import learning_rules as rules
import neurosim as ns
from neurosim.readouts import RecursiveLeastSquares
from pictures.base import Picture, legend, panels, pictured

COLORS = ns.plot.COLORS


# ---- readouts ---------------------------------------------------------------------------------------


def draw_force(cls, plt):
    """The output of a network before, while and after it is taught a sine; grey: the sine."""
    n, dt, parts = 300, 0.1, (300.0, 1500.0, 700.0)
    rng = np.random.default_rng(1)
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=10.0, t_ref=2.0, v_leak=-65.0, v_reset=-65.0, v_threshold=-40.0, r=1.0, i_bias=25.5),
                    n, initial={"v": ns.Uniform(-65.0, -40.0)})
    source, target = np.nonzero(rng.random((n, n)) < 0.1)
    weight = 0.04 * 20.0 / (0.1 * np.sqrt(n)) * rng.standard_normal(source.size)
    net.connect(cells, cells, ns.Explicit(source, target), weight=weight, delay=dt,
                receptor=ns.DoubleExponentialCurrent(tau_rise=2.0, tau_syn=20.0))
    force = cls(net, cells, RecursiveLeastSquares(alpha=1e-2, fit_intercept=False), every=2.0, dt=dt, seed=1,
                feedback=10.0 * rng.uniform(-1.0, 1.0, n))
    times = dt * np.arange(1, round(sum(parts) / dt) + 1)
    aim = np.sin(2e-3 * np.pi * 5.0 * times)
    first, last = (round(each / dt) for each in (parts[0], parts[0] + parts[1]))
    z = np.concatenate([force.run(parts[0]), force.fit(aim[first:last]), force.run(parts[2])])
    figure, (axes,) = panels(plt)
    axes.plot(times[::10], aim[::10], color="0.7")
    axes.plot(times[::10], z[::10], color="black", linewidth=1.0)
    axes.axvspan(parts[0], parts[0] + parts[1], color=COLORS[0], alpha=0.12)
    axes.set(xlabel="Time (ms)", ylabel="Output", ylim=(-1.8, 1.8))
    return figure


def draw_regression(cls, plt):
    """Weights of five features by the number of samples, plain and normalised; dotted: what made the samples."""
    rng, true = np.random.default_rng(0), np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    figure, found = panels(plt, 1, 2, sharey=True)
    for axes, (title, how) in zip(found, {"rate = 0.02": {"rate": 0.02},
                                          "normalised, rate = 0.5": {"rate": 0.5, "normalised": True}}.items(),
                                  strict=True):
        model, weights = cls(fit_intercept=False, **how), []
        for _ in range(200):
            x = rng.standard_normal((1, 5))
            model.partial_fit(x, x @ true + 0.1 * rng.standard_normal(1))
            weights.append(np.ravel(model.weights_).copy())
        axes.plot(np.arange(1, 201), weights, color=COLORS[0], linewidth=1.0)
        for value in true:
            axes.axhline(value, color="0.6", linestyle=":", linewidth=0.8)
        axes.set(xlabel="Sample", title=title)
        axes.title.set_fontsize("small")
    found[0].set_ylabel("Weight")
    return figure


def draw_expectation(cls, plt):
    """What is expected in a trial, before and after the time and the probability of a stimulus change."""
    rng, steps = np.random.default_rng(0), np.arange(40)
    blur = np.exp(-0.5 * (np.subtract.outer(steps, np.arange(-5, 45)) / 1.5) ** 2)
    states = blur @ rng.standard_normal((50, 200))  # as of a network with a memory of some steps
    worlds = [(p, np.exp(-0.5 * ((steps[:, None] - when) / 2.0) ** 2)) for p, when in ((0.8, 30), (0.4, 18))]
    model = cls(200, 1, context=(0, 10), rate_what=0.02)
    figure, (axes,) = panels(plt)
    shown = {299: ("black", "before"), 305: (COLORS[1], "5 trials later"), 600: (COLORS[0], "300 trials later")}
    for trial in range(601):
        p, seen = worlds[trial // 300 if trial < 600 else 1]
        z = model.trial(states, (rng.random() < p) * seen)
        if trial in shown:
            color, label = shown[trial]
            axes.plot(steps, z[:, 0], color=color, label=label)
    for p, seen in worlds:
        axes.plot(steps, p * seen, color="0.5", linestyle=":", zorder=0)
    axes.set(xlabel="Step of the trial", ylabel="Expected")
    legend(axes, loc="upper left")
    return figure


# ---- gradients --------------------------------------------------------------------------------------


def draw_eprop(cls, plt):
    """The error of a pattern by the number of trials for the three ways back, and the pattern at the end."""
    figure, (left, right) = panels(plt, 1, 2)
    x, target = rules.pattern_generation(1, n_in=20, n_out=1)
    for color, kind in zip(COLORS, ("symmetric", "random", "adaptive"), strict=False):
        model = cls(20, 60, 1, tau_mem=30.0, tau_out=30.0, v_threshold=0.03, gain=1 - np.exp(-1 / 30),
                    rate_weight=3e5, feedback=kind)
        weights, descent, errors = model.initial(1), rules.Adam(3e-3), []
        for _ in range(200):
            found = model.gradients(weights, x, target)
            errors.append(((found.outputs - target) ** 2).mean() / target.var())
            descent.step(weights, found)
        left.semilogy(np.arange(1, 201), errors, color=color, label=kind)
        if kind == "symmetric":
            right.plot(found.outputs[0, :, 0], color=color)
    right.plot(target[0, :, 0], color="0.5", linestyle=":")
    left.set(xlabel="Trial", ylabel="Normalised error")
    right.set(xlabel="Time (ms)", ylabel="Output")
    legend(left)
    return figure


def draw_descent(cls, plt, rates, steps=60):
    """The way down a valley that is a hundred times steeper across than along, for some rates."""
    figure, (axes,) = panels(plt, height=2.6)
    curvature = np.array([1.0, 100.0])
    a, b = np.meshgrid(np.linspace(-0.2, 2.1, 100), np.linspace(-0.35, 0.35, 100))
    axes.contour(a, b, 0.5 * (a**2 + 100.0 * b**2), levels=np.geomspace(0.02, 6.0, 8), colors="0.85", linewidths=0.8)
    for color, rate in zip(COLORS, rates, strict=False):
        descent, weights = cls(rate), {"w": np.array([2.0, 0.25])}
        path = [weights["w"].copy()]
        for _ in range(steps):
            descent.step(weights, {"w": curvature * weights["w"]})
            path.append(weights["w"].copy())
        axes.plot(*np.transpose(path), "o-", color=color, markersize=2.5, linewidth=0.9, label=f"rate = {rate:g}")
    axes.set(xlabel="First weight", ylabel="Second weight", xlim=(-0.2, 2.1), ylim=(-0.35, 0.35))
    legend(axes, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_task(cls, plt):
    """Inputs of one trial."""
    x, _ = cls(7).draw(np.random.default_rng(4), 1)
    figure, (axes,) = panels(plt, height=2.6)
    time, unit = np.nonzero(x[0])
    axes.scatter(time, unit, s=1.5, color=np.array([COLORS[0], COLORS[1], COLORS[2], "0.5"])[unit // 10])
    axes.set(xlabel="Time (ms)", yticks=[4.5, 14.5, 24.5, 34.5], yticklabels=["left", "right", "decide", "background"],
             xlim=(0, x.shape[1]))
    axes.invert_yaxis()
    return figure


# ---- layers -----------------------------------------------------------------------------------------


def digits():
    """Return images of digits with values from 0 to 1, and their labels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.data / 16.0, found.target


def draw_broadcast(cls, plt):
    """Spikes of the readout's pools by the digit that is shown, before and after 1,000 digits were learned."""
    x, y = digits()
    order = np.random.default_rng(10).permutation(len(x))
    learn, test = order[:1000], order[1000:]
    model = cls(64, share=0.1, seed=10)
    figure, found = plt.subplots(1, 2, figsize=(6, 2.7), layout="constrained", sharey=True)
    for axes, passes in zip(found, (1, 4), strict=True):
        model.fit(x[learn], y[learn], epochs=passes - model.passes)
        counts = model.counts(x[test])
        mean = np.array([counts[y[test] == digit].mean(axis=0) for digit in range(10)])
        image = axes.imshow(mean, cmap="viridis", vmin=0, vmax=100)
        axes.set(xlabel="Pool of the readout", title=f"after pass {passes}", xticks=range(0, 10, 2),
                 yticks=range(0, 10, 2))
        axes.title.set_fontsize("small")
    figure.colorbar(image, ax=found, label="Spikes")
    found[0].set_ylabel("Digit shown")
    return figure


def draw_competition(cls, plt):
    """Norms of the weights by passes over digits, and what six units have learned."""
    x, _ = digits()
    layer = cls(40, epochs=0).fit(x)
    layer.weights_ *= np.linspace(0.6, 1.6, 40)[:, None]  # not where the rule rests
    norms = [np.linalg.norm(layer.weights_, axis=1)]
    for _ in range(30):
        norms.append(np.linalg.norm(layer.partial_fit(x).weights_, axis=1))
    figure = plt.figure(figsize=(6, 2.4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1.2, 1])
    axes = left.subplots()
    axes.plot(norms, color=COLORS[0], linewidth=0.6)
    axes.set(xlabel="Pass", ylabel="Norm of a unit's weights", ylim=(0, 1.8))
    axes.spines[["top", "right"]].set_visible(False)
    for panel, weights in zip(right.subplots(2, 3).flat, layer.weights_, strict=False):
        panel.imshow(weights.reshape(8, 8), cmap="Greys")
        panel.set(xticks=[], yticks=[])
    return figure


def draw_adaptation(cls, plt):
    """How unsure the readout is while the layer sees digits with broken pixels, and the gains at the end."""
    x, y = digits()
    broken = x.copy()
    broken[:, ::6] = np.random.default_rng(0).random((len(x), 11)) < 0.5
    figure, (left, right) = panels(plt, 1, 2)
    for color, (label, how) in zip(COLORS, {"gains and layer": {}, "layer alone": {"rate": 0.0}}.items(), strict=False):
        model = cls(rules.SoftHebb(100), epochs=1, **how).fit(x[:900], y[:900])
        entropy = [model.entropy(broken[900:])]
        for _ in range(6):
            entropy.append(model.adapt(broken[900:]).entropy(broken[900:]))
        left.plot(entropy, "o-", color=color, markersize=4, label=label)
        if not how:
            right.plot(np.sort(model.gains_), color=color)
    left.set(xlabel="Pass", ylabel="Entropy (nats)", ylim=(0, None))
    right.axhline(1.0, color="0.6", linestyle=":")
    right.set(xlabel="Unit, sorted", ylabel="Gain")
    legend(left)
    return figure


def draw_subspace(cls, plt):
    """The share of the samples that rows hold, by batches, for two tasks one after the other."""
    rng = np.random.default_rng(1)
    tasks = [rng.standard_normal((30, 4)) @ np.diag([3.0, 2.0, 1.5, 1.0]) for _ in range(2)]
    figure, (axes,) = panels(plt)
    online = cls is rules.HebbianSubspace
    space, first = cls(30, rate=0.002) if online else cls(30), 0
    for task in tasks:
        space.grow(4)
        shares = []
        for _ in range(60):
            x = rng.standard_normal((50, 4)) @ task.T + 0.3 * rng.standard_normal((50, 30))
            space.learn(x)
            shares.append([space.captured(rng.standard_normal((200, 4)) @ each.T) for each in tasks])
        space.freeze()
        shares.append([space.captured(rng.standard_normal((200, 4)) @ each.T) for each in tasks])
        axes.axvline(first, color="0.6", linestyle=":")
        for k, share in enumerate(np.transpose(shares)):
            axes.plot(first + np.arange(1, 62), share, color=COLORS[k], label=f"task {k + 1}" if first == 0 else None)
        first += 60
    axes.set(xlabel="Batch", ylabel="Share of a task's inputs\nthat the rows hold", ylim=(0, 1.05))
    legend(axes, loc="lower right" if online else "upper left")
    return figure


# ---- structure --------------------------------------------------------------------------------------


def draw_mask(cls, plt):
    """Which of 40 sources meet which of 40 targets."""
    figure, axes = plt.subplots(figsize=(3.2, 3.2), layout="constrained")
    axes.imshow(cls(groups=4, p_in=0.6, p_out=0.05).mask(40, 40, seed=1), cmap="Greys", interpolation="nearest")
    axes.set(xlabel="Target neuron", ylabel="Source neuron")
    return figure


def draw_turnover(cls, plt):
    """Synapses before and after some turns, where sources and targets of one number are active together."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((300, 30))
    x, y = (shared + rng.standard_normal(shared.shape) for _ in range(2))
    weights = np.where(rng.random((30, 30)) < 0.1, rng.uniform(0.0, 0.2, (30, 30)), 0.0)
    figure, found = plt.subplots(1, 2, figsize=(6, 3.0), layout="constrained", sharey=True)
    for axes, turns in zip(found, (0, 6), strict=True):
        for turn in range(turns):
            weights = cls(fraction=0.1, weight=0.2, grow="positive").rewire(weights, x, y, seed=turn)
        axes.imshow(weights > 0, cmap="Greys", interpolation="nearest")
        axes.set(xlabel="Target neuron", title=f"after {turns} turns" if turns else "before")
        axes.title.set_fontsize("small")
    found[0].set_ylabel("Source neuron")
    return figure


def draw_segment(cls, plt):
    """How probable it is that a segment knows what is left of its pattern: formula, and trials."""
    rng, kept = np.random.default_rng(0), np.arange(8, 41)
    pattern = np.arange(1000) < 40
    figure, (axes,) = panels(plt)
    for color, threshold in zip(COLORS, (8, 10, 14), strict=False):
        dendrites = cls(synapses=20, threshold=threshold)
        axes.plot(kept, [dendrites.recognised(40, k) for k in kept], color=color, label=f"threshold = {threshold}")
        segments = dendrites.segments(np.tile(pattern, (50, 1)), seed=1)
        for k in kept[::4]:
            left = np.zeros((20, 1000), bool)
            for row in left:
                row[rng.permutation(40)[:k]] = True
            axes.plot(k, dendrites.active(segments, left).mean(), "o", color=color, markersize=4)
    axes.set(xlabel="Inputs that are left, of 40", ylabel="Segment is active")
    legend(axes)
    return figure


# ---- the table --------------------------------------------------------------------------------------

VALLEY = "The way from the right down a valley that is a hundred times steeper across than along, 60 steps"
SHARES = ("Share of the inputs of two tasks that the rows hold: four rows learn the first, and are frozen; four more "
          "learn the second")
PICTURES = {
    "Force": Picture(draw_force, "Output of 300 neurons before, while (shaded) and after they are taught a sine; grey: "
                                 "the sine."),
    "LeastMeanSquares": Picture(draw_regression, "Weights of five features, sample after sample; dotted: what the "
                                                 "samples were made with."),
    "WhatAndWhen": Picture(draw_expectation, "What is expected in a trial, before and after a change: a stimulus that "
                                             "came at step 30 in 8 of 10 trials comes at step 18 in 4 of 10 (dotted)."),
    "Eprop": Picture(draw_eprop, "Left: error of a pattern, by the way in which errors reach the neurons. Right: the "
                                 "output after 200 trials, symmetric; dotted: the pattern."),
    "GradientDescent": pictured(draw_descent, f"{VALLEY}.", rates=(0.0195, 0.008)),
    "Adam": pictured(draw_descent, f"{VALLEY}.", rates=(0.1, 0.03)),
    "EvidenceAccumulation": Picture(draw_task, "Spikes of the inputs in one trial: cues, a pause, and the signal to "
                                               "decide."),
    "BroadcastClassifier": Picture(draw_broadcast, "Mean spikes of each class's pool for digits that were not learned, "
                                                   "after one pass over 1,000 others and after four."),
    "SoftHebb": Picture(draw_competition, "Norms of the weights of 40 units, which were begun at other norms than 1, "
                                          "while they see digits; weights of six units at the end."),
    "NeuroModulatedHebb": Picture(draw_adaptation, "Left: how unsure the readout is of digits with broken pixels, "
                                                   "while the layer adapts without labels. Right: gains of the units "
                                                   "then."),
    "HebbianSubspace": Picture(draw_subspace, f"{SHARES}."),
    "PrincipalSubspace": Picture(draw_subspace, f"{SHARES}. They appear when they are frozen."),
    "BlockMask": Picture(draw_mask, "Which of 40 sources meet which of 40 targets, BlockMask(groups=4, p_in=0.6, "
                                    "p_out=0.05)."),
    "Rewiring": Picture(draw_turnover, "Synapses before and after six turns, where each source is active together with "
                                       "the target of its number."),
    "ActiveDendrites": Picture(draw_segment, "Probability that a segment of 20 synapses knows a pattern of which a "
                                             "part is left: lines by `recognised`, dots in 1,000 trials."),
}
