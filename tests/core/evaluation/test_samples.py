"""Sample quality: the distance against its closed form, and that it ranks what is known to be better and worse."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor

from vae_core.errors import InputError
from vae_core.evaluation.classifier import Classifier, accuracy
from vae_core.evaluation.samples import MINIMUM, frechet_distance, sample_quality
from vae_core.latent.mixture import Mixture
from vae_core.models.config import ModelConfig
from vae_core.models.vae import VAE
from vae_core.reference.draws import draw_codes

LABELS = torch.arange(200) % 2


def with_moments(mean: list[float], deviations: list[float]) -> np.ndarray:
    """Six or more rows whose mean and (diagonal) covariance are exactly these."""
    count, size = 2 * len(mean), len(mean)
    rows = np.zeros((count, size))
    for axis, deviation in enumerate(deviations):
        rows[2 * axis : 2 * axis + 2, axis] = np.array([1, -1]) * deviation * math.sqrt((count - 1) / 2)
    return rows + np.array(mean)


# --- the distance --------------------------------------------------------------------------------------------


def test_of_two_diagonal_gaussians_it_has_the_value_worked_out_by_hand() -> None:
    a, b = with_moments([0, 0, 0], [1, 2, 0]), with_moments([3, 4, 0], [2, 5, 0.5])
    # Means differ by (3, 4): 25. Standard deviations by 1, 3 and 0.5: 1 + 9 + 0.25.
    assert frechet_distance(a, b) == pytest.approx(35.25)
    assert frechet_distance(b, a) == pytest.approx(35.25)
    assert frechet_distance(a.astype(np.float32), b) == pytest.approx(35.25)
    assert frechet_distance(a[:, :1], b[:, :1]) == pytest.approx(9 + 1)


def test_of_two_tilted_gaussians_it_agrees_with_the_matrix_root() -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.standard_normal((300, 8)) @ generator.standard_normal((8, 8)) for _ in range(2))
    covariances = np.cov(a.T), np.cov(b.T)
    root = sqrtm(covariances[0] @ covariances[1])
    expected = np.square(a.mean(axis=0) - b.mean(axis=0)).sum() + np.trace(sum(covariances) - 2 * np.real(root))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_of_a_set_and_itself_it_is_zero_though_features_are_dead_or_repeated(scale: float) -> None:
    features = np.random.default_rng(0).standard_normal((100, 20)) * scale
    features[:, 3] = 0
    features[:, 4] = features[:, 5]
    distance = frechet_distance(features, features)
    assert 0 <= distance < 1e-6 * scale**2
    few = features[:5]  # fewer rows than features
    assert 0 <= frechet_distance(few, few) < 1e-6 * scale**2
    assert frechet_distance(features, features + scale) == pytest.approx(20 * scale**2, rel=1e-6)


def test_what_has_no_distance_is_refused() -> None:
    good = np.random.default_rng(0).standard_normal((10, 3))
    bad = good.copy()
    bad[2, 1] = np.nan
    for a, b in ((good[:1], good), (good, good[:0])):
        with pytest.raises(InputError, match=r"must be \[at least 2, 3\], got \[[01], 3\]"):
            frechet_distance(a, b)
    for a, b in ((bad, good), (good, bad)):
        with pytest.raises(InputError, match=r"must be finite, got nan at \[2, 1\]"):
            frechet_distance(a, b)


# --- samples -------------------------------------------------------------------------------------------------


@pytest.fixture
def classifier() -> Classifier:
    """A random projection is enough to tell sets of pictures apart."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Classifier((1, 8, 8), 2).eval()


@pytest.fixture
def model(tiny_config: ModelConfig) -> VAE:
    """Its pictures differ with z, and its posteriors lie far from the prior and near each other."""
    model = VAE.build_seeded(tiny_config, seed=0).eval()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(3)
    return model


def narrow_mixture(model: VAE, place: float) -> Mixture:
    size = model.config.latent_dim
    return Mixture(
        np.ones(1, np.float32), np.full((1, size), place, np.float32), 0.5 * np.eye(size, dtype=np.float32)[None]
    )


def decoded_test_set(model: VAE, mixture: Mixture) -> Tensor:
    with torch.inference_mode():
        z = draw_codes(mixture, len(LABELS), torch.Generator().manual_seed(9))
        return (model.decode(z) * 255).round().to(torch.uint8)


def test_draws_from_where_the_codes_lie_come_nearest(model: VAE, classifier: Classifier) -> None:
    mixture = narrow_mixture(model, 2.0)
    images = decoded_test_set(model, mixture)
    result = sample_quality(model, classifier, images, LABELS, mixture, seed=0, count=300)
    assert (result.samples, result.images) == (300, 200)
    assert result.mixture < 3 * result.floor
    assert result.prior > 10 * result.mixture
    elsewhere = sample_quality(model, classifier, images, LABELS, narrow_mixture(model, -3.0), seed=0, count=300)
    assert elsewhere.mixture > elsewhere.prior == result.prior
    assert result.accuracy == accuracy(classifier, images, LABELS)
    assert result.metrics() == {
        "prior": result.prior,
        "mixture": result.mixture,
        "reconstruction": result.reconstruction,
        "floor": result.floor,
        "accuracy": result.accuracy,
        "samples": 300,
        "images": 200,
    }


def test_reconstructions_are_of_the_test_images_by_the_mean(model: VAE, classifier: Classifier) -> None:
    images = decoded_test_set(model, narrow_mixture(model, 0.0))
    with torch.inference_mode():
        real, decoded = (classifier.features(x).numpy() for x in (images.float() / 255, model(images.float() / 255)))
    result = sample_quality(model, classifier, images, LABELS, narrow_mixture(model, 0.0), seed=0, count=2)
    assert result.reconstruction == pytest.approx(frechet_distance(decoded, real), rel=1e-5)


@pytest.mark.parametrize("variational", [True, False])
def test_the_figures_depend_on_the_seed_alone(
    tiny_config: ModelConfig, classifier: Classifier, variational: bool
) -> None:
    model = VAE.build_seeded(replace(tiny_config, variational=variational), seed=0).eval()
    mixture = narrow_mixture(model, 0.0)
    images = decoded_test_set(model, mixture)
    before = torch.get_rng_state()
    first = sample_quality(model, classifier, images, LABELS, mixture, seed=0, count=50)
    assert sample_quality(model, classifier, images, LABELS, mixture, seed=0, count=50) == first
    other = sample_quality(model, classifier, images, LABELS, mixture, seed=1, count=50)
    assert (other.prior, other.mixture, other.floor) != (first.prior, first.mixture, first.floor)
    assert other.reconstruction == first.reconstruction
    assert torch.equal(torch.get_rng_state(), before)


def test_too_few_images_or_samples_are_refused(model: VAE, classifier: Classifier) -> None:
    mixture = narrow_mixture(model, 0.0)
    images = decoded_test_set(model, mixture)
    few = MINIMUM - 1
    for count, samples in ((few, 50), (len(images), 1)):
        with pytest.raises(InputError, match=f"got {count} and {samples}"):
            sample_quality(model, classifier, images[:count], LABELS[:count], mixture, seed=0, count=samples)
