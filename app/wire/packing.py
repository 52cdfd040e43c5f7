"""Arrays, members and pictures as text for the page: base64 of little-endian numbers, of bits and of PNG files."""

import base64
from collections.abc import Iterable
from io import BytesIO

import numpy as np
from jaxtyping import Float, Integer, UInt8

from vae_core.images.mosaic import enlarge, to_pillow

__all__ = [
    "PICTURE_SCALE",
    "floats_base64",
    "members_base64",
    "members_of",
    "picture_base64",
    "png_base64",
    "whole_base64",
]

PICTURE_SCALE = 2  # PNG pixels a side for each of the model's
FAST = 1  # of zlib's levels: a quarter of its usual one's time for a tenth more bytes, on a montage of photographs


def floats_base64(values: Float[np.ndarray, "..."]) -> str:
    """Base64 of float32, little endian, in the array's own order."""
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def whole_base64(values: Integer[np.ndarray, "..."]) -> str:
    """Base64 of int32, little endian, in the array's own order."""
    return base64.b64encode(values.astype("<i4").tobytes()).decode()


def members_base64(indices: Iterable[int]) -> str:
    """Base64 of a bit for each index up to the largest, set for those that are there; the lowest bit comes first."""
    members = np.fromiter(indices, int)
    bits = np.zeros(members.max(initial=-1) + 1, np.uint8)
    bits[members] = 1
    return base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def members_of(text: str) -> tuple[int, ...]:
    """The indices that `members_base64` packed, ascending, each one once.

    Raises:
        ValueError: It is no base64.
    """
    content = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    return tuple(np.flatnonzero(np.unpackbits(content, bitorder="little")).tolist())


def picture_base64(pixels: UInt8[np.ndarray, "height width channel"]) -> str:
    """A model's picture as base64 of a PNG, enlarged for showing."""
    return png_base64(enlarge(pixels[None], PICTURE_SCALE)[0])


def png_base64(pixels: UInt8[np.ndarray, "height width channel"]) -> str:
    """A picture as base64 of a PNG, packed for speed."""
    file = BytesIO()
    to_pillow(pixels).save(file, "PNG", compress_level=FAST)
    return base64.b64encode(file.getvalue()).decode()
