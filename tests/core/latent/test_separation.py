"""Separation: measured on codes that the difference of means was not fitted to, with an honest error."""

import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vae_core.latent.directions import difference
from vae_core.latent.separation import SMALLEST_GROUP, measure_separation, why_no_separation
from vae_core.reference.reference_set import Reference

PRETRAINED = Path(__file__).resolve().parents[3] / "pretrained"


def random_codes(count: int, latent: int = 7, *, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    """Draws from N(0, I), moved by `shift` along the first dimension."""
    codes = np.random.default_rng(seed).standard_normal((count, latent), dtype=np.float32)
    codes[:, 0] += shift
    return codes


def test_on_noise_the_held_out_separation_is_chance_where_that_on_the_fitted_codes_is_not() -> None:
    found, in_sample = [], []
    for seed in range(12):
        a, b = random_codes(100, 128, seed=2 * seed), random_codes(100, 128, seed=2 * seed + 1)
        made = difference("noise", a, b)
        assert made.separation is not None
        found.append(made.separation.auroc)
        in_sample.append(roc_auc_score(np.arange(200) >= 100, made.project(np.concatenate([a, b]))))
    assert min(in_sample) > 0.8
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)
    assert max(found) < 0.7


def test_the_error_is_about_what_the_separation_varies_by() -> None:
    measured = [
        measure_separation(random_codes(30, seed=2 * draw), random_codes(20, seed=2 * draw + 1, shift=0.8))
        for draw in range(60)
    ]
    aurocs, errors = (np.array([getattr(each, name) for each in measured]) for name in ("auroc", "auroc_error"))
    assert 0.85 * aurocs.std() < errors.mean() < 1.5 * aurocs.std()


def test_groups_that_differ_much_separate_in_full_and_yet_with_an_error() -> None:
    separation = measure_separation(random_codes(10), random_codes(12, seed=1, shift=50))
    assert separation is not None
    assert (separation.auroc, separation.count_a, separation.count_b) == (1, 10, 12)
    assert 0.01 < separation.auroc_error < 0.1


def test_the_error_is_that_of_hanley_and_mcneil_for_folds_that_share_training_codes() -> None:
    # Groups of one code each: every step is zero, every rank a tie, the AUROC 1/2, where Q1 = Q2 = 1/3. In folds of
    # 4 and 6 codes the variance is (1/4 + 3 (1/3 - 1/4) + 5 (1/3 - 1/4)) / 24 = 11/288; five folds: (1/5 + 1/4) of it.
    codes = np.ones((30, 2), np.float32)
    separation = measure_separation(codes[:20], codes)
    assert separation is not None
    assert separation.auroc == 0.5
    assert separation.auroc_error == pytest.approx(math.sqrt(11 / 288 * 0.45))


def test_the_larger_group_counts_where_the_formula_says() -> None:
    # All of A's codes lie below all but one of B's: few codes of B make the AUROC less certain than few of A.
    low, high = np.linspace(-1, 0, 50)[:, None], np.linspace(1, 2, 10)[:, None]
    high[0] = -2
    few_in_b = measure_separation(low, high)
    few_in_a = measure_separation(-high, -low)
    assert few_in_b is not None
    assert few_in_a is not None
    assert few_in_b.auroc == pytest.approx(0.9)
    # A = 0.9: Q1 = 0.9 / 1.1, Q2 = 2 * 0.81 / 1.9; folds of 10 and 2, the smaller group B
    variance = (0.09 + (2 - 1) * (0.9 / 1.1 - 0.81) + (10 - 1) * (1.62 / 1.9 - 0.81)) / 20
    assert few_in_b.auroc_error == pytest.approx(math.sqrt(0.45 * variance))
    variance = (0.09 + (10 - 1) * (0.9 / 1.1 - 0.81) + (2 - 1) * (1.62 / 1.9 - 0.81)) / 20
    assert few_in_a.auroc_error == pytest.approx(math.sqrt(0.45 * variance))


def test_a_separation_depends_on_the_seed_alone() -> None:
    a, b = random_codes(40), random_codes(30, seed=1, shift=0.5)
    first = difference("x", a, b, seed=3).separation
    np.random.default_rng().random(5)
    assert difference("x", a, b, seed=3).separation == first == measure_separation(a, b, seed=3)
    assert difference("x", a, b, seed=4).separation != first


@pytest.mark.parametrize("counts", [(SMALLEST_GROUP - 1, 100), (100, SMALLEST_GROUP - 1), (1, 1)])
def test_groups_too_small_for_folds_say_so(counts: tuple[int, int]) -> None:
    a, b = random_codes(counts[0]), random_codes(counts[1], seed=1, shift=5)
    assert difference("x", a, b).separation is None
    reason = why_no_separation(*counts)
    assert reason is not None
    assert f"at least {SMALLEST_GROUP} in each group, got {counts[0]} and {counts[1]}" in reason


def test_groups_just_large_enough_are_measured() -> None:
    assert why_no_separation(SMALLEST_GROUP, SMALLEST_GROUP) is None
    assert measure_separation(random_codes(SMALLEST_GROUP), random_codes(SMALLEST_GROUP, seed=1)) is not None


def test_digits_separate_and_halves_of_a_digit_do_not() -> None:
    reference = Reference.load(PRETRAINED / "mnist-16d" / "reference.npz")
    threes, eights = (reference.means[reference.labels == reference.label_names.index(name)] for name in "38")
    digits = difference("3 to 8", threes, eights)
    assert digits.separation is not None
    assert digits.separation.auroc > 0.9
    assert digits.separation.auroc_error < 0.01
    mixed = threes[np.random.default_rng(0).permutation(len(threes))]
    halves = measure_separation(mixed[::2], mixed[1::2])
    assert halves is not None
    assert abs(halves.auroc - 0.5) < 3 * halves.auroc_error
