"""The likelihood of an image's pixels given a decoder's logits, in nats, and what it is of in words."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vae_core.models.config import ModelConfig

__all__ = ["LOG_2PI", "describe_pixels", "pixel_nats"]

LOG_2PI = math.log(2 * math.pi)


def pixel_nats(
    logits: Float[Tensor, "batch channel height width"],
    images: Float[Tensor, "batch channel height width"],
    log_sigma: Float[Tensor, ""] | None,
) -> Float[Tensor, " batch"]:
    """-log p(x|z) of each image, summed over its pixels and channels, in nats, [batch].

    Bernoulli: the cross-entropy; with grey values it is the usual training loss but no likelihood.
    Gaussian: a density over [0, 1] pixel values with the model's learned sigma; it can be negative.

    Args:
        logits: The decoder's output at z.
        images: The images, values in [0, 1].
        log_sigma: Logarithm of the Gaussian's deviation, in units of pixel values; None for a Bernoulli likelihood.
    """
    if log_sigma is None:
        pixels = functional.binary_cross_entropy_with_logits(logits, images, reduction="none")
    else:
        scaled = (images - torch.sigmoid(logits)) * torch.exp(-log_sigma)
        pixels = 0.5 * (scaled.square() + LOG_2PI) + log_sigma
    return pixels.flatten(start_dim=1).sum(dim=1)


def describe_pixels(config: ModelConfig) -> str:
    """What the reconstruction term is of: a density, a likelihood, or on grey pixels only a cross-entropy."""
    if config.likelihood == "gaussian":
        return "Gaussian with learned variance, pixels in [0, 1]"
    binarised = config.training is not None and config.training.binarise == "dynamic"
    return "Bernoulli on dynamically binarised pixels" if binarised else "cross-entropy on grey pixels"
