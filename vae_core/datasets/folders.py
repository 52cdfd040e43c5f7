"""Folders of images: which pictures belong to a split, what they are called, and their pixels.

By the present rule a picture's content decides to which split it belongs, so that pictures which come or go move no
other one, copies of a picture keep together, and what a model was trained on is never tested on.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from vae_core.datasets.labelled import SPLITS, LabelledImages, PictureFile, Split, seeded_random, share_of
from vae_core.errors import DatasetError, ImageError
from vae_core.images.files import MAX_BYTES, SUFFIXES, open_picture
from vae_core.images.preparation import prepare_picture
from vae_core.images.preparation_options import Preparation

__all__ = ["BY_CONTENT", "BY_POSITION", "is_shifted", "load_folder"]

logger = logging.getLogger(__name__)

BY_POSITION, BY_CONTENT = (
    1,
    2,
)  # rules of the split: that of version 0.1, by a seeded shuffle of all paths; the present one
TEST_SHARE, HELD_OUT_SHARE = 0.1, 0.2  # of all pictures: for the test, and for test and validation together
MIN_PICTURES = 3  # one for each split

Pixels = UInt8[Tensor, "channel height width"]
Decode = Callable[[bytes, str], Pixels | None]


def load_folder(
    root: Path,
    splits: Sequence[Split],
    *,
    image_shape: tuple[int, int, int],
    preparation: Preparation,
    rule: int = BY_CONTENT,
) -> dict[Split, LabelledImages]:
    """Load splits of a folder; `vae_core.datasets.registry.load_dataset` says how it is split and labelled.

    Args:
        root: the folder, which exists.
        splits: which of them.
        image_shape: (channel, height, width) in pixels, to which the pictures are brought.
        preparation: how they are prepared.
        rule: which split a picture belongs to: `BY_CONTENT`, or `BY_POSITION` for models of version 0.1.

    Raises:
        DatasetError: There are fewer than 3 readable pictures.
        InputError: `image_shape` is none that a picture can be brought to.
    """
    paths = _picture_paths(root)
    decode = partial(_decode, image_shape=image_shape, preparation=preparation)
    divide = _divide_by_content if rule == BY_CONTENT else _divide_by_position
    names = sorted({_label(path, root) for path in paths}, key=_natural)
    loaded = {}
    for split, pictures in divide(root, paths, splits, decode).items():
        _log_skipped(root, split, [picture.path for picture in pictures if picture.pixels is None])
        readable = [picture for picture in pictures if picture.pixels is not None]
        loaded[split] = LabelledImages(
            images=torch.stack([picture.pixels for picture in readable if picture.pixels is not None]),
            labels=torch.tensor([names.index(_label(picture.path, root)) for picture in readable]),
            label_names=tuple(names),
            files=tuple(PictureFile(each.path.relative_to(root).as_posix(), each.digest) for each in readable),
        )
    return loaded


def is_shifted(split: Split, part: LabelledImages) -> bool:
    """Whether a picture is in this split of a folder only because there are so few that a split would be empty."""
    return any(_split_of(file.digest) != split for file in part.files)


@dataclass(frozen=True, eq=False)
class _Picture:
    """A file that is named like a picture, once it was read.

    Attributes:
        path: where it lies.
        digest: 32 hexadecimal digits of its content.
        pixels: the prepared picture; None where it is no picture that can be read, or was not asked for.
    """

    path: Path
    digest: str
    pixels: Pixels | None


# -- the present rule ----------------------------------------------------------------------------------------------


def _divide_by_content(
    root: Path, paths: list[Path], splits: Sequence[Split], decode: Decode
) -> dict[Split, list[_Picture]]:
    """The pictures of each split in the order of their paths; each file is read once, those asked for are decoded."""
    found: dict[Split, list[_Picture]] = {split: [] for split in SPLITS}
    for path in paths:
        content = _content(path)
        digest = hashlib.sha256(content).hexdigest()[:32]
        split = _split_of(digest)
        found[split].append(_Picture(path, digest, decode(content, path.name) if split in splits else None))
    if all(_has_a_readable_one(found[split], decode, decoded=split in splits) for split in SPLITS):
        return {split: found[split] for split in splits}
    return _divide_few(root, [picture for part in found.values() for picture in part], splits, decode)


def _split_of(digest: str) -> Split:
    share = int(digest[:16], 16) / 2**64
    return "test" if share < TEST_SHARE else "validation" if share < HELD_OUT_SHARE else "train"


def _has_a_readable_one(pictures: list[_Picture], decode: Decode, *, decoded: bool) -> bool:
    if decoded:
        return any(picture.pixels is not None for picture in pictures)
    return any(decode(_content(picture.path), picture.path.name) is not None for picture in pictures)


def _divide_few(
    root: Path, pictures: list[_Picture], splits: Sequence[Split], decode: Decode
) -> dict[Split, list[_Picture]]:
    """Where a split would have no readable picture: the same order by content, its bounds moved as far as needed."""
    read = [_Picture(each.path, each.digest, decode(_content(each.path), each.path.name)) for each in pictures]
    ordered = sorted(
        (each for each in read if each.pixels is not None), key=lambda each: (each.digest, each.path.as_posix())
    )
    count = len(ordered)
    if count < MIN_PICTURES:
        raise _too_few(root, count)
    by_content = [_split_of(each.digest) for each in ordered]
    first = min(max(by_content.count("test"), 1), count - 2)  # of validation
    second = min(max(first + by_content.count("validation"), first + 1), count - 1)  # of train
    bounds: dict[Split, slice] = {
        "test": slice(first),
        "validation": slice(first, second),
        "train": slice(second, count),
    }
    unreadable = [each for each in read if each.pixels is None]
    return {
        split: _in_order([*ordered[bounds[split]], *(e for e in unreadable if _split_of(e.digest) == split)], root)
        for split in splits
    }


def _in_order(pictures: list[_Picture], root: Path) -> list[_Picture]:
    return sorted(pictures, key=lambda picture: _natural(picture.path.relative_to(root).as_posix()))


def _too_few(root: Path, count: int) -> DatasetError:
    return DatasetError(
        f"the folder {root} must hold at least {MIN_PICTURES} readable pictures, one for each of train, validation "
        f"and test, got {count}."
    )


# -- the rule of version 0.1 ---------------------------------------------------------------------------------------


def _divide_by_position(
    root: Path, paths: list[Path], splits: Sequence[Split], decode: Decode
) -> dict[Split, list[_Picture]]:
    """80% train, 10% validation, 10% test of the shuffled paths, of which the first three readable go one to each."""
    shuffled = seeded_random().permutation(len(paths)).tolist()
    first = list(islice((row for row in shuffled if _read(paths[row], decode).pixels is not None), MIN_PICTURES))
    if len(first) < MIN_PICTURES:
        raise _too_few(root, len(first))
    others = [row for row in shuffled if row not in first]
    return {
        split: [
            _read(paths[row], decode)
            for row in sorted(share_of(split, first, one_in=MIN_PICTURES) + share_of(split, others, one_in=10))
        ]
        for split in splits
    }


# -- files ---------------------------------------------------------------------------------------------------------


def _picture_paths(root: Path) -> list[Path]:
    """Everything in the folder, at any depth, that is named like a picture, in natural order of the paths."""
    inside = root.resolve()
    named = (path for path in root.rglob("*") if _is_picture_name(path.relative_to(root)))
    wanted = (path for path in named if path.is_file() and path.resolve().is_relative_to(inside))
    return sorted(wanted, key=lambda path: _natural(path.relative_to(root).as_posix()))


def _is_picture_name(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.suffix.lower() in SUFFIXES


def _natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts as people do: "cat 2" before "cat 10", capitals beside small letters."""
    words = re.split(r"(\d+)", name.casefold())  # every second one is a number
    return [int(word) if position % 2 else word for position, word in enumerate(words)], name


def _label(path: Path, root: Path) -> str:
    folders = path.relative_to(root).parts[:-1]
    return folders[0] if folders else root.resolve().name


def _read(path: Path, decode: Decode) -> _Picture:
    content = _content(path)
    return _Picture(path, hashlib.sha256(content).hexdigest()[:32], decode(content, path.name))


def _content(path: Path) -> bytes:
    """The file's bytes, one more than a picture may have of one that is too long; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError:
        return b""


def _decode(content: bytes, name: str, *, image_shape: tuple[int, int, int], preparation: Preparation) -> Pixels | None:
    try:
        picture = open_picture(content, name=name)
    except ImageError:
        return None
    prepared = prepare_picture(picture, shape=image_shape, preparation=preparation)
    return (prepared * 255).round().to(torch.uint8)


def _log_skipped(root: Path, split: Split, skipped: list[Path]) -> None:
    if skipped:
        message = "Skipped %d unreadable pictures in the %s part of %s, the first is %s"
        logger.warning(message, len(skipped), split, root, skipped[0].name)
