"""What the codes along a path are like, beside values worked out another way."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from tests.conftest import reference_of
from vae_core.errors import InputError
from vae_core.latent.neighbours import NeighbourIndex
from vae_core.models.posterior import Posterior
from vae_core.reference.path_statistics import path_statistics
from vae_core.reference.reference_set import Reference
from vae_core.reference.scores import score_percentiles

LATENT = 3


def cloud(count: int, latent: int = LATENT, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, latent)).astype(np.float32)


@pytest.fixture(scope="module")
def reference() -> Reference:
    """101 held-out codes, so that each one's score is a percentile; deviations 0.5, 1 and 0.1."""
    means, logvars = cloud(101, seed=3), np.tile(2 * np.log(np.array([0.5, 1, 0.1], np.float32)), (101, 1))
    stored = reference_of(means, logvars, seed=0)
    posterior = Posterior(torch.from_numpy(stored.means), torch.from_numpy(stored.logvars))
    percentiles = score_percentiles(posterior, stored.reconstruction, stored.held_out)
    return replace(stored, score_percentiles=percentiles)


def test_norms_are_measured_and_said_what_they_should_be(reference: Reference) -> None:
    measured = path_statistics(np.array([[0, 0, 0], [2, -1, 2]], np.float32), reference)
    assert measured.norm.tolist() == [0, 3]
    assert measured.expected_norm == pytest.approx(2 * math.sqrt(2 / math.pi))  # the Maxwell distribution's mean


@pytest.mark.parametrize(("latent", "expected"), [(1, math.sqrt(2 / math.pi)), (2, math.sqrt(math.pi / 2))])
def test_the_expected_norm_is_the_mean_of_the_chi_distribution(latent: int, expected: float) -> None:
    codes = cloud(20, latent)
    assert path_statistics(codes, reference_of(codes, np.zeros_like(codes), seed=0)).expected_norm == pytest.approx(
        expected
    )


def test_in_many_dimensions_the_expected_norm_is_nearly_the_root_of_their_number() -> None:
    codes = cloud(20, 400)
    measured = path_statistics(codes, reference_of(codes, np.zeros_like(codes), seed=0))
    assert measured.expected_norm == pytest.approx(20 * (1 - 1 / 1600), rel=1e-6)  # sqrt(d) (1 - 1 / 4d + ...)


def test_the_density_is_the_mixture_s_in_nats(reference: Reference) -> None:
    codes = cloud(7)
    components = [
        multivariate_normal(np.full(LATENT, mean), np.eye(LATENT) / 16).logpdf(codes) + math.log(weight)
        for mean, weight in ((-1, 0.25), (1, 0.75))
    ]
    assert path_statistics(codes, reference).log_density == pytest.approx(logsumexp(components, axis=0), rel=1e-5)


def test_speed_and_distances_count_posterior_deviations(reference: Reference) -> None:
    start = reference.means[0]
    codes = start + np.array([[0, 0, 0], [0.001, 0, 0], [0.001, 0.001, 0], [0.001, 0.001, 0.001]], np.float32)
    measured = path_statistics(codes, reference)
    assert measured.speed == pytest.approx([0.002, 0.001, 0.01], rel=1e-3)
    expected = [0, 0.002, math.hypot(0.002, 0.001), math.hypot(0.002, 0.001, 0.01)]
    assert measured.nearest == pytest.approx(expected, rel=1e-3)
    assert measured.nearest[0] == 0


def test_held_out_codes_have_the_percentiles_that_they_were_measured_with(reference: Reference) -> None:
    measured = path_statistics(reference.means, reference)
    assert (measured.nearest == 0).all()
    assert np.sort(measured.percentile) == pytest.approx(np.arange(101), abs=0.01)
    order = measured.neighbour_distance.argsort()
    assert (np.diff(measured.percentile[order]) > 0).all(), "the farther, the more are nearer"


def test_an_unseen_code_s_percentile_is_that_of_its_trust_cue(reference: Reference) -> None:
    codes = np.concatenate([cloud(9, seed=8), np.full((1, LATENT), 50, np.float32)])
    measured = path_statistics(codes, reference)
    expected = NeighbourIndex(reference.means, reference.scale).mean_distance(codes)
    assert measured.neighbour_distance == pytest.approx(expected, rel=1e-4)
    percentiles = [reference.percentile("neighbour_distance", float(each)) for each in expected]
    assert measured.percentile == pytest.approx(percentiles, abs=0.1)
    assert measured.percentile[-1] == 100
    assert (measured.neighbour_distance > measured.nearest).all()


def test_one_code_has_no_speed(reference: Reference) -> None:
    measured = path_statistics(cloud(1), reference)
    assert measured.speed.shape == (0,)
    assert measured.percentile.shape == (1,)


def test_codes_that_do_not_fit_the_reference_are_refused(reference: Reference) -> None:
    with pytest.raises(InputError, match=r"\[at least 1, 3\], got \[5, 2\]"):
        path_statistics(cloud(5, 2), reference)
    with pytest.raises(InputError, match=r"got \[0, 3\]"):
        path_statistics(cloud(0), reference)
    with pytest.raises(InputError, match="finite"):
        path_statistics(np.full((2, LATENT), np.nan, np.float32), reference)
