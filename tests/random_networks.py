"""Random networks of everything there is, and what must not change a bit of them.

A network is a function of its number: models, receptors, releases, rules, devices, connection rules, parts, gap
junctions, drives, in both modes. Models and receptors that belong together are drawn from a table, `RECIPES`, so that
thousands of networks need a few hundred kernels. `python -m benchmarks random-networks` runs thousands of them.
"""

import tempfile
import warnings
from pathlib import Path

import numpy as np
from test_every_device import DEVICES, IMPERFECT
from test_every_model import RECEPTORS, SCHEMES, WEIGHTS
from test_every_rule import RULES, bounds, composed, target_of

import neurosim as ns
from neurosim.engine.planner import Planner
from neurosim.errors import NeurosimWarning, SimulationError

DT, DURATION = 0.5, 24.0
SIZES = (3, 40, 150, 300)  # up to more than two groups of 128, so that three parts share a population
CONNECTIONS = (ns.AllToAll(), ns.FixedProbability(0.1), ns.FixedInDegree(3), ns.FixedOutDegree(3), ns.FixedTotal(400))
RELEASES = (None, ns.TsodyksMarkram(tau_rec=50.0, tau_facil=20.0))
EXACT = (ns.LIF(tau_mem=15.0, t_ref=1.0), ns.LIF(reset="subtract"), ns.AdaptiveLIF(), ns.IntegrateAndFire(),
         ns.Izhikevich(scheme="fine"), ns.QuadraticIF(), ns.LeakyIntegrator())
EXACT_RULES = [cls for cls in RULES if cls.__name__ in ("BCM", "Hebb", "InhibitorySTDP", "Oja", "PairSTDP",
                                                          "SoftWinnerTakeAll", "TripletSTDP")]


def takes(model, receptor) -> bool:
    """Whether a population of the model may have the receptor; nothing is compiled, as all tests are collected so."""
    net = ns.Network()
    net.connect(net.add(ns.Poisson(1.0), 1), net.add(model, 1), weight=0.1, receptor=receptor)
    try:
        Planner(net, DT, seed=0, real=np.float64, parts=1).plan()
    except ns.UnsupportedError:
        return False
    return True


