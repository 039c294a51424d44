"""Two towers: the loss by hand, retrieval beside chance, classes never seen, training that survives a kill."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from sklearn.base import clone  # noqa: E402

from neurosim.bridge import Readout, TwoTowers, retrieval  # noqa: E402
from neurosim.bridge.contrastive import contrastive_loss, pairs  # noqa: E402
from neurosim.errors import FileError, ParameterError  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread_of_torch")


def two_views(n, seed, classes=6):
    """Return states of two kinds that share a code of each class: the code of a class tells what both are like."""
    fixed, rng = np.random.default_rng(0), np.random.default_rng(seed)
    codes, one, other = fixed.normal(size=(classes, 3)), fixed.normal(size=(3, 12)), fixed.normal(size=(3, 9))
    y, z = rng.integers(0, classes, n), rng.integers(0, classes, n - 10)
    A = np.tanh(codes[y] @ one) + 0.2 * rng.normal(size=(n, 12))
    B = np.tanh(codes[z] @ other) + 0.2 * rng.normal(size=(n - 10, 9))
    return A, y, B, z


def test_the_loss_by_hand():
    one, other = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.6, 0.8], [1.0, 0.0]])
    scores = np.array([[0.6, 1.0], [0.8, 0.0]]) / 0.5
    rows = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    columns = scores - np.log(np.exp(scores).sum(0, keepdims=True))
    instance = -0.5 * (np.trace(rows) + np.trace(columns)) / 2
    assert float(contrastive_loss(one, other, temperature=0.5)) == pytest.approx(instance, rel=1e-6)
    assert float(contrastive_loss(one, other, [0, 1], 0.5)) == pytest.approx(instance, rel=1e-6)
    label = -0.5 * (rows.mean(1).sum() + columns.mean(0).sum()) / 2
    assert float(contrastive_loss(one, other, [3, 3], 0.5)) == pytest.approx(label, rel=1e-6)


def test_pairs_are_of_one_class_and_hold_the_larger_set_once():
    a, b = np.array([0, 1, 2, 0, 1]), np.array([2, 1, 0])
    for one, other, column in ((a, b, 0), (b, a, 1)):
        found = pairs(one, other, np.arange(len(one)), np.arange(len(other)), torch.Generator().manual_seed(1))
        assert (one[found[:, 0]] == other[found[:, 1]]).all() and sorted(found[:, column]) == list(range(5))
    with pytest.raises(ParameterError, match="class 1 must be among the samples of both sets"):
        pairs(a, np.array([0, 2]), np.arange(5), np.arange(2), torch.Generator())


def test_two_classes_never_seen_are_right_as_often_as_wrong_over_both_ways_to_name_them():
    """Training does not know their names: exchanged for one kind, what was right is wrong, for any towers at all."""
    A, y, B, z = two_views(300, 3)
    seen, heard = y < 4, z < 4
    towers = TwoTowers(dim=4, max_epochs=2, seed=1).fit(A[seen], y[seen], B[heard], z[heard])
    one = retrieval(towers, A[~seen], y[~seen], B[~heard], z[~heard])
    other = retrieval(towers, A[~seen], y[~seen], B[~heard], 9 - z[~heard])  # 4 and 5 exchanged
    assert set(y[~seen]) == {4, 5}
    assert one.a_to_b + other.a_to_b == pytest.approx(1.0) == one.b_to_a + other.b_to_a


@pytest.mark.parametrize("targets", ["label", "instance"])
def test_classes_find_each_other_unseen_ones_too(targets):
    """What is shared by both kinds is the code of a class, so that codes never seen lie where both towers agree."""
    A, y, B, z = two_views(700, 1, classes=24)
    seen, others = y < 20, z < 20
    towers = TwoTowers(dim=8, targets=targets, hidden=32, max_epochs=60, seed=1).fit(A[seen], y[seen], B[others],
                                                                                     z[others])
    A, y, B, z = two_views(600, 2, classes=24)
    known, unseen = (y < 20, z < 20), (y >= 20, z >= 20)
    found = [retrieval(towers, A[one], y[one], B[other], z[other]) for one, other in (known, unseen)]
    for each, chance in zip(found, (1 / 20, 1 / 4), strict=True):
        assert each.chance_a_to_b == pytest.approx(chance, rel=0.15)
    assert min(found[0].a_to_b, found[0].b_to_a) > 0.5 and min(found[1].a_to_b, found[1].b_to_a) > 0.4, found
    assert "chance" in str(found[0])


def test_without_anything_shared_retrieval_is_at_chance():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 4, 600)
    A, B = rng.normal(size=(600, 10)), rng.normal(size=(600, 10))
    found = retrieval(TwoTowers(max_epochs=20, patience=5).fit(A[:400], y[:400], B[:400], y[:400]), A[400:], y[400:],
                      B[400:], y[400:])
    assert abs(found.a_to_b - found.chance_a_to_b) < 0.1 and abs(found.b_to_a - found.chance_b_to_a) < 0.1


def test_the_same_seed_gives_the_same_towers():
    data = two_views(200, 1)
    state = torch.get_rng_state()
    one, two, other = (TwoTowers(max_epochs=4, seed=seed).fit(*data).embed(data[0], 0) for seed in (3, 3, 4))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert np.allclose(np.linalg.norm(one, axis=1), 1.0) and torch.equal(torch.get_rng_state(), state)
    assert clone(TwoTowers(dim=3, seed=5)).get_params()["dim"] == 3


# ---------------------------------------------------------------------------------------------------------------------
# Training that is kept
# ---------------------------------------------------------------------------------------------------------------------

KILLED = """
import sys
import numpy as np, torch
torch.set_num_threads(1)
from neurosim.bridge import Readout, TwoTowers
rng = np.random.default_rng(1)
X, y = rng.normal(size=(600, 10)), rng.integers(0, 3, 600)
options = {"max_epochs": 12, "patience": 12, "batch_size": 4, "checkpoint": sys.argv[2] or None}
if sys.argv[1] == "Readout":
    np.save(sys.argv[3], Readout(hidden=32, **options).fit(X, y).decision_function(X[:50]))
