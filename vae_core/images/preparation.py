"""What a model sees of a picture, and how far that is from what it makes of it.

`prepare_picture` turns a picture into a tensor as the model's `Preparation` says. Everything here is deterministic and
keeps no state, so any number of threads may call it at once.
"""

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from vae_core.errors import InputError
from vae_core.images.files import to_eight_bit
from vae_core.images.preparation_options import Preparation
from vae_core.images.strokes import border, centre_strokes, light_on_dark

__all__ = ["error_map", "prepare_picture"]

MODES = {1: "L", 3: "RGB"}  # by number of channels
WORK_SIDES = 5  # model sides; what is larger is averaged down first, against noise; a drawing of a fifth stays sharp


def prepare_picture(
    picture: Image.Image, *, shape: tuple[int, int, int], preparation: Preparation
) -> Float[Tensor, "channel height width"]:
    """Turn a picture into what the model sees.

    1. Transparent places show `preparation.background`.
    2. Colours become grey (ITU-R BT.601 luma) for a model of one channel, grey becomes RGB for three.
    3. The picture is fitted into the model's frame: its middle cropped to the frame's proportions, or
       the whole padded with the median colour of its border (which is the background, where the
       border is transparent). A picture of the model's own size stays bit for bit what it is.
    4. ``invert="always"`` swaps black and white. ``"auto"`` does so when the border is brighter than
       halfway between the darkest and the brightest pixel, and divides by the paper's brightness
       as the border shows it, so that grey or unevenly lit paper becomes black.
    5. With `preparation.centre` the strokes are lifted off their ground and placed as MNIST's digits
       are. Their own box then takes the place of step 3, which might cut them. A picture without
       strokes becomes black.

    Args:
        picture: From `picture_files.open_picture`, or any other of Pillow's; it is left as it is.
        shape: (channel, height, width) of the model's images; channel is 1 or 3.
        preparation: The model's.

    Returns:
        float32 in [0, 1].

    Raises:
        ImageError: The picture holds NaN or infinity.
        InputError: The shape has a side below 1 or other channels than 1 or 3.
    """
    channels, height, width = shape
    if channels not in MODES or min(height, width) < 1:
        raise InputError(f"shape must be (1 or 3, height, width) with sides of at least 1, got {shape}.")
    picture = _over(to_eight_bit(picture, "the picture"), preparation.background).convert(MODES[channels])
    if preparation.centre:
        return centre_strokes(light_on_dark(_whole(picture, height, width), preparation), height, width)
    fit = _crop if preparation.fit == "crop" else _pad
    return light_on_dark(fit(picture, height, width), preparation).clamp(0, 1)


def error_map(
    original: Float[Tensor, "channel height width"], reconstruction: Float[Tensor, "..."]
) -> Float[Tensor, "1 height width"]:
    """The absolute error of each pixel, averaged over the channels.

    Args:
        original: In [0, 1].
        reconstruction: In [0, 1], of the same shape.

    Returns:
        In [0, 1]; 0 where the two agree.

    Raises:
        InputError: The shapes differ.
    """
    if original.shape != reconstruction.shape:
        raise InputError(
            f"both images must have the same shape, got {tuple(original.shape)} and {tuple(reconstruction.shape)}."
        )
    return (original - reconstruction).abs().mean(dim=0, keepdim=True)  # (1, height, width)


def _over(picture: Image.Image, background: str) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, background), picture)


def _to_tensor(picture: Image.Image) -> Float[Tensor, "channel height width"]:
    pixels = np.array(picture).reshape(picture.height, picture.width, -1)
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255  # (channel, height, width)


def _whole(picture: Image.Image, height: int, width: int) -> Float[Tensor, "channel _ _"]:
    """The whole picture; block averages where it is much larger than the model's images."""
    factor = max(picture.size) // (WORK_SIDES * max(height, width))
    return _to_tensor(picture.reduce(factor) if factor > 1 else picture)


def _crop(picture: Image.Image, height: int, width: int) -> Float[Tensor, "channel height width"]:
    # Lanczos is the sharpest of Pillow's filters, all of which average over what a pixel covers.
    return _to_tensor(ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS))


def _pad(picture: Image.Image, height: int, width: int) -> Float[Tensor, "channel height width"]:
    scale = min(width / picture.width, height / picture.height)
    inner_width, inner_height = (max(1, round(side * scale)) for side in picture.size)
    inner = _to_tensor(picture.resize((inner_width, inner_height), Image.Resampling.LANCZOS))
    colour = border(inner).median(dim=1).values  # (channel,)
    padded = colour[:, None, None].repeat(1, height, width)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    padded[:, top : top + inner_height, left : left + inner_width] = inner
    return padded
