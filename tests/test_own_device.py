"""Devices of one's own: tables of pulses and error laws, from Python and from files as spreadsheets write them."""

import warnings

import numpy as np
import pytest
from scipy.optimize import nnls

import neurosim as ns
from hardware_models.memristor import CrossbarLayer, MeasuredErrors, MeasuredPulses, Memristor
from hardware_models.memristor.tables import columns_of
from learning_rules import PairSTDP
from neurosim.contracts import Device, Plasticity

UP, DOWN = np.array([5.0, 9.0, 8.0, 12.0, 12.0, 11.5, 15.0]), np.array([15.0, 10.0, 10.0, 6.0, 5.0])
FORMS = {
    "comma": "up,down\n1,9\n2.5,4\n3,\n",
    "no header": "1,9\n2.5,4\n3,\n",
    "semicolons and decimal commas": "Up;Down\n1;9\n2,5;4\n3;\n",
    "tabs": "up\tdown\n1\t9\n2.5\t4\n3\n",
    "spaces": "# measured today\nup down\n\n1 9\n2.5 4\n3\n",
    "byte order mark, no final newline": "\ufeffup,down\r\n1,9\r\n2.5,4\r\n3,",
}


@pytest.mark.parametrize("form", FORMS)
def test_columns_are_read_as_people_write_them(form, tmp_path):
    path = tmp_path / "measured.csv"
    path.write_bytes(FORMS[form].encode())
    up, down = columns_of(path, (0, 1) if form == "no header" else ("up", "down"))
    assert up.tolist() == [1.0, 2.5, 3.0] and down.tolist() == [9.0, 4.0]
    device = MeasuredPulses.from_csv(path, (0, 1), weight_low=0.0)
    assert (device.table_up, device.table_down) == ((1.0, 2.5, 3.0), (9.0, 4.0))


@pytest.mark.parametrize(("text", "columns", "error", "message"), [
    ("up,down\n1,9\n2,x\n", ("up", "down"), ns.FileError, "line 3: column 'down' must be a finite number, got 'x'"),
    ("up,down\n1,9\nnan,3\n", ("up", "down"), ns.FileError, "line 3: column 'up' must be a finite number, got 'nan'"),
    ("up,down\n1,9\n,3\n2,1\n", ("up", "down"), ns.FileError, "line 4: .* got 2 below the empty cell of line 3"),
    ("up,down\n1,9\n", ("up", "dawn"), ns.ParameterError, "column must be one of 'up', 'down', got 'dawn'"),
    ("1,9\n", (0, 2), ns.ParameterError, r"column must be one of 0 .. 1 \(the file names none\), got 2"),
    ("\n# nothing\n", (0, 1), ns.FileError, "must hold columns of numbers, got none"),
])
def test_files_that_do_not_fit_are_refused_with_their_line(text, columns, error, message, tmp_path):
    path = tmp_path / "measured.csv"
    path.write_text(text)
    with pytest.raises(error, match=message):
        columns_of(path, columns)
    with pytest.raises(ns.FileError, match="must be a text file"):
        columns_of(tmp_path / "missing.csv", (0,))
    (tmp_path / "binary").write_bytes(bytes(range(200, 256)))
    with pytest.raises(ns.FileError, match="must be a text file"):
        columns_of(tmp_path / "binary", (0,))


