"""Recordings that grow in files: pieces, full disks, processes that die in the middle, damage."""

import errno
import itertools
import os
import shutil

import h5py
import numpy as np
import pytest
from test_files import largest_file

import neurosim as ns
from neurosim import growing
from neurosim.streams import read_trace


def network(folder=None, variable=True):
    net = ns.Network()
    noise, cells = net.add(ns.Poisson(200.0), 30, name="noise"), net.add(ns.LIF(i_bias=150.0), 40, name="cells")
    net.connect(noise, cells, ns.FixedProbability(0.3), weight=1.0, delay=1.0)
    net.record(noise, to=folder and folder / "spikes.h5")
    if variable:
        net.record(cells, "v", ids=[3, 1], every=0.5, to=folder and folder / "v.h5")
    return net


def simulation(folder=None, variable=True):
    return ns.Simulation(network(folder, variable), seed=3)


def same(streamed, sim):
    return streamed.spikes("noise") == sim.spikes("noise") and all(
        np.array_equal(a, b) for a, b in zip(streamed.trace("cells", "v"), sim.trace("cells", "v"), strict=True))


def test_a_full_disk_costs_nothing_that_was_recorded(tmp_path):
    """The run stops with an error; files hold what they held, memory the rest; with room made the run goes on."""
    sim, streamed, path = simulation(), simulation(tmp_path), tmp_path / "spikes.h5"
    sim.run(100.0)
    streamed.run(100.0)
    before, stops = ns.Spikes.load(path), 0
    for more in (100, 3000, 9000):
        with largest_file(max(path.stat().st_size, (tmp_path / "v.h5").stat().st_size) + more):
            with pytest.raises(ns.FileError, match=r"h5 cannot be written: File too large"):
                for _ in range(1000):
                    streamed.run(40.0)
                    before = ns.Spikes.load(path)
            stops += 1
            sim.run(streamed.time - sim.time)
            found, (times, values) = ns.Spikes.load(path), read_trace(tmp_path / "v.h5")
            assert found == sim.spikes("noise").between(0.0, found.stop) and found.stop >= before.stop
            assert np.array_equal(values, sim.trace("cells", "v")[1][:len(times)]) and times[-1] >= before.stop - 0.5
            assert same(streamed, sim) and streamed.time > min(found.stop, times[-1])
        sim.run(25.0)
        streamed.run(25.0)
        assert same(streamed, sim) and ns.Spikes.load(path) == sim.spikes("noise")
    assert stops == 3 and [each.name for each in tmp_path.iterdir() if each.name[0] == "."] == []


def test_a_state_can_be_saved_elsewhere_while_the_disk_of_a_recording_is_full(tmp_path):
    sim, streamed, path = simulation(), simulation(tmp_path), tmp_path / "spikes.h5"
    sim.run(300.0)
    streamed.run(100.0)
    with largest_file(path.stat().st_size + 2000), pytest.raises(ns.FileError, match="File too large"):
        while True:
            streamed.run(20.0)
    waiting = len(streamed.spikes("noise")) - len(ns.Spikes.load(path))
    with largest_file(path.stat().st_size + 2000):
        streamed.save(tmp_path / "state.h5")
        streamed.forget()
    assert waiting > 0 and len(streamed.spikes("noise")) - len(ns.Spikes.load(path)) == waiting
    streamed.run(30.0)  # what waited goes to the file, which the state then finds longer than it was
    for _ in range(2):
        later = ns.Simulation.load(tmp_path / "state.h5", network(tmp_path))
        later.run(300.0 - later.time)
        assert same(later, sim) and ns.Spikes.load(path) == sim.spikes("noise")
    later.restore(ns.Simulation(network(), seed=3).state())
    with pytest.raises(ns.FileError, match="cut or written again since then"):
        ns.Simulation.load(tmp_path / "state.h5", network(tmp_path))


