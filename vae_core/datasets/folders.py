"""Folders of images: which pictures belong to a split, what they are called, and their pixels.

Only the pictures of the asked split are opened, and those that show that no split is empty.
"""

import logging
import re
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from vae_core.datasets.labelled import LabelledImages, Split, seeded_random, share_of
from vae_core.errors import DatasetError, ImageError
from vae_core.images.files import MAX_BYTES, open_picture
from vae_core.images.preparation import prepare_picture
from vae_core.images.preparation_options import Preparation

__all__ = ["load_folder"]

logger = logging.getLogger(__name__)

MIN_PICTURES = 3  # one for each split
PICTURE_SUFFIXES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def load_folder(
    root: Path, split: Split, *, image_shape: tuple[int, int, int], preparation: Preparation
) -> LabelledImages:
    """Load one split of a folder; `vae_core.datasets.registry.load_dataset` says how it is split and labelled.

    Args:
        root: The folder, which exists.
        split: Which part.
        image_shape: (channel, height, width) in pixels, to which the pictures are brought.
        preparation: How they are prepared.

    Raises:
        DatasetError: There are fewer than 3 readable pictures.
        InputError: `image_shape` is none that a picture can be brought to.
    """
    paths = _picture_paths(root)
    read = partial(_read_picture, image_shape=image_shape, preparation=preparation)
    asked = _paths_of(split, paths, root, read)
    pictures = {path: picture for path in asked if (picture := read(path)) is not None}
    _log_skipped(root, split, [path for path in asked if path not in pictures])
    names = sorted({_label(path, root) for path in paths}, key=_natural)
    labels = [names.index(_label(path, root)) for path in pictures]
    return LabelledImages(torch.stack(list(pictures.values())), torch.tensor(labels), tuple(names))


def _picture_paths(root: Path) -> list[Path]:
    """Everything in the folder, at any depth, that is named like a picture, in natural order of the paths."""
    inside = root.resolve()
    named = (path for path in root.rglob("*") if _is_picture_name(path.relative_to(root)))
    wanted = (path for path in named if path.is_file() and path.resolve().is_relative_to(inside))
    return sorted(wanted, key=lambda path: _natural(path.relative_to(root).as_posix()))


def _is_picture_name(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.suffix.lower() in PICTURE_SUFFIXES


def _natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts as people do: "cat 2" before "cat 10", capitals beside small letters."""
    words = re.split(r"(\d+)", name.casefold())  # every second one is a number
    return [int(word) if position % 2 else word for position, word in enumerate(words)], name


def _label(path: Path, root: Path) -> str:
    folders = path.relative_to(root).parts[:-1]
    return folders[0] if folders else root.resolve().name


def _paths_of(split: Split, paths: list[Path], root: Path, read: Callable[[Path], Tensor | None]) -> list[Path]:
    """The split's share of the paths, in their order, of which at least one can be read.

    The first three readable pictures of the shuffled ones go one to each split. So no split is
    empty, and yet none of the others' pictures but these need be opened.
    """
    shuffled = seeded_random().permutation(len(paths)).tolist()
    first = list(islice((row for row in shuffled if read(paths[row]) is not None), MIN_PICTURES))
    if len(first) < MIN_PICTURES:
        raise DatasetError(
            f"the folder {root} must hold at least {MIN_PICTURES} readable pictures, one for each of train, "
            f"validation and test, got {len(first)}."
        )
    others = [row for row in shuffled if row not in first]
    rows = share_of(split, first, one_in=MIN_PICTURES) + share_of(split, others, one_in=10)
    return [paths[row] for row in sorted(rows)]


def _read_picture(
    path: Path, *, image_shape: tuple[int, int, int], preparation: Preparation
) -> UInt8[Tensor, "channel height width"] | None:
    try:
        with path.open("rb") as file:
            picture = open_picture(file.read(MAX_BYTES + 1), name=path.name)  # refused if it is one byte too long
    except (ImageError, OSError):
        return None
    prepared = prepare_picture(picture, shape=image_shape, preparation=preparation)
    return (prepared * 255).round().to(torch.uint8)


def _log_skipped(root: Path, split: Split, skipped: list[Path]) -> None:
    if skipped:
        message = "Skipped %d unreadable pictures in the %s part of %s, the first is %s"
        logger.warning(message, len(skipped), split, root, skipped[0].name)