def test_noisy_tables_are_smoothed_on_request_and_it_is_said(tmp_path):
    """Least squares under the order, found by another solver; what was monotonic stays as it is."""
    path = tmp_path / "noisy.csv"
    rows = [f"{u:g},{DOWN[k]:g}" if k < DOWN.size else f"{u:g}," for k, u in enumerate(UP)]
    path.write_text("\n".join(["up,down", *rows]))
    with pytest.raises(ns.ParameterError, match="table_up must rise .* got 8 after 9 at pulse 2, and 1 more"):
        MeasuredPulses.from_csv(path)
    with pytest.warns(ns.NeurosimWarning, match="table_up was made monotonic: 2 of 6 steps went the other way, and "
                                                "values were moved by up to 0.5, 0.05 of the range"):
        device = MeasuredPulses.from_csv(path, smooth=True, weight_low=0.0)
    steps, _ = nnls(np.tril(np.ones((UP.size, UP.size))), UP)
    np.testing.assert_allclose(device.table_up, np.cumsum(steps), rtol=1e-9)
    assert device.table_down == tuple(DOWN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert MeasuredPulses.smoothed(np.sort(UP), DOWN).table_up == tuple(np.sort(UP))


@pytest.mark.parametrize("real", ["float32", "float64"])
def test_level_stretches_are_passed(real):
    """Pulse after pulse along a table with level stretches: arrays and the compiled loop go through all of it."""
    device = MeasuredPulses(table_up=(0.0, 0.3, 0.3, 0.7, 0.7, 1.0), table_down=(1.0, 0.4, 0.4, 0.1, 0.0),
                            weight_low=0.1, weight_high=0.8)
    w, seen = np.array([0.1]), []
    for _ in range(3):
        w = device.pulse(w, 1).astype(real)
        seen.append(round(float((w[0] - 0.1) / 0.7), 5))
    assert seen == [0.3, 0.7, 1.0]
    body, w, seen = device.update, np.float64(0.8), []
    for _ in range(4):
        w = float(np.dtype(real).type(body(w, -0.7 / 4 * 1.0001, 0.0, 0.0, 0.1, 0.8, 0.0)))
        seen.append(round((w - 0.1) / 0.7, 5))
    assert seen == [0.4, 0.1, 0.0, 0.0]


# Errors ---------------------------------------------------------------------------------------------------------------

LEVELS, WRITTEN, READ = (0.0, 4.0, 10.0, 40.0), (0.4, 1.2, 0.6, 2.0), (0.1, 0.2, 0.9, 0.3)


def test_a_table_of_errors_is_met_between_its_levels_and_beyond():
    device = MeasuredErrors.measured(LEVELS, WRITTEN, READ, seed=3)
    assert (device.g_min, device.g_max) == (0.0, 40.0) and hash(device) == hash(device.replace())
    for g in (10.0, 13.0, 25.0, 40.0):
        held = device.program_conductance(np.full(40_000, g), np.random.default_rng(1))
        assert held.std() == pytest.approx(np.interp(g, LEVELS, WRITTEN), rel=0.02)
        read = device.read_conductance(np.full(40_000, g), np.random.default_rng(2))
        assert read.std() == pytest.approx(np.interp(g, LEVELS, READ), rel=0.02)
        w = g / 40.0  # of a pair: the other device is at 0 uS, where half of the noise is cut off
        rest = 0.1**2 * (0.5 - 1 / (2 * np.pi))
        expected = (np.interp(g, LEVELS, READ) ** 2 + rest) / 40.0**2
        assert float(device.read_moments(np.array(w))[1]) == pytest.approx(expected, rel=1e-6)
    beyond = device.programming_std(np, np.array([-1.0, 50.0]), 40.0)
    np.testing.assert_allclose(beyond, [0.4, 2.0], rtol=1e-12)


@pytest.mark.slow
def test_a_law_of_ones_own_acts_in_products_and_in_the_core(tmp_path):
    """The same law as a table in a file and as a formula: sigma = 0.2 + 0.05 G for writing, 0.1 G for reads."""
    class Formula(Memristor):
        @staticmethod
        def programming_std(xp, g, g_max):
            return 0.2 + 0.05 * g

        @staticmethod
        def white_std(xp, g, g_max):
            return 0.1 * g

    path = tmp_path / "errors.csv"
    path.write_text("G (uS),written,read\n0,0.2,0\n50,2.7,5\n")
    table = MeasuredErrors.from_csv(path, ("g (us)", "written", "read"))
    formula = Formula(g_max=50.0, programming_noise=1.0, read_noise=1.0)
    w = np.random.default_rng(0).uniform(-0.6, 0.6, (30, 20))
    np.testing.assert_allclose(table.program(w, np.random.default_rng(1)), formula.program(w, np.random.default_rng(1)),
                               rtol=1e-9, atol=1e-12)
    for one, other in zip(table.read_moments(w), formula.read_moments(w), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-15)
    assert CrossbarLayer(w, table).forward(np.ones((3, 30)), np.random.default_rng(2)).shape == (3, 20)
    found = []
    for device in (table, formula):
        net = ns.Network()
        given = net.add(ns.SpikeSource(ns.Spikes(ticks=np.arange(1, 50), ids=np.arange(49) % 30, size=30, dt=0.1,
                                                 duration=5.0)))
        cells = net.add(ns.LIF(v_threshold=1e9, tau_mem=1e6, v_leak=0.0), 20, initial={"v": 0.0})
        net.connect(given, cells, weight=w, delay=0.1, device=device)
        sim = ns.Simulation(net, dtype="float64")
        sim.run(6.0)
        found.append(sim.get(cells, "v"))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: MeasuredErrors(levels=(0.0, 3.0, 2.0)), "levels must rise, got 2 uS after 3 at number 2"),
    (lambda: MeasuredErrors(levels=(0.0, 3.0), read_sigma=(1.0, -2.0)), "read_sigma must be 2 numbers >= 0 uS"),
    (lambda: MeasuredErrors.measured((0.0, 3.0), (1.0, 2.0, 3.0)), "programming_sigma must be 2 numbers >= 0.*got 3"),
    (lambda: MeasuredErrors.from_csv("x", ("a",)), "columns must be those of conductance"),
    (lambda: MeasuredPulses.smoothed([1.0], [2.0, 1.0]), "table_up must be at least 2 finite numbers"),
])
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ns.ParameterError, match=message):
        make()