def test_no_room_even_for_a_new_file_leaves_none(tmp_path):
    streamed = simulation(tmp_path)
    with largest_file(100), pytest.raises(ns.FileError, match="cannot be written: File too large"):
        streamed.run(10.0)
    assert list(tmp_path.iterdir()) == [] and streamed.tick == 0
    (tmp_path / "v.h5").mkdir()
    with pytest.raises(ns.FileError, match=r"v\.h5 must not exist"):
        streamed.run(10.0)
    assert [each.name for each in tmp_path.iterdir()] == ["v.h5"]


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("end", [Killed, OSError(errno.EIO, "Input/output error")], ids=["killed", "error"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_an_append_that_stops_anywhere_leaves_a_file_of_before_or_after(tmp_path, monkeypatch, end, share):
    """Every write of an append fails in turn, a part of it done; the file is what it was, and the run goes on."""
    write, sim = growing.write_at, simulation(variable=False)
    sim.run(300.0)
    for stop in itertools.count():
        folder = tmp_path / str(stop)
        folder.mkdir()
        streamed, count = simulation(folder, variable=False), itertools.count()
        streamed.run(170.0)

        def fails(file, data, offset, stop=stop, count=count):
            if next(count) == stop:
                write(file, data[:int(share * len(data))], offset)
                raise end
            write(file, data, offset)

        monkeypatch.setattr(growing, "write_at", fails)
        try:
            streamed.run(60.0)
            break
        except (Killed, ns.FileError):
            pass
        finally:
            monkeypatch.setattr(growing, "write_at", write)
        assert ns.Spikes.load(folder / "spikes.h5") == sim.spikes("noise").between(0.0, 170.0)
        assert streamed.spikes("noise") == sim.spikes("noise").between(0.0, streamed.time)
        streamed.run(300.0 - streamed.time)
        assert ns.Spikes.load(folder / "spikes.h5") == sim.spikes("noise")
        with h5py.File(folder / "spikes.h5", "r") as file:  # what any other reader sees
            assert np.array_equal(file["spikes/ticks"][:], sim.spikes("noise").ticks)
    assert stop > 3


def test_a_piece_costs_what_it_holds(tmp_path, monkeypatch):
    """What is digested at each run does not grow with the file."""
    digest, seen = growing._digest, []
    monkeypatch.setattr(growing, "BLOCK_BYTES", 3000)
    monkeypatch.setattr(growing, "_digest", lambda columns, first, last: seen.append(last - first) or digest(
        columns, first, last))
    streamed, costs = simulation(tmp_path, variable=False), []
    for _ in range(8):
        streamed.run(100.0)
        costs.append(sum(seen))
        seen.clear()
    rows = len(ns.Spikes.load(tmp_path / "spikes.h5"))
    assert rows > 3000 and max(costs) < rows / 8 * 1.3 + 250


def test_tables_of_any_shape_grow_shrink_and_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "BLOCK_BYTES", 5000)
    rng = np.random.default_rng(4)
    for width in ((), (0,), (7,), (3000,)):
        path = tmp_path / f"{width}.h5"
        with growing.h5py().File(path, "w") as file:
            growing.append_rows(file.create_group("table"), {"a": np.zeros(0, np.int64), "b": np.zeros((0, *width))})
        a, b = np.zeros(0, np.int64), np.zeros((0, *width))
        for _ in range(12):
            if rng.random() < 0.3:
                keep = int(rng.integers(0, len(a) + 1))
                a, b = a[:keep], b[:keep]
                with growing.changing(path) as file:
                    growing.keep_rows(file["table"], ("a", "b"), keep)
            else:
                more = int(rng.integers(0, 50))
                new = {"a": rng.integers(0, 9, more), "b": rng.random((more, *width))}
                a, b = np.concatenate([a, new["a"]]), np.concatenate([b, new["b"]])
                with growing.changing(path) as file:
                    growing.append_rows(file["table"], new, now=float(more))
            with growing.looking(path) as file:
                found = growing.read_rows(path, file["table"], ("a", "b"))
            assert (found is None and not len(a)) or (np.array_equal(found[0], a) and np.array_equal(found[1], b))


def test_damage_is_told(tmp_path):
    simulation(tmp_path).run(100.0)
    times, values = read_trace(tmp_path / "v.h5")
    ids = ns.Spikes.load(tmp_path / "spikes.h5").ids
    readers = {"v.h5": read_trace, "spikes.h5": ns.Spikes.load}
    for name, found in (("v.h5", values.tobytes()[:60]), ("v.h5", b"ticks\0"), ("v.h5", b"values\0"),
                        ("spikes.h5", ids.tobytes()[:60]), ("spikes.h5", b"ticks\0"), ("spikes.h5", b"ids\0")):
        raw = bytearray((tmp_path / name).read_bytes())
        raw[raw.find(found) + 1] ^= 1
        (tmp_path / "damaged.h5").write_bytes(raw)
        with pytest.raises(ns.FileError, match=r"damaged\.h5 "):
            readers[name](tmp_path / "damaged.h5")
    for name, group, attribute, value in (("v.h5", "trace", "dt_ms", "x"), ("v.h5", "trace", "dt_ms", 0.2),
                                          ("v.h5", "trace", "rows", 0), ("spikes.h5", "spikes", "size", 31),
                                          ("spikes.h5", "spikes", "duration_ms", 200.0)):
        shutil.copy(tmp_path / name, tmp_path / "edited.h5")
        with h5py.File(tmp_path / "edited.h5", "r+") as file:
            file[group].attrs[attribute] = value
        with pytest.raises(ns.FileError, match=r"edited\.h5 is damaged or was edited"):
            readers[name](tmp_path / "edited.h5")


def test_a_damaged_recording_does_not_go_on(tmp_path):
    streamed = simulation(tmp_path)
    streamed.run(50.0)
    streamed.save(tmp_path / "state.h5")
    with h5py.File(tmp_path / "v.h5", "r+") as file:
        file["trace/values"][3, 1] += 1.0
    with pytest.raises(ns.FileError, match=r"v\.h5 is damaged or was edited"):
        ns.Simulation.load(tmp_path / "state.h5", network(tmp_path))


def test_two_recordings_in_one_file_are_refused_before_anything_is_written(tmp_path):
    net = ns.Network()
    cells = net.add(ns.LIF(), 4, name="cells")
    net.record(cells, to=tmp_path / "one.h5")
    net.record(cells, "v", to=os.path.join(tmp_path, ".", "one.h5"))
    sim = ns.Simulation(net)
    with pytest.raises(ns.FileError, match="one recording, but v of cells and spikes of cells both name it"):
        sim.run(1.0)
    assert list(tmp_path.iterdir()) == [] and sim.tick == 0


def test_the_memory_check_counts_all_recordings():
    net = ns.Network()
    cells = net.add(ns.LIF(), 40, name="cells")
    for part in (cells[:20], cells[20:], cells):
        net.record(part, "v")
    sim = ns.Simulation(net, memory_limit=250_000.0)  # 80, 80 and 160 kB: each fits, all together do not
    with pytest.raises(ns.SimulationError, match="'v' of 'cells' and 2 other recordings for 100 ms needs 0.00034"):
        sim.run(100.0)
    assert sim.tick == 0
    sim.run(50.0)
    with pytest.raises(ns.SimulationError, match="with the 0.000172 GB that are there"):
        sim.run(50.0)
