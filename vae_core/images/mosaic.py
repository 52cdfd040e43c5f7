"""Pictures side by side as one picture: montages, gapless grids, and sheets with titles.

Pictures are pixels as in `vae_core.images.pixels`: uint8, [..., height, width, channel], with 1 channel (grey),
3 (colour) or 4 (colour and opacity).
"""

import functools
import math
import string
import unicodedata
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from vae_core.errors import InputError
from vae_core.images.files import MAX_PIXELS
from vae_core.images.pixels import enlarge, to_pillow

__all__ = ["CLEAR", "can_write", "check_size", "grid", "montage", "sheet"]

CLEAR = (0, 0, 0, 0)  # a ground that lets the page show through
GREY = (128,)  # told apart from black pictures and from white ones
WHITE = (255,)

CELL_SIDE = 64  # pixels of a sheet's pictures, at the least; the strips' height too
TITLE_SIZE = 14  # pixels from ascender to descender: as large as a page's text
PADDING = 6  # pixels on each side of a title
# What Pillow's own font draws beside ASCII, of what a title is likely to hold; it has no accents and no Greek.
DRAWN = frozenset(string.ascii_letters + string.digits + string.punctuation + " \n±°·")


def can_write(title: str) -> bool:
    """Whether a sheet can show a title as it is, but for accents; of other letters it shows question marks."""
    return DRAWN.issuperset(_plain(title))


