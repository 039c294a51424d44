"""What a drive injects, recorded: against its formula, in every mode, place and file, whatever the threads."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.contracts import State
from neurosim.sources import Current

DT = 0.1
AMPLITUDES = np.array([10.0, 20.0, 30.0])


class Ramp(Current):
    """A current of one's own: it grows by 2 pA with every tick."""

    state = {"level": State(0.0, "pA", "level")}

    @staticmethod
    def current(level):
        """The level, which grows."""
        return level, level + 2.0


def recorded(drive, ms=4.0, threads=1, mode="clocked", every=None, ids=None, set_to=None, **options):
    """Return a simulation in which a drive acts on the members 1 to 3 of four cells, and the drive."""
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=10.0, r=0.1), 300 if threads > 1 else 4, name="cells")
    where = cells[-3:] if threads > 1 else cells[1:]
    acting = net.drive(where, drive, name="drive")
    net.record(acting, "current", every=every, ids=ids, **options)
    sim = ns.Simulation(net, dt=None if mode == "event" else DT, mode=mode, threads=threads, seed=3)
    sim.run(ms)
    if set_to is not None:
        sim.set(acting, **set_to)
        sim.run(ms)
    return sim, acting


@pytest.mark.parametrize("drive, formula", [
    (ns.InjectedCurrent(AMPLITUDES), lambda t: AMPLITUDES + 0 * t),
    (ns.InjectedCurrent(ns.TimedArray([1.0, 5.0], every=1.5, after="repeat")), lambda t: 1.0 + 4.0 * (t % 3.0 > 1.45)),
    (ns.StepCurrent(AMPLITUDES, start=1.0, stop=2.5), lambda t: AMPLITUDES * ((t > 0.95) & (t < 2.45))),
    (ns.SineCurrent(7.0, frequency=100.0, phase=0.5, offset=2.0),
     lambda t: 2.0 + 7.0 * np.sin(0.2 * np.pi * t + 0.5)),
    (Ramp(), lambda t: 2.0 * t / DT),
])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_recorded_current_is_its_formula_at_the_beginning_of_each_tick(drive, formula, threads):
    sim, acting = recorded(drive, threads=threads)
    times, values = sim.trace(acting, "current")
    assert values.dtype == np.float64 and values.shape == (40, 3)
    np.testing.assert_allclose(times, DT * np.arange(1, 41), atol=1e-12)
    np.testing.assert_allclose(values, np.broadcast_to(formula(times[:, None] - DT), values.shape), atol=1e-9)


def test_what_was_recorded_is_what_the_cells_got():
    net = ns.Network()
    sums = net.add(ns.LIF(tau_mem=1e12, v_leak=0.0, v_threshold=1e6, v_reset=0.0, r=1.0), 5, name="sums")
    for drive in (ns.OUCurrent(mean=1.0, std=20.0, tau=2.0), ns.WhiteNoiseCurrent(mean=0.0, sigma=9.0)):
        net.record(net.drive(sums, drive, name=type(drive).__name__), "current")
    sim = ns.Simulation(net, DT, dtype="float64")
    sim.run(10.0)
    injected = sum(sim.trace(name, "current")[1] for name in ("OUCurrent", "WhiteNoiseCurrent"))
    np.testing.assert_allclose(sim.get(sums, "v") * 1e12 / DT, injected.sum(0), rtol=1e-7)


