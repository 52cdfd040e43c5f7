"""Picture files from outside: bytes or a path -> an upright 8-bit picture, or an `ImageError`.

Nothing else that Pillow may raise gets past it.
"""

import os
import re
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from vae_core.errors import ImageError

__all__ = ["MAX_BYTES", "MAX_PIXELS", "SUFFIXES", "open_picture", "to_eight_bit"]

# With which files of the formats that `open_picture` reads end.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".avif")

# A 48-megapixel phone's JPEG is 10 to 15 MiB; what is larger is no single picture for a 28-pixel model.
MAX_BYTES = 20 * 2**20

# Lets a 50-megapixel phone (8160 x 6120) pass, at 200 MB as RGBA, and stays below the 89 million at which
# Pillow warns by itself: `warnings` cannot be silenced for one thread, so it must not come to that.
MAX_PIXELS = 50_000_000
MAX_FILE_SIDE = (
    65_535  # JPEG's own limit; Pillow needs 12 bytes a row beside the pixels, which adds up at 1 x 50,000,000
)

# Each scan of a progressive JPEG goes over all of it: a phone's picture has 10, and a file may have any number.
MAX_SCANNED = 20 * MAX_PIXELS
START_OF_SCAN = b"\xff\xda"  # a marker: in what is scanned a zero follows each 255
TILE_SIDES = (322, 323)  # TIFF's tags; libtiff makes room for a whole tile

# How each format's file starts, and Pillow's reader for it. Going past `Image.open` keeps every other parser
# (PostScript, Photoshop, ...) out of reach, and its bomb warning with it. Icons are left out since their
# reader decodes before the size can be checked. A multi-picture JPEG gives its first picture.
READERS: tuple[tuple[re.Pattern[bytes], type[ImageFile]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    (re.compile(rb"\xff\xd8\xff"), JpegImageFile),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), WebPImageFile),
    (re.compile(rb"GIF8[79]a"), GifImageFile),
    (re.compile(rb"BM"), BmpImageFile),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), TiffImageFile),
    (re.compile(rb"P[1-6f]\s"), PpmImageFile),
    (re.compile(rb".{4}ftyp(avi[fs]|mif1|msf1)", re.DOTALL), AvifImageFile),
)

# What Pillow's readers raise on damaged files. `Warning` is there for callers who turn warnings into errors.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)

# The values that may stand for white in the modes deeper than 8 bits. The smallest that no pixel exceeds is
# taken; where none fits, the picture's own darkest and brightest values become black and white.
WHITES: dict[str, tuple[float, ...]] = {
    "I;16": (65535,),
    "I;16B": (65535,),
    "I;16L": (65535,),
    "I;16N": (65535,),
    "I": (255, 65535),
    "F": (1, 255),
}


def open_picture(source: bytes | str | os.PathLike[str], *, name: str | None = None) -> Image.Image:
    """Read a picture from outside: PNG, JPEG, WebP, GIF, BMP, TIFF, PPM or AVIF.

    The first frame of an animation is taken and the EXIF orientation applied. Grey deeper than 8
    bits is scaled, not clipped: 16-bit values by 65535, 32-bit integers by 255 or 65535 and floats
    by 1 or 255, whichever holds them all, or else by the picture's own range. Colour profiles are
    ignored.

    Args:
        source: The file's content, or its path.
        name: What an error message calls the picture; when not given, the file's name of a path.

    Returns:
        A loaded picture of mode ``"L"``, ``"RGB"`` or, if any pixel is transparent, ``"RGBA"``.

    Raises:
        ImageError: The file cannot be read, or its content is empty, larger than `MAX_BYTES`, in no format named
            above, damaged, holds more than `MAX_PIXELS` pixels or asks for more work than those (found before they are
            decoded), or holds NaN or infinity.
    """
    if isinstance(source, bytes):
        data, name = source, name or "the picture"
    else:
        data, name = _content(Path(source)), name or Path(source).name
    _check_bytes(data, name)
    reader = _reader_of(data, name)
    try:
        picture = reader(BytesIO(data))  # reads the header and decodes nothing yet
        _check_pixels(picture, name)
        _check_work(picture, data, name)
        picture.load()
        return to_eight_bit(_upright(picture), name)
    except DAMAGE as error:
        raise ImageError(
            f"{name} must be an intact picture, got {reader.format} data that cannot be decoded "
            f"({str(error) or type(error).__name__}); save it again as PNG or JPEG."
        ) from error


