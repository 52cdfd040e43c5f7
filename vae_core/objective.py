"""The terms of the objective: pure functions, one value per image, in nats.

ELBO = E_q[log p(x|z)] - KL(q(z|x) || N(0, I)). Sums run over pixels and latent dimensions, and the
loss is the mean over the batch of reconstruction + weight * KL, that is of -ELBO when the weight is 1.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vae_core.config import ModelConfig
from vae_core.model import VAE, Posterior

__all__ = [
    "EVALUATION_BATCH",
    "Terms",
    "describe_pixels",
    "free_bits_penalty",
    "kl_weight",
    "loss",
    "reconstruction_nats",
    "sampled_terms",
]

EVALUATION_BATCH = 500  # images at a time where terms are measured, not learned from
LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Terms:
    """The two terms of -ELBO for each image of a batch, in nats.

    Attributes:
        reconstruction: -log p(x|z) at one sampled z, summed over pixels, [batch].
        kl: KL per latent dimension, [batch, latent]; zero for a plain autoencoder, whose objective has no KL term.
    """

    reconstruction: Float[Tensor, " batch"]
    kl: Float[Tensor, "batch latent"]

    @property
    def negative_elbo(self) -> Float[Tensor, " batch"]:
        """Reconstruction + KL, nats, [batch]; an upper bound of -log p(x) in expectation over z."""
        return self.reconstruction + self.kl.sum(dim=1)


def describe_pixels(config: ModelConfig) -> str:
    """What the reconstruction term is of: a density, a likelihood, or on grey pixels only a cross-entropy."""
    if config.likelihood == "gaussian":
        return "Gaussian with learned variance, pixels in [0, 1]"
    binarised = config.training is not None and config.training.binarise == "dynamic"
    return "Bernoulli on dynamically binarised pixels" if binarised else "cross-entropy on grey pixels"


def reconstruction_nats(
    model: VAE, logits: Float[Tensor, "batch channel height width"], images: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, " batch"]:
    """-log p(x|z) of each image, summed over its pixels and channels, in nats, [batch].

    Bernoulli: the cross-entropy; with grey values it is the usual training loss but no likelihood.
    Gaussian: a density over [0, 1] pixel values with the model's learned sigma; it can be negative.
    """
    if model.log_sigma is None:
        pixels = functional.binary_cross_entropy_with_logits(logits, images, reduction="none")
    else:
        scaled = (images - torch.sigmoid(logits)) * torch.exp(-model.log_sigma)
        pixels = 0.5 * (scaled.square() + LOG_2PI) + model.log_sigma
    return pixels.flatten(start_dim=1).sum(dim=1)


def sampled_terms(
    model: VAE, images: Float[Tensor, "batch channel height width"], generator: torch.Generator
) -> tuple[Terms, Posterior]:
    """Encode, draw one z for each image from `generator`, decode, and return both terms with the posterior."""
    posterior = model.encode(images)
    logits = model.logits(posterior.sample(generator))
    kl = posterior.kl() if model.config.variational else torch.zeros_like(posterior.mean)
    return Terms(reconstruction_nats(model, logits, images), kl), posterior


def kl_weight(step: int, *, warmup_steps: float, beta: float) -> float:
    """The KL term's weight at `step`: from 0 up to `beta` in a straight line over `warmup_steps`, then `beta`.

    Warm-up: Bowman et al. 2016 (arXiv:1511.06349); beta: Higgins et al. 2017.
    """
    return beta if warmup_steps <= 0 else beta * min(1.0, step / warmup_steps)


def free_bits_penalty(kl: Float[Tensor, "batch latent"], free_bits: float) -> Float[Tensor, ""]:
    """The batch's mean KL in nats, each dimension counted as at least `free_bits` nats.

    Kingma et al. 2016 (arXiv:1606.04934), equation 15, with one dimension a group. Zero gives the plain mean.
    """
    per_dimension = kl.mean(dim=0)  # [latent]
    return per_dimension.clamp_min(free_bits).sum()


def loss(terms: Terms, *, weight: float, free_bits: float = 0.0) -> Float[Tensor, ""]:
    """What training minimises, in nats: mean reconstruction + weight * mean KL."""
    return terms.reconstruction.mean() + weight * free_bits_penalty(terms.kl, free_bits)
