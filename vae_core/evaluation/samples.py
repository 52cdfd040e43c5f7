"""How good a model's samples are: a Frechet distance in the features of a small classifier trained on the data set.

Heusel et al. 2017 (arXiv:1706.08500) take the features of an Inception network, which has seen photographs only.
The classifier here has seen the data set's own training images, and its distances compare models of that data set
alone: they are no "FID" and stand beside none.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from vae_core.errors import InputError
from vae_core.evaluation.classifier import FEATURES, Classifier, accuracy
from vae_core.latent.codes import check_finite
from vae_core.latent.mixture import Mixture
from vae_core.models.objective import EVALUATION_BATCH
from vae_core.models.vae import VAE
from vae_core.reference.draws import draw_codes

__all__ = ["COUNT", "MINIMUM", "SampleQuality", "frechet_distance", "sample_quality"]

CPU = torch.device("cpu")  # where the classifier measures: its features are the same for every model

COUNT = 10_000  # samples, as many as MNIST has test images
MINIMUM = 2 * (FEATURES + 1)  # test images: with fewer a half's covariance lacks a rank


@dataclass(frozen=True)
class SampleQuality:
    """Frechet distances to the test images, 0 for the same distribution; each falls a little with more images.

    Attributes:
        prior: Distance of decoded draws from N(0, I), a plain autoencoder's too, which never learned to decode them.
        mixture: Distance of decoded draws from the mixture fitted to the codes.
        reconstruction: Distance of the test images' own reconstructions by the posterior mean.
        floor: Between two halves of the test images: what no samples can be expected to beat by much.
        accuracy: Accuracy of the classifier on the test images, a share.
        samples: Drawn from the prior, and from the mixture.
        images: For the test.
    """

    prior: float
    mixture: float
    reconstruction: float
    floor: float
    accuracy: float
    samples: int
    images: int

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds."""
        return asdict(self)


@torch.inference_mode()
def sample_quality(
    model: VAE,
    classifier: Classifier,
    test_images: UInt8[Tensor, "n c h w"],
    test_labels: Int64[Tensor, " n"],
    mixture: Mixture,
    *,
    seed: int,
    count: int = COUNT,
) -> SampleQuality:
    """Compare decoded samples with the test images; what is decoded is the likelihood's mean, as the app shows it.

    Args:
        model: Network in evaluation mode.
        classifier: Trained on the same data set, in evaluation mode.
        test_images: [image, channel, height, width].
        test_labels: Class of each test image, [image].
        mixture: Fitted to the model's codes.
        seed: Seed of the samples and of the halves.
        count: Samples of each kind.

    Raises:
        InputError: There are fewer than `MINIMUM` test images, fewer than two samples, or the shapes do not fit.
    """
    if len(test_images) < MINIMUM or count < 2:
        raise InputError(
            f"sample quality needs at least {MINIMUM} test images and 2 samples, got {len(test_images)} and {count}."
        )
    generator = torch.Generator("cpu").manual_seed(seed)
    real = _features(classifier, _scaled(test_images))
    codes = {
        "prior": torch.randn(count, model.config.latent_dim, generator=generator, device=generator.device),
        "mixture": draw_codes(mixture, count, generator),
    }
    distances = {name: frechet_distance(_features(classifier, _decoded(model, z)), real) for name, z in codes.items()}
    # By a generator of their own, so that all models of a data set stand beside the same floor.
    halves = real[torch.randperm(len(real), generator=torch.Generator("cpu").manual_seed(seed)).numpy()]
    return SampleQuality(
        **distances,
        reconstruction=frechet_distance(_features(classifier, map(model, _scaled(test_images, model.device))), real),
        floor=frechet_distance(halves[: len(real) // 2], halves[len(real) // 2 :]),
        accuracy=accuracy(classifier, test_images, test_labels),
        samples=count,
        images=len(real),
    )


def frechet_distance(a: Float[np.ndarray, "n f"], b: Float[np.ndarray, "m f"]) -> float:
    """The squared Frechet distance between two sets of features, each taken for a Gaussian.

    |mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)): Heusel et al. 2017, equation 6. The trace of the root is the
    sum of the square roots of S_a S_b's eigenvalues. S_a^(1/2) S_b S_a^(1/2) has the same ones, and as it is
    symmetric they come out real; those that rounding leaves below 0 count as 0.

    Args:
        a: [image, feature].
        b: [image, feature].

    Raises:
        InputError: A set has fewer than two rows, or a value is not finite.
    """
    for features in (a, b):
        check_finite("features of images", features, (None, a.shape[1]), fewest=2)
    (mean_a, covariance_a), (mean_b, covariance_b) = _moments(a), _moments(b)
    values, vectors = np.linalg.eigh(covariance_a)
    root = vectors * np.sqrt(values.clip(min=0)) @ vectors.T  # [feature, feature]
    shared = np.sqrt(np.linalg.eigvalsh(root @ covariance_b @ root).clip(min=0)).sum()
    distance = np.square(mean_a - mean_b).sum() + np.trace(covariance_a) + np.trace(covariance_b) - 2 * shared
    return max(0.0, float(distance))


def _moments(features: Float[np.ndarray, "n f"]) -> tuple[Float[np.ndarray, " f"], Float[np.ndarray, "f f"]]:
    exact = features.astype(np.float64)
    return exact.mean(axis=0), np.atleast_2d(np.cov(exact, rowvar=False))


def _scaled(images: UInt8[Tensor, "n c h w"], device: torch.device = CPU) -> Iterator[Tensor]:
    return (batch.to(device).float() / 255 for batch in images.split(EVALUATION_BATCH))


def _decoded(model: VAE, z: Float[Tensor, "n d"]) -> Iterator[Tensor]:
    return (model.decode(batch.to(model.device)) for batch in z.split(EVALUATION_BATCH))


def _features(classifier: Classifier, batches: Iterator[Tensor]) -> Float[np.ndarray, "n f"]:
    features: np.ndarray = torch.cat([classifier.features(batch.to(CPU)) for batch in batches]).numpy()
    return features