def recipes():
    """A model and the receptors at it, two for each way of computing a model: currents, and what it takes besides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)
        for number, model in enumerate(SCHEMES):
            for conductance in (False, True):
                known = [r for r in RECEPTORS if (r.effect == "conductance") == conductance and takes(model, r)]
                if known:
                    yield model, [known[number % len(known)], known[(number + 1) % len(known)]]


RECIPES = list(recipes())


def given_spikes(rng, size, n=150):
    """Spikes of a source, several of one neuron at one tick among them."""
    return ns.Spikes(ticks=rng.integers(1, round(DURATION / DT) + 1, n), ids=rng.integers(0, size, n), size=size, dt=DT,
                     duration=DURATION)


class Drawing:
    """A network that is being drawn.

    Args:
        number: of the network.
        exact: whether it is for the mode "event".
        recorders: whether more is recorded than its spikes, which must not change anything.
    """

    def __init__(self, number: int, exact: bool, recorders: bool):
        self.rng, self.exact, self.net = np.random.default_rng([number, 7]), exact, ns.Network()
        rng, net = self.rng, self.net
        self.source = net.add(ns.SpikeSource(given_spikes(rng, 50)), name="source")
        self.groups = [self.source, net.add(ns.Poisson(rate=80.0), self.size(), name="noise")]
        for turn in range(rng.integers(1, 4)):
            self.cells(turn)
        for turn in range(rng.integers(0, 2 if exact else 3)):
            self.learning(turn)
        self.junctions()
        for cells in net.populations if recorders else ():
            for variable in ["v"] if exact else net.variables(cells):
                if cells.spiking and hasattr(cells.model, "state"):
                    net.record(cells, variable, every=1.0, ids=[0, cells.size - 1])
        for projection in net.projections if recorders else ():
            net.record(projection, "weight", every=6.0)

    def size(self) -> int:
        """The size of a population."""
        return int(self.rng.choice(SIZES))

    def part(self, cells):
        """A population, or a part of it."""
        if self.rng.random() < 0.7 or cells.size < 4:
            return cells
        low, high = np.sort(self.rng.choice(cells.size + 1, 2, replace=False))
        return cells[int(low):int(high)]

    def rule(self, source, target):
        """A connection rule that two groups of neurons can have."""
        small = min(source.size, target.size) < 4
        return ns.AllToAll() if small else CONNECTIONS[self.rng.integers(len(CONNECTIONS))]

    def delay(self):
        """One delay, or many."""
        return ns.Uniform(DT, 6.0) if self.rng.random() < 0.5 else DT * int(self.rng.integers(1, 9))

    def cells(self, turn) -> None:
        """A population of neurons, what drives it, and its synapses."""
        rng, net = self.rng, self.net
        model, receptors = EXACT[rng.integers(len(EXACT))], [ns.ExponentialCurrent(5.0), ns.AlphaCurrent(3.0)]
        if not self.exact:
            model, receptors = RECIPES[rng.integers(len(RECIPES))]
        if not self.exact and model.spiking and rng.random() < 0.25:
            receptors = [each.replace(refractory="cleared") if hasattr(each, "refractory") else each
                         for each in receptors]
        cells, unitless = net.add(model, self.size(), name=f"cells {turn}"), model.current_unit != "pA"
        mean = rng.uniform(10.0, 25.0) if unitless else rng.uniform(150.0, 1000.0)
        if self.exact:
            receptors = receptors if model.spiking and type(model) is ns.LIF else [ns.Delta()]
            net.drive(cells, ns.StepCurrent(mean, start=DT, stop=20.0))
        else:
            net.drive(cells, (ns.OUCurrent(mean=mean, std=0.1 * mean, tau=5.0), ns.InjectedCurrent(mean),
                              ns.WhiteNoiseCurrent(mean=mean, sigma=0.1 * mean),
                              ns.StepCurrent(mean, start=2.0, stop=20.0))[rng.integers(4)])
        for group in [self.groups[k] for k in rng.choice(len(self.groups), 2)]:
            receptor = receptors[rng.integers(len(receptors))]
            weight = WEIGHTS[receptor.effect] * (0.05 if unitless and receptor.effect != "jump" else 1.0)
            source, target = self.part(group), self.part(cells)
            net.connect(source, target, self.rule(source, target), delay=self.delay(), receptor=receptor,
                        weight=weight if rng.random() < 0.4 else ns.Normal(weight, 0.2 * weight, low=0.0),
                        release=RELEASES[rng.integers(2)])
        if model.spiking:
            net.record(cells)
            self.groups.append(cells)

    def learning(self, turn) -> None:
        """Synapses that learn, on a device where they may."""
        rng, net, classes = self.rng, self.net, EXACT_RULES if self.exact else RULES
        number = int(rng.integers(len(classes)))
        rules = composed(classes[number])
        low, high = bounds(rules)
        model = ns.LIF(tau_mem=20.0, t_ref=2.0, i_bias=220.0) if self.exact else target_of(classes[number])
        cells = net.add(model, self.size(), name=f"taught {turn}")
        signals = {name: self.signal(rules) for rule in rules for name in rule.modulators}
        device = self.device(number, rules) if high <= 1.0 and not self.exact and rng.random() < 0.4 else None
        source, target = self.part(self.source), self.part(cells)
        net.connect(source, target, self.rule(source, target), weight=ns.Uniform(low, high), delay=self.delay(),
                    plasticity=rules, modulators=signals, name=f"learning {turn}", device=device,
                    release=RELEASES[rng.integers(2)] if device is None else None)
        net.record(cells)

    def signal(self, rules):
        """A modulator: spikes, or a variable."""
        names = [each.name for each in self.net.populations]
        if "rewards" not in names:
            rewards = self.net.add(ns.Poisson(rate=60.0), 2, name="rewards")
            level = self.net.add(ns.LeakyIntegrator(tau_mem=30.0, v_leak=1.0), 1, name="level")
            self.net.connect(rewards, level, weight=0.05, delay=DT)
        if any(rule.on_modulator is not None for rule in rules):
            return self.net.population("rewards")
        return self.net.population("level"), "v"

    def device(self, number, rules):
        """One of two devices that a rule is tried on."""
        taken = {name for rule in rules for name in rule.parameters}
        names = [name for name, cls in DEVICES.items() if name != "SFQSynapses" and not taken & set(cls.parameters)]
        name = names[(2 * number + int(self.rng.integers(2))) % len(names)]
        return DEVICES[name](**IMPERFECT[name])

    def junctions(self) -> None:
        """Gap junctions between neurons that may have them."""
        may = [cells for cells in self.net.populations if type(cells.model) is ns.LIF]
        if may and not self.exact and self.rng.random() < 0.3:
            one, other = (may[k] for k in self.rng.integers(len(may), size=2))
            self.net.couple(one, other, ns.FixedProbability(0.02), conductance=0.5)


def seen(sim) -> dict:
    """All that is left of a run: every array of its state, and the spikes."""
    found = {name: array.tobytes() for name, array in sim.state().arrays.items()}
    return found | {cells.name: sim.spikes(cells).fingerprint() for cells in sim.net.populations if is_watched(cells)}


def is_watched(cells) -> bool:
    """Whether the spikes of a population are recorded."""
    return cells.spiking and cells.name.startswith(("cells", "taught"))


def broken(number: int) -> list[str]:
    """Return what changes a bit of a network that must not, as sentences; none if all promises are kept."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore", NeurosimWarning)
        return Promises(number, Path(folder)).broken()


