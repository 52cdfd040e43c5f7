"""Gaussian mixtures in latent space: densities by hand, draws that have them, and fits that find them again."""

import math

import numpy as np
import pytest
import torch

from vae_core.errors import InputError
from vae_core.latent import mixture
from vae_core.latent.mixture import Mixture, fit_mixture
from vae_core.reference.draws import draw_codes

# One wide and tilted, one narrow: covariances [[4, 2], [2, 2]] and [[0.25, 0], [0, 0.25]].
TWO = Mixture(
    weights=np.array([0.3, 0.7], np.float32),
    means=np.array([[5, 0], [-5, 1]], np.float32),
    factors=np.array([[[2, 0], [1, 1]], [[0.5, 0], [0, 0.5]]], np.float32),
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(count: int, seed: int = 0) -> np.ndarray:
    return draw_codes(TWO, count, seeded(seed)).numpy()


# --- density -------------------------------------------------------------------------------------------------


def test_a_log_density_has_the_value_worked_out_by_hand() -> None:
    standard = Mixture(np.ones(1, np.float32), np.zeros((1, 3), np.float32), np.eye(3, dtype=np.float32)[None])
    codes = np.array([[0, 0, 0], [1, 2, 2]], np.float32)
    constant = 1.5 * math.log(2 * math.pi)
    assert standard.log_prob(codes) == pytest.approx([-constant, -constant - 4.5])


def test_a_mixture_s_density_is_the_weighted_sum_of_its_components() -> None:
    codes = draws(50)
    expected = np.zeros(len(codes))
    for weight, mean, factor in zip(TWO.weights, TWO.means, TWO.factors, strict=True):
        covariance = torch.from_numpy(factor @ factor.T)
        component = torch.distributions.MultivariateNormal(torch.from_numpy(mean), covariance)
        expected += weight * component.log_prob(torch.from_numpy(codes)).exp().numpy()
    assert TWO.log_prob(codes) == pytest.approx(np.log(expected), rel=1e-4)


def test_a_density_sums_to_one_and_far_away_its_logarithm_stays_finite() -> None:
    x, y = np.meshgrid(np.linspace(-10, 15, 500), np.linspace(-8, 9, 500))
    grid = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    assert np.exp(TWO.log_prob(grid)).sum() * (25 / 499) * (17 / 499) == pytest.approx(1, abs=1e-3)
    assert np.isfinite(TWO.log_prob(np.array([[1e4, -1e4]], np.float32))).all()


# --- draws ---------------------------------------------------------------------------------------------------


def test_draws_have_the_mixture_s_weights_means_and_covariances() -> None:
    z = draws(40_000)
    assert z.shape == (40_000, 2)
    assert z.dtype == np.float32
    of_first = z[:, 0] > -2  # 3.5 standard deviations from the first mean, 6 from the second
    assert of_first.mean() == pytest.approx(0.3, abs=0.01)
    assert z[of_first].mean(axis=0) == pytest.approx([5, 0], abs=0.08)
    assert np.cov(z[of_first].T).ravel() == pytest.approx([4, 2, 2, 2], abs=0.2)
    assert np.cov(z[~of_first].T).ravel() == pytest.approx([0.25, 0, 0, 0.25], abs=0.02)


def test_draws_depend_on_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first = draws(20)
    assert np.array_equal(draws(20), first)
    assert not np.array_equal(draws(20, seed=1), first)
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(InputError, match="got a count of 0"):
        draws(0)


# --- fits ----------------------------------------------------------------------------------------------------


def test_a_fit_finds_the_mixture_that_the_codes_were_drawn_from() -> None:
    fitted = fit_mixture(draws(4_000), draws(1_000, seed=1), seed=0, candidates=(1, 2, 20))
    assert len(fitted.weights) == 2
    order = np.argsort(fitted.weights)
    assert fitted.weights[order] == pytest.approx(TWO.weights, abs=0.03)
    assert fitted.means[order] == pytest.approx(TWO.means, abs=0.2)
    assert fitted.factors[order] == pytest.approx(TWO.factors, abs=0.2)
    held_out = draws(5_000, seed=2)
    assert fitted.log_prob(held_out).mean() == pytest.approx(TWO.log_prob(held_out).mean(), abs=0.01)
    for part in (fitted.weights, fitted.means, fitted.factors):
        assert part.dtype == np.float32


def test_a_fit_depends_on_its_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixture, "FITTED_CODES", 300)
    codes, held_out = draws(600), draws(100, seed=1)
    first = fit_mixture(codes, held_out, seed=0, candidates=(3,))
    np.random.rand(3)
    again = fit_mixture(codes, held_out, seed=0, candidates=(3,))
    assert np.array_equal(first.means, again.means)
    assert np.array_equal(first.factors, again.factors)
    other = fit_mixture(codes, held_out, seed=1, candidates=(3,))
    assert not np.array_equal(first.means, other.means), "another 300 of the 600"


def test_many_components_need_many_codes() -> None:
    codes = draws(12)  # of two dimensions: too few for 2 components of 8 codes each
    assert len(fit_mixture(codes, codes, seed=0).weights) == 1
    assert len(fit_mixture(codes[:3], codes, seed=0, candidates=(10, 20)).weights) <= 3


@pytest.mark.parametrize(
    "codes",
    [np.ones((30, 4), np.float32), draws(2), np.repeat(draws(10), 3, axis=0), draws(300) * 1e3, draws(300) * 1e-3],
    ids=["all the same", "two", "repeated", "large", "small"],
)
def test_odd_codes_still_give_a_density_that_can_be_drawn_from(codes: np.ndarray) -> None:
    fitted = fit_mixture(codes, codes[:20], seed=0, candidates=(1, 2, 3))
    z = draw_codes(fitted, 200, seeded()).numpy()
    assert np.isfinite(fitted.log_prob(z)).all()
    size = np.abs(codes).max()
    assert np.abs(z).max() < 4 * size


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_codes_must_be_finite(value: float) -> None:
    good, bad = draws(50), draws(50)
    bad[3, 1] = value
    for codes, held_out in ((good, bad), (bad, good)):
        with pytest.raises(InputError, match="finite"):
            fit_mixture(codes, held_out, seed=0)


def test_too_few_codes_or_no_candidates_are_refused() -> None:
    for count in (0, 1):
        with pytest.raises(InputError, match=rf"^codes must be \[at least 2, any\], got \[{count}, "):
            fit_mixture(draws(5)[:count], draws(5), seed=0)
    with pytest.raises(InputError, match=r"held-out codes must be \[at least 1, \d+\], got \[0, "):
        fit_mixture(draws(5), draws(5)[:0], seed=0)
    for candidates in ((), (0, 3)):
        with pytest.raises(InputError, match="at least 1 component"):
            fit_mixture(draws(10), draws(10), seed=0, candidates=candidates)
