"""What models are given: images and codes from outside, checked, and images as a model was trained on them."""

import math

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vae_core.errors import InputError
from vae_core.models.config import TrainingConfig

__all__ = ["checked_codes", "checked_images", "model_input"]

SLACK = 1e-3  # by which a value may miss 0 or 1: resizing rounds
GREATEST_GREY = 255


def checked_images(images: object, shape: tuple[int, int, int]) -> Float[Tensor, "n c h w"]:
    """The images themselves, once they are what a model of ours takes: a float32 tensor [n, *shape] in [0, 1].

    Args:
        images: Whatever a caller gives.
        shape: (channel, height, width) of the model's images.

    Raises:
        InputError: They are something else; the message says what, and which expression would do.
    """
    needed = f"images must be a torch tensor of float32, [n, {', '.join(map(str, shape))}], with values from 0 to 1"
    if isinstance(images, np.ndarray):
        raise InputError(
            f"{needed}, got a numpy array; give torch.from_numpy(images).float(), divided by 255 if bytes."
        )
    if not isinstance(images, Tensor):
        raise InputError(f"{needed}, got {type(images).__name__}; `prepare` makes one image of a picture.")
    if images.dtype != torch.float32:
        remedy = "images.float()" if images.is_floating_point() else "images.float() / 255"
        raise InputError(f"{needed}, got {str(images.dtype).removeprefix('torch.')}; give {remedy}.")
    if tuple(images.shape) == shape:
        raise InputError(f"{needed}, got one image without a batch, {list(images.shape)}; give image[None].")
    if tuple(images.shape[1:]) != shape:
        raise InputError(f"{needed}, got {list(images.shape)}; `prepare` brings a picture to the model's shape.")
    if images.numel():
        low, high = (float(value) for value in torch.aminmax(images.detach()))
        if not (low >= -SLACK and high <= 1 + SLACK):  # false for NaN as well
            raise InputError(f"{needed}, got {_extent(low, high)}.")
    return images


def checked_codes(z: object, latent_dim: int) -> Float[Tensor, "n d"]:
    """Codes as a model takes them, float32 [n, latent]; a copy where they were a numpy array or of another precision.

    Args:
        z: Whatever a caller gives.
        latent_dim: Dimensions of the model's codes.

    Raises:
        InputError: They are no torch tensor or numpy array of floating-point numbers, have another shape, or hold a
            number that is not finite; the message says which expression would do.
    """
    needed = f"z must be a torch tensor or numpy array of floating-point numbers, [n, {latent_dim}] for this model"
    if not isinstance(z, Tensor | np.ndarray):
        raise InputError(f"{needed}, got {type(z).__name__}; give numpy.array(z, 'float32').")
    is_float = z.is_floating_point() if isinstance(z, Tensor) else z.dtype.kind == "f"
    if not is_float:
        raise InputError(f"{needed}, got {str(z.dtype).removeprefix('torch.')}.")
    if tuple(z.shape) == (latent_dim,):
        raise InputError(f"{needed}, got one code without a batch, [{latent_dim}]; give z[None].")
    if z.ndim != 2 or z.shape[1] != latent_dim:
        raise InputError(f"{needed}, got {list(z.shape)}.")
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, which is said below
        codes = z.float() if isinstance(z, Tensor) else torch.from_numpy(np.array(z, np.float32))
    if not torch.isfinite(codes).all():
        raise InputError("every value of z must be a finite number within float32, got one that is not.")
    return codes


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
        return torch.bernoulli(scaled, generator=torch.Generator("cpu").manual_seed(seed))
    return scaled


def _extent(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return "some that are no numbers"
    remedy = "; pixels from 0 to 255 are divided by 255" if low >= 0 and high <= GREATEST_GREY else ""
    return f"values from {low:g} to {high:g}{remedy}"
