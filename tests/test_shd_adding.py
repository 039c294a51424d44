"""Parts of examples/shd_adding.py: pairs and their sums, the silence between, models of one size and what they keep."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def example(monkeypatch):
    torch = pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    from neurosim import bridge

    monkeypatch.syspath_prepend(str(EXAMPLES))
    return runpy.run_path(str(EXAMPLES / "shd_adding.py"), init_globals={"torch": torch, "bridge": bridge})


def test_sums_are_of_digits_whatever_the_language_and_words_do_not_overlap(example):
    import torch

    labels = np.array([3, 14, 9, 19])  # of SHD's twenty, ten of each language
    chosen, sums = example["pairs"](labels, np.arange(4), 200, np.random.default_rng(1))
    digits = np.array([3, 4, 9, 9])
    assert np.array_equal(sums, digits[chosen[0]] + digits[chosen[1]]) and sums.max() == 18
    x = 1.0 + torch.arange(12.0).reshape(3, 4, 1)
    joined = example["joined"](x, chosen, 100.0, 20.0)
    assert joined.shape == (3 + 5 + 3, 200, 1) and not joined[3:8].any()
    assert torch.equal(joined[:3], x[:, chosen[0]]) and torch.equal(joined[8:], x[:, chosen[1]])


def test_what_is_validated_on_is_not_trained_on(example):
    rows, parts = example["validation"](lambda seed: (np.arange(10, 60), {}))(0)
    (held,) = parts.values()
    assert len(held) == 10 and sorted([*rows, *held]) == list(range(10, 60))


def test_models_are_of_one_size_and_the_elm_keeps_the_first_word_over_a_long_gap(example):
    import torch

    options = SimpleNamespace(memories=20, longest=1500.0, tick=2)
    torch.manual_seed(0)
    made = example["models"](16, options, torch.Generator().manual_seed(0))
    sizes = {kind: sum(each.numel() for each in parameters) for kind, (_, parameters) in made.items()}
    assert sizes["ELM"] == pytest.approx(sizes["LSTM"], rel=0.1)
    words = torch.rand(20, 16, 16, generator=torch.Generator().manual_seed(1))
    kept = {}
    for kind, (told, _) in made.items():
        x = example["joined"](words, np.stack([np.arange(8), np.arange(8, 16)]), 500.0, 20.0).requires_grad_()
        (slope,) = torch.autograd.grad(told(x).square().sum(), x)
        kept[kind] = float(slope[:20].norm() / slope[-20:].norm())
    assert kept["ELM"] > 0.01 and kept["ELM"] > 10.0 * kept["LSTM"]  # before anything is learned
