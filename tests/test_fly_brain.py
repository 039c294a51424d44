"""The brain of a fly: files of connectomes, the network that they make, screens as one batch."""

import gzip
import math

import numpy as np
import pytest

import neurosim as ns
from neurosim.datasets import SIGNS, Connectome, random_connectome, read_flywire
from neurosim.reservoirs import fly_brain

pd = pytest.importorskip("pandas", reason="pandas is not installed; it comes with the extra: pip install -e "
                                          "'.[connectome]'")
A, B, C = 720575940600000001, 720575940600000003, 720575940600000007
ROWS = [(A, C, "AL_R", 12, "ACH"), (C, A, "AL_R", 7, "GABA"), (A, C, "MB_L", 3, "ACH"), (C, B, "MB_L", 5, "GABA")]
HEAD = "pre_root_id,post_root_id,neuropil,syn_count,nt_type\n"


def codex(path, rows=ROWS):
    text = HEAD + "".join(",".join(map(str, row)) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def shiu(folder, rows=((0, 2, 15), (2, 0, -7), (2, 1, -5)), ids=(A, B, C)):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed; it comes with the extra: pip install -e "
                                          "'.[connectome]'")
    table = pd.DataFrame(rows, columns=["Presynaptic_Index", "Postsynaptic_Index", "Excitatory x Connectivity"])
    table.to_parquet(folder / "Connectivity_783.parquet")
    (folder / "Completeness_783.csv").write_text(",Completed\n" + "".join(f"{each},True\n" for each in ids))
    return folder / "Connectivity_783.parquet"


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_connections_of_codex(tmp_path, suffix):
    found = read_flywire(codex(tmp_path / f"connections{suffix}"))
    assert found.ids.tolist() == [A, B, C] and repr(found) == "<connectome of 3 neurons, 3 connections, 27 synapses>"
    assert np.stack([found.source, found.target, found.count]).T.tolist() == [[0, 2, 15], [2, 0, -7], [2, 1, -5]]