def to_eight_bit(picture: Image.Image, name: str) -> Image.Image:
    """The picture as mode ``"L"``, ``"RGB"`` or, if any pixel is transparent, ``"RGBA"``; deeper grey is scaled.

    Raises:
        ImageError: It holds NaN or infinity.
    """
    if picture.mode in WHITES:
        picture = _deep_to_grey(picture, name)
    is_grey = picture.mode in ("1", "L", "LA")
    if picture.has_transparency_data:
        # Palettes with transparent entries convert without loss to RGBA only, so go through it even where
        # all turns out to be opaque.
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() != (255, 255):
            return picture
    return picture.convert("L" if is_grey else "RGB")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # refused if it is one byte too long
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror}); give the path of a picture's file.") from error


def _check_bytes(data: bytes, name: str) -> None:
    if not data:
        raise ImageError(f"{name} must be a picture, got an empty file; choose another file.")
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"{name} must have at most {MAX_BYTES:,} bytes, got {len(data):,}; make the picture smaller and try again."
        )


def _reader_of(data: bytes, name: str) -> type[ImageFile]:
    for start, reader in READERS:
        if start.match(data):
            return reader
    raise ImageError(
        f"{name} must be a PNG, JPEG, WebP, GIF, BMP, TIFF, PPM or AVIF picture, got a file that starts with "
        f"{data[:12].decode('latin-1')!r}; save it as PNG or JPEG and try again."
    )


def _check_pixels(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_FILE_SIDE:
        raise ImageError(
            f"{name} must have at most {MAX_PIXELS:,} pixels and {MAX_FILE_SIDE:,} on a side, "
            f"got {width:,} x {height:,} = {width * height:,}; make the picture smaller and try again."
        )


def _check_work(picture: ImageFile, data: bytes, name: str) -> None:
    """Let pictures pass whose decoding takes as much as their size says; some formats let a small file ask for more."""
    width, height = picture.size
    if isinstance(picture, JpegImageFile) and (scans := data.count(START_OF_SCAN)) * width * height > MAX_SCANNED:
        raise ImageError(
            f"{name} must have at most {MAX_SCANNED // (width * height):,} scans at {width:,} x {height:,} pixels, got "
            f"{scans:,}; save it again as PNG or JPEG."
        )
    if isinstance(picture, TiffImageFile):
        tile = [picture.tag_v2.get(tag, 1) for tag in TILE_SIDES]
        if not all(isinstance(side, int) for side in tile) or tile[0] * tile[1] > MAX_PIXELS:
            raise ImageError(
                f"{name} must have tiles of at most {MAX_PIXELS:,} pixels, got {tile[0]} x {tile[1]}; save it again as "
                "PNG or JPEG."
            )


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except DAMAGE:  # in the EXIF block: it costs the orientation, not the picture
        return picture


def _deep_to_grey(picture: Image.Image, name: str) -> Image.Image:
    stored = np.asarray(picture)  # (height, width)
    broken = np.count_nonzero(~np.isfinite(stored))
    if broken:
        raise ImageError(f"{name} must hold finite values, got {broken:,} that are NaN or infinite; replace them.")
    black, white = _black_and_white(stored, picture.mode)
    values = stored.astype(np.float64)
    values -= black  # in place: at MAX_PIXELS each copy would take 400 MB
    values *= 255 / (white - black)
    grey = Image.fromarray(np.rint(values, out=values).astype(np.uint8))
    if "transparency" in picture.info:  # the one value that a 16-bit PNG may declare transparent
        grey.putalpha(Image.fromarray(stored != picture.info["transparency"]))
    return grey


def _black_and_white(values: np.ndarray, mode: str) -> tuple[float, float]:
    lowest, highest = float(values.min()), float(values.max())
    for white in WHITES[mode]:
        if lowest >= 0 and highest <= white:
            return 0.0, white
    return lowest, highest if highest > lowest else lowest + 1