class Counting(Device):
    """Counts its updates; the random number that it asks for is not used."""

    @staticmethod
    def update(weight, change, uniform):
        return weight + change + (1.0 if uniform >= 0.0 else 0.0)


class Passing(Plasticity):
    """Does nothing between events, and nothing at them."""

    @staticmethod
    def between(elapsed, weight):
        return weight

    @staticmethod
    def on_source(weight):
        return weight


@pytest.mark.parametrize("times, updates", [([2.0], 3), ([2.0, 2.0], 4), ([2.0, 3.0], 5), ([2.0, 2.0, 3.0, 3.0], 7)])
def test_nothing_passes_between_two_events_of_one_tick(times, updates):
    """An update for each event, one for the time before each tick with events, and one for that before the look."""
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes.from_times(times, np.zeros(len(times), int), size=1, duration=9.0)))
    net.connect(source, net.add(ns.LIF(), 1), weight=0.5, delay=1.0, plasticity=Passing(), device=Counting(), name="p")
    sim = ns.Simulation(net, dt=0.5)
    sim.run(8.0)
    assert sim.weights("p").tolist() == [0.5 + updates]


class Coarse(Device):
    """Goes beyond what a rule asks for."""

    @staticmethod
    def update(weight, change):
        return weight + 3.0 * change


@pytest.mark.slow
def test_weights_that_a_device_holds_beyond_the_bounds_of_a_rule_can_be_set_and_rewired_as_they_are():
    net = ns.Network()
    times = np.arange(2.0, 60.0, 3.0)
    source = net.add(ns.SpikeSource(ns.Spikes.from_times(times, np.zeros(20, int), size=1, duration=70.0)))
    cells = net.add(ns.LIF(i_bias=ns.Uniform(200.0, 400.0)), 20, name="cells")
    rule = PairSTDP(a_plus=0.5, a_minus=0.5, w_max=1.0)
    net.connect(source, cells, weight=0.5, delay=1.0, plasticity=rule, device=Coarse(), name="p")
    sim = ns.Simulation(net, dt=0.5)
    sim.run(60.0)
    weight = sim.weights("p")
    assert weight.min() < 0.0 or weight.max() > 1.0
    sim.set("p", weight=weight)
    later = sim.rewire("p", np.zeros(20, int), np.arange(20), weight=weight, delay=1.0, continues=np.arange(20))
    for each in (sim, later):
        np.testing.assert_array_equal(each.weights("p"), weight)
    for call in (lambda: sim.set("p", weight=weight + 2.0),
                 lambda: sim.rewire("p", np.zeros(20, int), np.arange(20), weight=weight + 2.0, delay=1.0)):
        with pytest.raises(ns.ParameterError, match="weights of 'p' must be within 0 .. 1"):
            call()