def test_both_modes_record_the_same_steps():
    for drive in (ns.StepCurrent(5.0, start=1.0, stop=2.0), ns.InjectedCurrent(AMPLITUDES),
                  ns.InjectedCurrent(ns.TimedArray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], every=1.5, after="zero"))):
        clocked, event = (recorded(drive, mode=mode, every=0.5, set_to={"amplitude": 3.0}, ms=3.5)[0]
                          for mode in ("clocked", "event"))
        for one, other in zip(clocked.trace("drive", "current"), event.trace("drive", "current"), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize("mode", ["clocked", "event"])
def test_a_drive_that_is_set_between_runs_is_recorded_as_it_was_set(mode):
    sim, acting = recorded(ns.InjectedCurrent(1.0), mode=mode, every=1.0, set_to={"amplitude": [4.0, 5.0, 6.0]})
    assert sim.trace(acting, "current")[1].tolist() == [[1.0] * 3] * 4 + [[4.0, 5.0, 6.0]] * 4


def test_a_current_written_by_hand_is_recorded():
    sim, acting = recorded(ns.InjectedCurrent(0.0), ms=0.2)
    sim.feed(acting)[:] = [1.0, 2.0, 3.0]
    sim.run(0.2)
    assert sim.trace(acting, "current")[1].tolist() == [[0.0] * 3] * 2 + [[1.0, 2.0, 3.0]] * 2


def test_some_of_the_targets_every_so_many_ticks_in_memory_and_in_a_file(tmp_path):
    kept, _ = recorded(ns.OUCurrent(mean=0.0, std=1.0, tau=5.0), every=0.5, ids=[2, 0])
    streamed, _ = recorded(ns.OUCurrent(mean=0.0, std=1.0, tau=5.0), every=0.5, ids=[2, 0], to=tmp_path / "i.h5")
    full, _ = recorded(ns.OUCurrent(mean=0.0, std=1.0, tau=5.0))
    times, values = kept.trace("drive", "current")
    assert times.tolist() == [0.5 * k for k in range(1, 9)]
    assert np.array_equal(values, full.trace("drive", "current")[1][4::5][:, [2, 0]])
    for found in (streamed.trace("drive", "current"), ns.read_trace(tmp_path / "i.h5")):
        assert np.array_equal(found[0], times) and np.array_equal(found[1], values)


def test_a_recording_changes_no_state_and_survives_what_a_run_survives(tmp_path):
    drive = ns.OUCurrent(mean=0.0, std=100.0, tau=5.0)
    sim, acting = recorded(drive)
    silent = ns.Network()
    cells = silent.add(ns.LIF(tau_mem=10.0, r=0.1), 4, name="cells")
    silent.drive(cells[1:], drive, name="drive")
    other = ns.Simulation(silent, DT, seed=3)
    other.restore(sim.state())
    assert np.array_equal(other.get("cells", "v"), sim.get("cells", "v"))
    sim.save(tmp_path / "state.h5")
    twin, again = sim.clone(), ns.Simulation.load(tmp_path / "state.h5", sim.net)
    state = sim.state()
    for each in (sim, twin, again):
        each.run(1.0)
    sim.restore(state)
    sim.run(1.0)
    want = sim.trace(acting, "current")[1]
    assert len(want) == 50
    assert all(np.array_equal(each.trace("drive", "current")[1], want) for each in (twin, again))


def test_samples_of_a_batch_record_their_own_noise():
    sim, acting = recorded(ns.OUCurrent(mean=0.0, std=1.0, tau=5.0))
    one, two = sim.run_batch(2, 3.0)
    np.testing.assert_allclose(one.trace(acting, "current")[0], DT * np.arange(1, 31))
    assert np.array_equal(sim.run_batch(2, 3.0)[1].trace("drive", "current")[1], two.trace(acting, "current")[1])
    assert not np.array_equal(one.trace("drive", "current")[1], two.trace("drive", "current")[1])


def test_a_summary_and_exports_name_it():
    pytest.importorskip("neo")
    sim, _ = recorded(ns.InjectedCurrent(AMPLITUDES))
    assert "recorded: current of drive" in str(sim.net)
    signal, = sim.to_neo().segments[0].analogsignals
    assert signal.name == "drive current" and str(signal.dimensionality) == "pA"
    assert signal.magnitude[-1].tolist() == AMPLITUDES.tolist()


def test_what_has_no_current_is_refused_with_what_to_do():
    net = ns.Network()
    cells = net.add(ns.LIF(), 3, name="cells")
    events = net.drive(cells, ns.PoissonDrive(rate=10.0, weight=1.0), name="events")
    current = net.drive(cells, ns.InjectedCurrent(1.0), name="current")
    for wrong in ("current", "spikes"):
        with pytest.raises(ns.UnsupportedError, match="its events are added up where they arrive; add a population"):
            net.record(events, wrong)
    with pytest.raises(ns.ParameterError, match="variable of 'current' must be one of current, got 'spikes'"):
        net.record(current)
    with pytest.raises(ns.NetworkError, match="must belong to this network"):
        ns.Network().record(current, "current")
    with pytest.raises(ns.ParameterError, match="ids must be different neuron numbers in 0 .. 2"):
        net.record(current, "current", ids=[3])
    sim = ns.Simulation(net)
    with pytest.raises(ns.ParameterError, match="variable of 'current' must be one of current, got 'v'"):
        sim.trace("current")
    with pytest.raises(ns.NetworkError, match=r"must be recorded before it can be read; call net.record\(drive, 'cur"):
        sim.trace("current", "current")
    net.record(current, "current")
    with pytest.raises(ns.NetworkError, match="recorded already"):
        net.record("current", "current")
    with pytest.raises(ns.UnsupportedError, match="record it in neurosim"):
        from neurosim.backends.handing import hand_over

        hand_over(net, 10.0, 0.1, 0, "NEST", "same")
    with pytest.raises(ns.UnsupportedError, match="every="):
        ns.Simulation(net, mode="event")


@pytest.mark.parametrize("after", ["hold", "repeat", "zero"])
def test_a_number_takes_the_place_of_values_that_changed_in_time(after):
    sim, acting = recorded(ns.InjectedCurrent(ns.TimedArray([1.0, 2.0], every=1.0, after=after)), set_to={
        "amplitude": 7.0})
    assert (sim.trace(acting, "current")[1][40:] == 7.0).all()