class Promises:
    """A network that is run in one go by one thread, and whatever must come to the same."""

    def __init__(self, number: int, folder: Path):
        self.exact, self.folder, self.found = number % 4 == 3, folder, []
        self.rng = np.random.default_rng([number, 11])
        self.net, self.more = (Drawing(number, self.exact, recorders).net for recorders in (False, True))
        self.settings = {"mode": "event", "seed": number}
        if not self.exact:
            self.settings = {"dt": DT, "seed": number, "dtype": "float64" if number % 5 == 0 else "float32",
                             "packed": number % 3 == 0}

    def simulation(self, net, threads: int = 1):
        """A simulation of one of the two descriptions."""
        return ns.Simulation(net, **self.settings, **({} if self.exact else {"threads": threads}))

    def pieces(self, duration):
        """Some durations that add up to one."""
        ticks = round(duration / DT)
        cuts = np.sort(self.rng.choice(np.arange(1, ticks), min(3, ticks - 1), replace=False))
        return np.diff([0, *cuts, ticks]) * DT

    def go_on(self, sim):
        """Run to the end in pieces."""
        for piece in self.pieces(DURATION - sim.time):
            sim.run(piece)
        return sim

    def same(self, what, sim, right):
        """Note what differs."""
        now = seen(sim)
        wrong = [name for name in right if name not in now or now[name] != right[name]] + [
            name for name in now if name not in right]
        if wrong:
            self.found.append(f"{what}: {', '.join(wrong)}")

    def stops_as(self, sentence) -> list[str]:
        """Say where more threads and recorders do not stop with the same sentence."""
        try:
            self.simulation(self.more, 3).run(DURATION)
        except SimulationError as error:
            return [] if str(error) == sentence else [f"threads and recorders stop otherwise: {error}"]
        return [f"threads and recorders do not stop, one thread does: {sentence}"]

    def broken(self):
        """Try all of them."""
        whole = self.simulation(self.net)
        try:
            whole.run(DURATION)
        except SimulationError as error:  # a published scheme may run away where its input is that strong
            return self.stops_as(str(error))
        right = seen(whole)
        self.same("threads, pieces and recorders", self.go_on(self.simulation(self.more, 3)), right)
        sim, half = self.simulation(self.more, 2), DT * int(self.rng.integers(3, 40))
        sim.run(half)
        sim.save(self.folder / "half.h5")
        state, twin = sim.state(), sim.clone()
        other = {} if self.exact else {"threads": int(self.rng.integers(1, 4))}
        self.same("save and load", self.go_on(ns.Simulation.load(self.folder / "half.h5", self.net, **other)), right)
        self.same("what goes on", self.go_on(sim), right)
        self.same("a clone", self.go_on(twin), right)
        sim.restore(state)
        self.same("restore", self.go_on(sim), right)
        if not self.exact:
            self.rewired(state, right)
            self.samples(sim, state)
        return self.found

    def rewired(self, state, right):
        """The same synapses, laid out anew; those of no bundle, whose place in the order of sums is their own."""
        names = [p.name for p in self.net.projections if p.plasticity or type(p.release) is ns.TsodyksMarkram]
        if self.settings["packed"] or not names:  # packed weights are rounded anew
            return
        sim = self.simulation(self.net)
        sim.restore(state)
        name = names[self.rng.integers(len(names))]
        was = sim.synapses(name)
        pairs = np.unique(np.stack([was.source, was.target, was.delay]), axis=1, return_inverse=True)[1].ravel()
        order = np.argsort(self.rng.random(len(was))[pairs], kind="stable")  # those of one pair and delay stay in order
        later = sim.rewire(name, was.source[order], was.target[order], weight=was.weight[order],
                           delay=was.delay[order], continues=order)
        now = {name: array.tobytes() for name, array in self.go_on(later).state().arrays.items()}
        wrong = [key for key in now if now[key] != right[key]]
        if wrong:
            self.found.append(f"the same synapses of {name!r} anew: {', '.join(wrong)}")

    def samples(self, sim, state):
        """Samples of a batch, and the same shown one after the other in another order."""
        sim.restore(state)
        keys = [int(key) for key in self.rng.choice(1000, 2, replace=False)]
        samples = [given_spikes(self.rng, 50) for _ in keys]
        results = sim.run_batch(samples, 10.0, keys=keys)
        for place in (1, 0):
            sim.restore(state, sample=keys[place])
            sim.give("source", samples[place])
            sim.run(10.0)
            for name in [cells.name for cells in sim.net.populations if is_watched(cells)]:
                alone, shown = sim.spikes(name), results[place].spikes(name)
                later = alone.ticks > state.time
                if not (np.array_equal(alone.ticks[later] - state.time, shown.ticks)
                        and np.array_equal(alone.ids[later], shown.ids)):
                    self.found.append(f"sample {keys[place]} of a batch: {name}")


def parts_of(number: int) -> set[str]:
    """Return the names of what a network is made of."""
    net = Drawing(number, number % 4 == 3, False).net
    parts = {*(cells.model for cells in net.populations), *(drive.drive for drive in net.drives), *net.couplings}
    for p in net.projections:
        parts |= {part for part in (p.receptor, p.rule, p.release, *p.plasticity, p.device) if part is not None}
    return {type(part).__name__ for part in parts} | ({"mode event"} if number % 4 == 3 else {"mode clocked"})
