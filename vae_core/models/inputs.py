"""Images as a model is given them: scaled to [0, 1], or binarised."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vae_core.models.config import TrainingConfig

__all__ = ["model_input"]


def model_input(
    images: UInt8[Tensor, "n c h w"], settings: TrainingConfig, *, seed: int = 0
) -> Float[Tensor, "n c h w"]:
    """Images in [0, 1] as the model was trained on them.

    ``"none"`` keeps grey values (with a Bernoulli likelihood that is a cross-entropy, not a likelihood),
    ``"dynamic"`` draws each pixel once from a Bernoulli with the grey value as its mean.

    Args:
        images: uint8 [image, channel, height, width].
        settings: How the model was trained.
        seed: Of the binarisation.
    """
    scaled = images.float() / 255
    if settings.binarise == "dynamic":
        return torch.bernoulli(scaled, generator=torch.Generator().manual_seed(seed))
    return scaled
