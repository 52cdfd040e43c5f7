"""Images as 8-bit pixels, pixels as larger squares, and pixels as a PNG file.

An image is float in [0, 1], [..., channel, height, width], as models take and give it. Pixels are uint8,
[..., height, width, channel], with 1 channel (grey), 3 (colour) or 4 (colour and opacity).
"""

from io import BytesIO

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from vae_core.errors import InputError

__all__ = ["FAST", "SMALL", "enlarge", "pixels_of", "to_pillow", "to_png"]

FAST = 1  # zlib's level for what is looked at once: a quarter of `SMALL`'s time, a tenth more bytes for photographs
SMALL = 6  # zlib's level for what is kept: its usual one

CHANNELS = (1, 3, 4)


def pixels_of(images: Float[Tensor, "*n channel height width"]) -> UInt8[np.ndarray, "*n height width channel"]:
    """Images as 8-bit pixels: clipped to [0, 1], then the nearest of 256 levels, halves up.

    Args:
        images: One image or any number of them, on any device.
    """
    # By numpy: of a large tensor torch makes a task for several threads, which wait for each other on a busy machine.
    levels = images.detach().to("cpu", torch.float32).numpy().clip(0, 1) * 255 + 0.5
    with np.errstate(invalid="ignore"):  # codes at the edge of single precision decode to NaN
        return np.ascontiguousarray(np.moveaxis(levels.astype(np.uint8), -3, -1))


def enlarge(pixels: UInt8[np.ndarray, "*n h w c"], scale: int) -> UInt8[np.ndarray, "*n _ _ c"]:
    """Pixels as squares of `scale` x `scale`.

    Raises:
        InputError: The scale is below 1.
    """
    if scale < 1:
        raise InputError(f"scale must be at least 1, got {scale}.")
    return pixels.repeat(scale, axis=-3).repeat(scale, axis=-2)


def to_pillow(pixels: UInt8[np.ndarray, "h w c"]) -> Image.Image:
    """The pixels as a picture of mode ``"L"``, ``"RGB"`` or ``"RGBA"``.

    Raises:
        InputError: The pixels have other than 1, 3 or 4 channels.
    """
    if pixels.shape[2] not in CHANNELS:
        raise InputError(f"a picture must have 1, 3 or 4 channels, got {pixels.shape[2]}.")
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def to_png(pixels: UInt8[np.ndarray, "h w c"], *, level: int = SMALL) -> bytes:
    """The pixels as a PNG file.

    Args:
        pixels: One picture.
        level: How hard zlib tries, 0 to 9: `SMALL` for files that are kept, `FAST` for what a page shows at once.

    Raises:
        InputError: The pixels have other than 1, 3 or 4 channels.
    """
    file = BytesIO()
    to_pillow(pixels).save(file, "PNG", compress_level=level)
    return file.getvalue()