def test_the_table_of_the_model_is_the_same_connectome(tmp_path):
    one, other = read_flywire(shiu(tmp_path)), read_flywire(codex(tmp_path / "connections.csv"))
    for name in ("ids", "source", "target", "count"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_neurons_without_a_connection_are_listed(tmp_path):
    listed = tmp_path / "neurons.csv"
    listed.write_text(f"root_id,group\n{C},x\n{A},y\n{B},z\n{A + 1},w\n")
    found = read_flywire(codex(tmp_path / "connections.csv"), neurons=listed)
    assert found.ids.tolist() == [C, A, B, A + 1]
    assert sorted(zip(found.ids[found.source], found.ids[found.target], strict=True)) == [(A, C), (C, A), (C, B)]


def damaged(folder):
    """Return, by name, what makes a file that is refused, and what is said."""
    def cut(path, keep):
        path.write_bytes(path.read_bytes()[:keep])
        return path

    def unlisted():
        listed = folder / "few.csv"
        listed.write_text(f"root_id\n{A}\n{B}\n")
        return {"path": codex(folder / "connections.csv"), "neurons": listed}

    return {
        "gz": (lambda: {"path": cut(codex(folder / "c.csv.gz", ROWS * 500), 60)}, "cut short, damaged or not a table"),
        "parquet": (lambda: {"path": cut(shiu(folder), -40)}, "cut short, damaged or not a table"),
        "line": (lambda: {"path": cut(codex(folder / "c.csv"), -8)}, "signs must have a sign|line 5 has nan"),
        "columns": (lambda: {"path": shiu(folder).with_name("Completeness_783.csv")},
                    "must have the columns pre_root_id"),
        "list": (lambda: {"path": shiu(folder, ids=(A, B))}, "numbers neurons up to 2, but .* lists 2"),
        "unlisted": (unlisted, f"names neuron {C}, which is not in the list"),
        "missing": (lambda: {"path": folder / "none.csv"}, "there is none of that name"),
    }


@pytest.mark.parametrize("kind", ["gz", "parquet", "line", "columns", "list", "unlisted", "missing"])
def test_a_file_that_is_cut_short_or_another_is_told(tmp_path, kind):
    make, sentence = damaged(tmp_path)[kind]
    with pytest.raises(ns.NeurosimError, match=sentence):
        read_flywire(**make())


def test_a_transmitter_without_a_sign_is_told(tmp_path):
    path = codex(tmp_path / "c.csv", [*ROWS, (B, A, "AL_R", 4, "")])
    with pytest.raises(ns.ParameterError, match="1 connections have ''"):
        read_flywire(path)
    assert read_flywire(path, signs={**SIGNS, "": 1}).count.sum() == 15 - 7 - 5 + 4


def test_a_random_connectome_has_the_published_counts():
    found = random_connectome(20_000, seed=3)
    assert len(found.ids) == 20_000 and len(found.source) == round(20_000 * 15_091_983 / 138_639)
    assert 3.4 < np.abs(found.count).mean() < 3.8 and 1 <= np.abs(found.count).min() < np.abs(found.count).max() <= 2000
    degrees = np.bincount(found.source, minlength=20_000)
    share = np.bincount(found.source, weights=found.count < 0)[degrees > 0] / degrees[degrees > 0]
    assert set(share) == {0.0, 1.0} and 0.28 < share.mean() < 0.32  # a neuron excites or inhibits


@pytest.mark.parametrize("side", ["source", "target"])
def test_degrees_of_a_random_connectome_have_heavy_tails(side):
    neurons, many = 20_000, 2_000_000
    degrees = np.bincount(getattr(random_connectome(neurons, many, seed=3), side), minlength=neurons)
    assert degrees.sum() == many
    for share, z in ((0.5, 0.0), (0.9, 1.2816), (0.99, 2.3263)):  # of a log-normal number with the mean 100
        assert np.quantile(degrees, share) == pytest.approx(100 * math.exp(1.2 * z - 0.72), rel=0.1)
    even = np.bincount(getattr(random_connectome(neurons, many, spread=0.0, seed=3), side), minlength=neurons)
    assert even.var() == pytest.approx(100, rel=0.05) and even.max() < 160  # Poisson numbers


def test_a_random_connectome_depends_on_its_seed_alone():
    one, same, other = (random_connectome(100, 2000, seed=seed, inhibitory=0.0) for seed in (1, 1, 2))
    for name in ("ids", "source", "target", "count"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
    assert (one.count > 0).all() and (one.target != other.target).any()
    net = fly_brain(one)
    made = ns.resolve(net, dt=0.1, seed=0).projections["connections"]
    assert len(made.source) == 2000 and made.values["weight"].sum() == pytest.approx(0.275 * one.count.sum(), rel=1e-6)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"neurons": 0}, "random_connectome.neurons must be a whole number >= 1"),
    ({"connections": -1}, "random_connectome.connections must be a whole number >= 0"),
    ({"connections": 2.5}, "random_connectome.connections must be a whole number >= 0"),
    ({"spread": -0.1}, "random_connectome.spread must be a finite number >= 0"),
    ({"inhibitory": 1.1}, "random_connectome.inhibitory must be a finite number >= 0 and <= 1"),
    ({"seed": -1}, "random_connectome.seed"),
])
def test_what_makes_no_random_connectome_is_told(arguments, message):
    with pytest.raises(ns.ParameterError, match=message):
        random_connectome(**{"neurons": 20, "connections": 40} | arguments)


def test_a_screen_of_silenced_neurons_is_that_of_networks_without_them():
    """A chain 0 -> 1 -> 2: whoever is silenced, what follows is silent; without weights the same."""
    chain = Connectome(np.arange(3), np.array([0, 1]), np.array([1, 2]), np.array([400, 400]))
    net = fly_brain(chain, driven=[0])
    cells = net["neurons"]
    net.drive(cells[[0]], ns.PoissonDrive(rate=100.0, weight=68.75))
    net.record(cells)
    sim = ns.Simulation(net, dt=0.1, seed=1)
    changes = [{}] + [{cells[[k]]: {"v_threshold": 1e3}} for k in range(3)]
    counts = [result.spikes(cells).counts() for result in sim.run_batch(4, 500.0, changes=changes, keys=[5] * 4)]
    assert (counts[0] > 20).all()
    for k in range(3):
        assert np.array_equal(counts[k + 1][:k], counts[0][:k]) and not counts[k + 1][k:].any()


@pytest.mark.parametrize(("arguments", "message"), [
    ({"connectome": "flywire.csv"}, "fly_brain.connectome must have arrays ids, source, target and count"),
    ({"driven": [30]}, "fly_brain.driven must be places of neurons, whole numbers in 0 .. 19"),
    ({"driven": [0.5]}, "fly_brain.driven must be places"), ({"driven": "A"}, "fly_brain.driven must be an array"),
])
def test_what_makes_no_brain_is_told(arguments, message):
    with pytest.raises(ns.ParameterError, match=message):
        fly_brain(**{"connectome": random_connectome(20, 40)} | arguments)