def montage(
    images: UInt8[np.ndarray, "n h w c"],
    *,
    columns: int | None = None,
    gap: int = 1,
    background: tuple[int, ...] = GREY,
) -> UInt8[np.ndarray, "_ _ _"]:
    """Pictures row by row, from the top left.

    Args:
        images: The pictures.
        columns: Pictures in a row, fewer where there are fewer; None makes the whole nearly square.
        gap: Pixels between two pictures; none around them all.
        background: Levels of each channel, 0 to 255; with more channels than the pictures they are converted.

    Returns:
        [height, width, channel], with as many channels as the pictures or the background, whichever has more.

    Raises:
        InputError: There is no picture or no column, the gap is negative, the background is no colour, or the
            whole would have more than `MAX_PIXELS`.
    """
    count, height, width, channels = images.shape
    if count < 1 or gap < 0 or (columns is not None and columns < 1):
        raise InputError(
            f"a montage needs at least 1 picture, 1 column and a gap of 0, got {count} pictures, {columns} columns "
            f"and a gap of {gap}."
        )
    across = min(columns or math.ceil(math.sqrt(count * height / width)), count)
    down = -(-count // across)  # rounded up
    ground = _ground(down * (height + gap) - gap, across * (width + gap) - gap, channels, background)
    for place, image in enumerate(_converted(images, ground.shape[2])):
        _put(ground, image, place // across * (height + gap), place % across * (width + gap))
    return ground


def grid(images: UInt8[np.ndarray, "rows columns h w c"]) -> UInt8[np.ndarray, "_ _ c"]:
    """Pictures as they are given, without gaps: the picture of a plane of codes, [height, width, channel].

    Raises:
        InputError: There is no picture, or the whole would have more than `MAX_PIXELS`.
    """
    rows, columns, height, width, channels = images.shape
    if not rows * columns:
        raise InputError(f"a grid needs at least 1 picture, got {rows} rows of {columns}.")
    check_size(rows * height, columns * width)
    return images.swapaxes(1, 2).reshape(rows * height, columns * width, channels)


def sheet(
    images: UInt8[np.ndarray, "rows columns h w c"],
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    *,
    scale: int | None = None,
    gap: int = 2,
    background: tuple[int, ...] = WHITE,
) -> UInt8[np.ndarray, "_ _ _"]:
    """A table of pictures with a title left of each row and above each column.

    Titles may have several lines. They are drawn in Pillow's own font, black on a light ground and white on a
    dark one; letters it lacks lose their accents or become question marks.

    Args:
        images: The pictures.
        row_titles: Title of each row, such as a dimension's name and KL.
        column_titles: Title of each column, such as a value.
        scale: Side in pixels of the square that each pixel becomes; None makes pictures at least `CELL_SIDE` high.
        gap: Pixels between pictures, at the least: cells are as large as their titles need.
        background: One level or three, 0 to 255.

    Returns:
        [height, width, channel], with as many channels as the pictures or the background, whichever has more.

    Raises:
        InputError: There is no picture, titles and pictures differ in number, the pictures or the background have
            other than 1 or 3 channels, the scale is below 1, or the whole would have more than `MAX_PIXELS`.
    """
    rows, columns, height, width, channels = images.shape
    if not rows * columns or (len(row_titles), len(column_titles)) != (rows, columns):
        raise InputError(
            f"a sheet needs pictures and a title for each row and column, got {rows} rows of {columns} pictures, "
            f"{len(row_titles)} and {len(column_titles)} titles."
        )
    if (most := max(channels, len(background))) > 3:
        raise InputError(f"titles are drawn on an opaque ground of 1 or 3 channels, got {most}; leave opacity away.")
    scale = -(-CELL_SIDE // height) if scale is None else scale
    left, row_height = _room(row_titles)
    column_width, top = _room(column_titles)
    tall, wide = max(height * scale, row_height), max(width * scale, column_width)  # of a cell
    ground = _ground(top + rows * (tall + gap) - gap, left + columns * (wide + gap) - gap, channels, background)
    across = [left + wide // 2 + column * (wide + gap) for column in range(columns)]  # middles of the cells
    down = [top + tall // 2 + row * (tall + gap) for row in range(rows)]
    large = enlarge(_converted(images, ground.shape[2]), scale)
    for row, y in enumerate(down):
        for column, x in enumerate(across):
            _put(ground, large[row, column], y - height * scale // 2, x - width * scale // 2)
    beside = [(left - PADDING, y, "rm", title) for y, title in zip(down, row_titles, strict=True)]
    above = [(x, top // 2, "mm", title) for x, title in zip(across, column_titles, strict=True)]
    return _titled(ground, beside + above)


def check_size(height: int, width: int) -> None:
    """Let a picture pass that has at most `MAX_PIXELS`.

    Raises:
        InputError: It has more.
    """
    if height * width > MAX_PIXELS:
        raise InputError(
            f"a picture must have at most {MAX_PIXELS:,} pixels, got {width:,} x {height:,}; take fewer or smaller."
        )


def _ground(height: int, width: int, channels: int, background: tuple[int, ...]) -> np.ndarray:
    """An even ground that holds pictures of so many channels, [height, width, channel]."""
    if len(background) not in (1, 3, 4) or min(background) < 0 or max(background) > 255:
        raise InputError(f"a background has 1, 3 or 4 levels from 0 to 255, got {background}.")
    check_size(height, width)
    colour = _converted(np.array([[background]], np.uint8), max(channels, len(background)))
    return np.tile(colour, (height, width, 1))


def _converted(images: np.ndarray, channels: int) -> np.ndarray:
    """Pictures [..., channel] with more channels: grey as colour, colour as opaque."""
    if images.shape[-1] == 1 < channels:
        images = images.repeat(3, axis=-1)
    if images.shape[-1] < channels:
        images = np.concatenate([images, np.full_like(images[..., :1], 255)], axis=-1)
    return images


def _put(ground: np.ndarray, image: np.ndarray, top: int, left: int) -> None:
    ground[top : top + image.shape[0], left : left + image.shape[1]] = image


@functools.cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(TITLE_SIZE)


def _drawable(title: str) -> str:
    """The title in letters that the font has."""
    return "".join(each if each in DRAWN else "?" for each in _plain(title))


def _plain(title: str) -> str:
    """A title without accents."""
    letters = unicodedata.normalize("NFKD", title.replace("\N{MINUS SIGN}", "-"))
    return "".join(each for each in letters if not unicodedata.combining(each))


def _room(titles: Sequence[str]) -> tuple[int, int]:
    """Width and height in pixels that the largest of the titles needs with its padding; none for empty ones."""
    pen = ImageDraw.Draw(Image.new("L", (1, 1)))
    boxes = [pen.multiline_textbbox((0, 0), _drawable(title), font=_font()) for title in titles if title]
    if not boxes:
        return 0, 0
    return math.ceil(max(box[2] for box in boxes)) + 2 * PADDING, math.ceil(max(box[3] for box in boxes)) + 2 * PADDING


def _titled(ground: np.ndarray, titles: list[tuple[int, int, str, str]]) -> np.ndarray:
    """The ground with titles at (x, y), anchored there as Pillow's anchors say."""
    picture = to_pillow(ground)
    pen = ImageDraw.Draw(picture)
    ink = "black" if ground[0, 0].mean() > 127 else "white"  # the corner that no title and no picture covers
    for x, y, anchor, title in titles:
        pen.multiline_text((x, y), _drawable(title), ink, _font(), anchor, align="right")
    return np.asarray(picture).reshape(ground.shape)
