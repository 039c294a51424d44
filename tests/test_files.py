"""Files are whole or not at all: whatever writes them, on a full disk, and where something special has their name."""

import errno
import os
import stat

import h5py
import numpy as np
import pytest
from full_disk import largest_file

import neurosim as ns
from hardware_models.sfq.pulse import JTL, Circuit, PulseSimulation, write_library, write_vcd
from neurosim import datasets, files
from neurosim.jobs.summary import write_summary


def spikes(n=5000):
    return ns.Spikes(ticks=np.arange(1, n + 1), ids=np.arange(n) % 7, size=7, duration=float(n), dt=1.0)


def events(n=5000):
    return datasets.make_events(t=np.arange(n), x=np.arange(n) % 30, y=np.arange(n) % 20, p=np.arange(n) % 2)


def simulation(**options):
    net = ns.Network()
    net.add(ns.LIF(), 3000)
    return ns.Simulation(net, **options)


def pulses():
    circuit = Circuit("line")
    circuit.output("q", circuit.chain(circuit.input("a"), JTL(), 2))
    sim = PulseSimulation(circuit)
    sim.send(a=np.arange(10.0, 5000.0, 50.0))
    sim.run()
    return sim


WRITERS = {
    "spikes.h5": lambda path: spikes().save(path),
    "spikes.csv": lambda path: spikes().to_csv(path),
    "spikes.npz": lambda path: spikes().to_npz(path),
    "spikes.sonata": lambda path: spikes().to_sonata(path),
    "spikes.vcd": lambda path: spikes().to_vcd(path),
    "state.h5": lambda path: simulation().save(path),
    "exact.h5": lambda path: simulation(mode="event").save(path),
    "events.npy": lambda path: datasets.write_events(events(), path),
    "events.npz": lambda path: datasets.write_events(events(), path),
    "events.csv": lambda path: datasets.write_events(events(), path),
    "events.h5": lambda path: datasets.write_events(events(), path),
    "images.idx": lambda path: datasets.write_idx(np.zeros((9, 28, 28), np.uint8), path),
    "nmnist.bin": lambda path: datasets.write_nmnist(events(), path),
    "shd.h5": lambda path: datasets.write_shd([datasets.make_events(t=np.arange(900), x=np.arange(900) % 700)], [0],
                                                path),
    "cells.json": lambda path: write_library(path, {f"cell{k}": JTL() for k in range(50)}, "made up"),
    "pulses.npz": lambda path: pulses().save(path),
    "pulses.vcd": lambda path: write_vcd(pulses(), path),
    "summary.json": lambda path: write_summary(path.parent, {str(k): k for k in range(2000)}),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_no_regular_file_is_refused_and_stays(name, tmp_path):
    pipe, folder, link = tmp_path / "pipe" / name, tmp_path / "folder" / name, tmp_path / "link" / name
    for path in (pipe, folder, link):
        path.parent.mkdir()
    os.mkfifo(pipe)
    folder.mkdir()
    link.symlink_to(pipe)
    for path, what in ((pipe, "a named pipe"), (folder, "a folder"), (link, "a named pipe")):
        with pytest.raises(ns.FileError, match=f"{name} cannot be written: .* the place of {what}"):
            WRITERS[name](path)
        assert [each.name for each in path.parent.iterdir()] == [name]
    assert stat.S_ISFIFO(pipe.lstat().st_mode) and folder.is_dir() and link.is_symlink()


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_an_error_and_leaves_the_old_file(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](path)
    size = path.stat().st_size
    path.write_bytes(b"before")
    for limit in (0, 100, size // 2, size - 1):
        with largest_file(limit), pytest.raises(ns.FileError, match=f"{name} cannot be written: File too large"):
            WRITERS[name](path)
        assert path.read_bytes() == b"before" and [each.name for each in tmp_path.iterdir()] == [name]
    WRITERS[name](path)  # the process is whole, and so is the file
    assert path.stat().st_size == size


@pytest.mark.parametrize("name", WRITERS)
def test_an_error_at_the_very_end_leaves_the_old_file(name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_bytes(b"before")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ns.FileError, match=f"{name} cannot be written: No space left on device"):
        WRITERS[name](path)
    assert path.read_bytes() == b"before" and [each.name for each in tmp_path.iterdir()] == [name]


def test_devices_are_special_and_what_is_not_there_is_free(tmp_path):
    with pytest.raises(ns.FileError, match="the place of a device"):
        files.check_writable(os.devnull)
    files.check_writable(tmp_path / "new")
    with pytest.raises(ns.FileError, match="Not a directory"):
        (tmp_path / "file").write_text("")
        files.check_writable(tmp_path / "file" / "new")


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to("real.csv")
    spikes().to_csv(tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink() and ns.Spikes.from_csv(tmp_path / "real.csv") == spikes()


def test_an_error_of_the_writer_itself_passes_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), files.whole_hdf5(path) as file:
        file["a"] = np.zeros(10**6)
        file["b"] = 1 / 0
    assert path.read_bytes() == b"before" and [each.name for each in tmp_path.iterdir()] == ["a.h5"]


def test_hdf5_through_pages_is_hdf5(tmp_path):
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 2, int(n)).astype(dtype) for n in 10 ** rng.uniform(0, 5.7, 12)
              for dtype in ("u1", "i8", "f4", "?")]
    with files.whole_hdf5(tmp_path / "a.h5") as file:
        for number, array in enumerate(arrays):
            packed = {"chunks": True, "compression": 1, "fletcher32": True} if number % 5 == 0 else {}
            file.create_dataset(f"{number % 3}/{number}", data=array, **packed)
        lists = file.create_dataset("lists", (20,), dtype=h5py.vlen_dtype(np.float32))
        for number in range(20):
            lists[number] = np.full(number % 2 * 30_000 + number, number)
    with h5py.File(tmp_path / "a.h5", "r") as file:
        for number, array in enumerate(arrays):
            found = file[f"{number % 3}/{number}"]
            assert found.dtype == array.dtype and (found[()] == array).all()
        assert [len(each) for each in file["lists"]] == [number % 2 * 30_000 + number for number in range(20)]
        assert all((each == number).all() for number, each in enumerate(file["lists"]))


@pytest.mark.parametrize("direct", [False, True])
def test_pages_are_a_file(direct, tmp_path):
    """Whatever is written where, they hold what a file in memory holds."""
    import io

    rng, reference = np.random.default_rng(2), io.BytesIO()
    base = rng.bytes(30_000)
    (tmp_path / "base").write_bytes(base)
    reference.write(base)
    with open(tmp_path / "base", "r+b", buffering=0) as raw:
        pages = files.Pages(raw, direct)
        for _ in range(300):
            at, many = int(rng.integers(0, 400_000)), int(10 ** rng.uniform(0, 5.2))
            data = rng.bytes(many)
            for file in (pages, reference):
                file.seek(at)
                file.write(data)
            at = int(rng.integers(0, 500_000))
            pages.seek(at), reference.seek(at)
            assert pages.read(9000) == reference.read(9000)
        if not direct:
            assert (tmp_path / "base").read_bytes() == base
        pages.finish()
    assert (tmp_path / "base").read_bytes() == reference.getvalue()