else:
    np.save(sys.argv[3], TwoTowers(dim=8, **options).fit(X, y, X[:, ::-1], y).embed(X[:50], 0))
"""


@pytest.mark.parametrize("kind", ["Readout", "TwoTowers"])
def test_a_training_that_was_killed_goes_on_to_the_same_end(kind, tmp_path, monkeypatch):
    def arguments(checkpoint, out):
        return ["-c", kind, str(checkpoint), str(tmp_path / out)]

    kept = tmp_path / "kept"
    process = subprocess.Popen([sys.executable, "-c", KILLED, *arguments(kept, "killed.npy")[1:]])
    deadline = time.time() + 300
    while not list(kept.glob("*.pt")) and time.time() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL and not (tmp_path / "killed.npy").exists()
    (path,) = kept.glob("*.pt")
    assert 0 < torch.load(path, weights_only=True)["n_epochs"] < 12
    for checkpoint, out in ((kept, "again.npy"), ("", "whole.npy")):
        monkeypatch.setattr(sys, "argv", arguments(checkpoint, out))
        exec(KILLED, {})
    assert np.array_equal(np.load(tmp_path / "again.npy"), np.load(tmp_path / "whole.npy"))


def test_what_is_kept_belongs_to_its_data_and_parameters(tmp_path):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)), np.arange(60) % 2
    kept = Readout(max_epochs=3, checkpoint=str(tmp_path)).fit(X, y)
    again = Readout(max_epochs=3, checkpoint=tmp_path).fit(X, y)
    assert len(list(tmp_path.glob("*.pt"))) == 1 and np.array_equal(kept.predict_proba(X), again.predict_proba(X))
    for other in ({"seed": 1}, {"hidden": 3}):
        Readout(max_epochs=3, checkpoint=tmp_path, **other).fit(X, y)
    Readout(max_epochs=3, checkpoint=tmp_path).fit(X + 1.0, y)
    assert len(list(tmp_path.glob("*.pt"))) == 4
    for path in tmp_path.glob("*.pt"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FileError, match="is not a training that was kept or is damaged"):
        Readout(max_epochs=3, checkpoint=tmp_path).fit(X, y)


DATA = two_views(60, 1, classes=2)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: TwoTowers(targets="clip").fit(*DATA), "TwoTowers.targets must be 'label' or 'instance', got 'clip'"),
    (lambda: TwoTowers(temperature=0.0).fit(*DATA), "TwoTowers.temperature must be a finite number > 0"),
    (lambda: TwoTowers(batch_size=1).fit(*DATA), "TwoTowers.batch_size must be a whole number >= 2, got 1"),
    (lambda: TwoTowers().fit(DATA[0], DATA[1][:5], *DATA[2:]), "labels of A must be one for each of its 60 samples"),
    (lambda: TwoTowers().fit(DATA[0], DATA[1], DATA[2], DATA[3] + 1), "the same two classes or more in both sets"),
    (lambda: TwoTowers(max_epochs=1).fit(*DATA).embed(DATA[0], 2), "tower must be 0 or 1, got 2"),
    (lambda: TwoTowers(max_epochs=1).fit(*DATA).embed(DATA[0], 1), "states of tower 1 must have 9 features, got 12"),
    (lambda: TwoTowers(checkpoint=3).fit(*DATA), "TwoTowers.checkpoint must be the name of a folder, or None, got 3"),
    (lambda: Readout(checkpoint=__file__).fit(DATA[0], DATA[1]), "must be the name of a folder, got that of a file"),
])
def test_bad_input_gets_one_sentence(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
