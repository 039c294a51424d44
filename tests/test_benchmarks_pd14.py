"""The recipe for the microcircuit: its table from known statistics, what a seed gives, and the counters of energy."""

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import pd14  # noqa: E402
from benchmarks.cases import CASES  # noqa: E402
from benchmarks.compare import Settings  # noqa: E402
from benchmarks.energy import Meter  # noqa: E402
from benchmarks.microcircuit_stats import MEASURES  # noqa: E402
from neurosim.reservoirs.named.microcircuit_data import POPULATIONS, RATES  # noqa: E402


def seeds(*shifts):
    """Return statistics of some seeds, the rates of each moved, without any intervals in L23E."""
    made = []
    for shift in shifts:
        made.append({f"{name} {measure}": np.array([1.0, 2.0, 3.0]) + (shift if measure == "rate" else 0.0)
                     for name in POPULATIONS for measure in MEASURES} | {"L23E cv": np.zeros(0)})
    return made


def run_of(**more):
    return {"build": 2.0, "simulate": 5.0, "rates": list(RATES), "memory_mb": 100.0, "joules": None, **more}


def test_the_table_says_means_over_seeds_and_distances_between_them():
    rows = pd14.rows_of(seeds(0.0, 0.5, 10.0))
    first, silent = rows[0], rows[1]
    assert first["population"] == "L23E" and first["reference"] == RATES[0] and first["seeds"] == 3 and first["n"] == 9
    assert first["mean"] == pytest.approx(2.0 + 3.5)
    assert first["std_of_seeds"] == pytest.approx(np.std([0.0, 0.5, 10.0], ddof=1))
    assert first["distance_median"] == 1.0 and first["distance_most"] == 1.0  # 1/3 between the first two, else 1
    assert silent["mean"] is None and silent["distance_median"] is None and silent["n"] == 0
    case, settings = CASES["microcircuit"], Settings(seeds=2, threads=(1, 2))
    text = pd14.markdown(pd14.summary(case, [run_of(), run_of(simulate=20.0)], settings), rows)
    assert "2 seeds of 10 s after 0.5 s, 100 % of the network, poisson background, 2 threads" in text
    assert "1.25 of real time (0.50 to 2.00)" in text and " J " not in text and "RAPL" not in text
    assert "| L23E | 5.500 (5.635) | 0.903 |  | 2.0000 (0.0000) | 1.000 (1.000) |  | 0.000 (0.000) |" in text
    read = list(csv.DictReader(io.StringIO(pd14.comma_separated(rows))))
    assert len(read) == 24 and float(read[0]["mean"]) == first["mean"] and read[1]["mean"] == ""


def test_one_seed_has_neither_spread_nor_distance():
    rows = pd14.rows_of(seeds(0.0))
    assert rows[0]["std_of_seeds"] is None and rows[0]["distance_most"] is None
    assert "| L23I | 2.000 | 2.965 | 2.000 | 2.0000 |  |  |  |" in pd14.markdown(
        pd14.summary(CASES["microcircuit"], [run_of()], Settings(seeds=1)), rows)


def test_energy_is_told_where_all_seeds_have_it():
    case = CASES["microcircuit"]
    told = pd14.summary(case, [run_of(joules=100.0), run_of(joules=300.0)], Settings(seeds=2))
    assert told["joules_per_s"] == pytest.approx(20.0)
    assert told["uj_per_event"] == pytest.approx(200e6 / case.events(RATES, case.run))
    assert "20.0 J a simulated second" in pd14.markdown(told, pd14.rows_of(seeds(0.0, 1.0)))
    assert "joules_per_s" not in pd14.summary(case, [run_of(joules=100.0), run_of()], Settings(seeds=2))


def counter(folder, name, label, value, most=10_000_000):
    zone = folder / name
    zone.mkdir()
    for file, text in (("name", label), ("energy_uj", value), ("max_energy_range_uj", most)):
        (zone / file).write_text(f"{text}\n")
    return zone / "energy_uj"


def test_counters_of_packages_and_memory_are_added_also_where_they_begin_anew(tmp_path):
    package = counter(tmp_path, "intel-rapl:0", "package-0", 9_000_000)
    second = counter(tmp_path, "intel-rapl:1", "package-1", 100)
    memory = counter(tmp_path, "intel-rapl:0:1", "dram", 0)
    cores, machine = counter(tmp_path, "intel-rapl:0:0", "core", 0), counter(tmp_path, "intel-rapl:2", "psys", 0)
    with Meter(tmp_path) as meter:
        package.write_text("1000000")  # its range was passed
        second.write_text("500100")
        memory.write_text("250000")
        cores.write_text("5000000")
        machine.write_text("5000000")
    assert meter.joules == pytest.approx(2.0 + 0.5 + 0.25)


def test_there_is_no_energy_where_a_counter_cannot_be_read(tmp_path):
    with Meter(tmp_path / "nowhere") as meter:
        pass
    assert meter.joules is None
    package = counter(tmp_path, "intel-rapl:0", "package-0", 5)
    with Meter(tmp_path) as meter:
        package.unlink()
    assert meter.joules is None


@pytest.mark.filterwarnings("ignore::neurosim.NeurosimWarning")
def test_a_seed_gives_statistics_of_every_population(tmp_path):
    path = tmp_path / "seed.npz"
    result = pd14.one(3, "poisson", 0.02, 0.01, 1, "float32", str(path))
    with np.load(path) as file:
        found = dict(file)
    assert result["simulate"] > 0 and len(result["rates"]) == 8
    for name, rate in zip(POPULATIONS, result["rates"], strict=True):
        assert found[f"{name} rate"].mean() == pytest.approx(rate)
    assert sum(result["rates"]) > 1
