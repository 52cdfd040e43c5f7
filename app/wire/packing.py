"""Arrays, members and pictures as text for the page: base64 of little-endian numbers, of bits and of PNG files."""

import base64
from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, Float32, Integer, UInt8

from vae_core.images.pixels import FAST, enlarge, to_png

__all__ = [
    "PICTURE_SCALE",
    "file_address",
    "flags_base64",
    "floats_base64",
    "floats_of",
    "halves_base64",
    "members_base64",
    "members_of",
    "picture_address",
    "picture_base64",
    "whole_base64",
]

PICTURE_SCALE = 2  # PNG pixels a side for each of the model's


def floats_base64(values: Float[np.ndarray, "..."]) -> str:
    """Base64 of float32, little endian, in the array's own order."""
    return _text(values.astype("<f4").tobytes())


def whole_base64(values: Integer[np.ndarray, "..."]) -> str:
    """Base64 of int32, little endian, in the array's own order."""
    return _text(values.astype("<i4").tobytes())


def halves_base64(values: Float[np.ndarray, "..."]) -> str:
    """Base64 of float16, little endian, in the array's own order."""
    return _text(values.astype("<f2").tobytes())


def flags_base64(values: Bool[np.ndarray, "..."]) -> str:
    """Base64 of a byte for each value, 1 where it is true and 0 elsewhere."""
    return _text(values.astype(np.uint8).tobytes())


def floats_of(text: str) -> Float32[np.ndarray, " n"]:
    """The numbers that `floats_base64` packed, in one row; they cannot be written to.

    Raises:
        ValueError: The text is no base64, or its bytes are no whole float32 values.
    """
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32, copy=False)


def members_base64(indices: Iterable[int]) -> str:
    """Base64 of a bit for each index up to the largest, set for those that are there; the lowest bit comes first."""
    members = np.fromiter(indices, int)
    bits = np.zeros(members.max(initial=-1) + 1, np.uint8)
    bits[members] = 1
    return _text(np.packbits(bits, bitorder="little").tobytes())


def members_of(text: str) -> tuple[int, ...]:
    """The indices that `members_base64` packed, ascending, each one once.

    Raises:
        ValueError: It is no base64.
    """
    content = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    return tuple(np.flatnonzero(np.unpackbits(content, bitorder="little")).tolist())


def picture_base64(pixels: UInt8[np.ndarray, "height width channel"], *, scale: int = PICTURE_SCALE) -> str:
    """Base64 of a PNG of a picture, packed for speed.

    Args:
        pixels: The picture.
        scale: Side in PNG pixels of the square that each pixel becomes.

    Raises:
        InputError: The scale is below 1, or the picture has other than 1, 3 or 4 channels.
    """
    return _text(to_png(enlarge(pixels, scale), level=FAST))


def picture_address(pixels: UInt8[np.ndarray, "height width channel"], *, scale: int = PICTURE_SCALE) -> str:
    """The address that holds a picture itself as a PNG, for ``src`` and Markdown; arguments as `picture_base64` has."""
    return f"data:image/png;base64,{picture_base64(pixels, scale=scale)}"


def file_address(content: bytes, media_type: str) -> str:
    """The address that holds a whole file of the type that HTTP names so, such as ``"image/webp"``."""
    return f"data:{media_type};base64,{_text(content)}"


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
