"""The negative log-likelihood by importance sampling: what -ELBO bounds from above."""

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vae_core.errors import InputError
from vae_core.models.importance_bound import log_density_ratio
from vae_core.models.objective import reconstruction_nats
from vae_core.models.posterior import Posterior
from vae_core.models.vae import VAE

__all__ = ["IMAGES", "SAMPLES", "Likelihood", "combine", "estimate_likelihood", "importance_nats"]

IMAGES = 1_000  # on which the gap is estimated
SAMPLES = 5_000  # of z an image, as in section 5 of Burda et al. 2016
DECODED_AT_ONCE = 250  # larger batches leave the processor's caches and are slower


Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Likelihood:
    """The negative log-likelihood of a set of images, in nats an image.

    Attributes:
        negative_log_likelihood: The mean of -ELBO over all images, less `gap`.
        standard_error: Standard error of `negative_log_likelihood`, as an estimate for all images of this kind; None of
            one image.
        gap: -ELBO less the negative log-likelihood, a mean over `gap_images`.
        gap_standard_error: Standard error of `gap`; None of one image.
        gap_images: Number of images on which the gap was estimated.
        samples: Samples of z drawn for each of those images.
        images: Number of images over which -ELBO was averaged.
    """

    negative_log_likelihood: float
    standard_error: float | None
    gap: float
    gap_standard_error: float | None
    gap_images: int
    samples: int
    images: int

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds."""
        return asdict(self)


def estimate_likelihood(
    model: VAE,
    images: Float[Tensor, "n c h w"],
    negative_elbo: Float[Tensor, " m"],
    *,
    gap_images: int = IMAGES,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Likelihood:
    """The mean negative log-likelihood of all images, from importance samples on a seeded choice of them.

    Args:
        model: A variational one, in evaluation mode.
        images: [image, channel, height, width] in [0, 1], as the model was given them for `negative_elbo`: where
            pixels are binarised, the same draw of them.
        negative_elbo: Nats, [image], from one posterior sample each.
        gap_images: Number of images to sample for; all when there are fewer.
        samples: Samples of z for each of those images.
        seed: Seed of the choice and of the samples.
        progress: Told after each image how many of how many are done.

    Raises:
        InputError: The model is a plain autoencoder, the images do not fit it or the values, there are none,
            or a number is below 1.
    """
    if len(images) == 0 or len(images) != len(negative_elbo) or gap_images < 1:
        raise InputError(
            f"a likelihood needs images, a value of -ELBO for each, and at least 1 image for the gap; "
            f"got {len(images)}, {len(negative_elbo)} and {gap_images}."
        )
    generator = torch.Generator("cpu").manual_seed(seed)
    chosen = torch.randperm(len(images), generator=generator, device=generator.device)[:gap_images]
    nats = importance_nats(model, images[chosen], samples=samples, generator=generator, progress=progress)
    return combine(negative_elbo, chosen, nats, samples=samples)


def combine(
    negative_elbo: Float[Tensor, " n"], chosen: Int[Tensor, " m"], nats: Float[Tensor, " m"], *, samples: int
) -> Likelihood:
    """The mean over all images from -ELBO e of all N of them and the estimates v of m of them.

    The estimate is mean_N(e) - mean_m(e - v): e serves as a control variate (the difference
    estimator of Cochran 1977, "Sampling Techniques", chapter 7), so both means take the same values of -ELBO. With
    f = m / N the estimate equals

        mean of v - (1 - f) e over the m chosen  +  (1 - f) * mean of e over the N - m others,

    two independent means when images are drawn independently. The standard error is therefore

        sqrt(var(v - (1 - f) e) / m  +  (1 - f) var(e) / N).

    At f = 1 it is that of a mean of v; for small f it joins the errors of both means. The noise of one posterior
    sample in e and of the importance samples in v are parts of these variances. Not included is that the estimate
    from finitely many samples lies above the negative log-likelihood on average.

    Args:
        negative_elbo: e, nats, [image].
        chosen: Positions of the m images, no two alike.
        nats: v of the chosen images, in their order.
        samples: Number of samples that v was estimated from.
    """
    every, values = negative_elbo.double(), nats.double()
    gaps = every[chosen] - values
    others = 1 - len(chosen) / len(every)
    gap_error = error = None
    if len(values) > 1:
        gap_error = math.sqrt(gaps.var().item() / len(values))
        variance = (values - others * every[chosen]).var() / len(values) + others * every.var() / len(every)
        error = math.sqrt(variance.item())
    return Likelihood(
        negative_log_likelihood=(every.mean() - gaps.mean()).item(),
        standard_error=error,
        gap=gaps.mean().item(),
        gap_standard_error=gap_error,
        gap_images=len(values),
        samples=samples,
        images=len(every),
    )


@torch.inference_mode()
def importance_nats(
    model: VAE,
    images: Float[Tensor, "n c h w"],
    *,
    samples: int,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> Float[Tensor, " n"]:
    """-log p(x) of each image by importance sampling with q(z|x), in nats, [image].

    Args:
        model: A variational one, in evaluation mode; it is left as it is.
        images: [image, channel, height, width] in [0, 1].
        samples: Samples of z for each image.
        generator: Source of the samples, one image after the other.
        progress: Told after each image how many of how many are done.

    Raises:
        InputError: The model is a plain autoencoder, the images do not fit it, or there are no samples.
    """
    if not model.config.variational:
        raise InputError(
            "a plain autoencoder has no posterior to sample and no likelihood; choose a variational model."
        )
    if samples < 1:
        raise InputError(f"importance sampling takes at least 1 sample an image, got {samples}.")
    model = copy.deepcopy(model).channels_last()
    nats = []
    for image in images.split(1):
        nats.append(_negative_log_likelihood(model, image.to(model.device), samples, generator).cpu())
        if progress is not None:
            progress(len(nats), len(images))
    return torch.stack(nats) if nats else images.new_zeros(0)


def _negative_log_likelihood(
    model: VAE, image: Float[Tensor, "1 c h w"], samples: int, generator: torch.Generator
) -> Float[Tensor, ""]:
    posterior = model.encode(image)
    shape = samples, model.config.latent_dim  # at once: batches do not change it
    noise = torch.randn(shape, generator=generator, device=generator.device).to(image.device)
    log_weights = torch.cat([_log_weights(model, image, posterior, eps) for eps in noise.split(DECODED_AT_ONCE)])
    return (math.log(samples) - log_weights.cpu().double().logsumexp(dim=0)).float()


def _log_weights(
    model: VAE, image: Float[Tensor, "1 c h w"], posterior: Posterior, eps: Float[Tensor, "s d"]
) -> Float[Tensor, " s"]:
    """log p(x|z) + log p(z) - log q(z|x) at z = mu + sigma * eps, [sample]."""
    z = posterior.mean + posterior.std * eps  # (sample, latent)
    reconstruction = reconstruction_nats(model, model.logits(z), image.expand(len(z), -1, -1, -1))
    return log_density_ratio(z, eps, posterior.logvar) - reconstruction
