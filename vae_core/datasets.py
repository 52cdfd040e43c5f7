"""Named data sets and folders of images, as tensors in memory.

A named set is found in this order:

1. ``NAME.npz`` in the data folder: the argument `data_dir`, else the environment's ``VAE_DATA_DIR``;
2. the official files in the cache folder, under ``NAME/``: the environment's ``VAE_CACHE_DIR``,
   else the operating system's cache folder;
3. a download of the official files into the cache folder. ``VAE_MNIST_URL`` names another
   mirror, such as a class room's own.

Only what the asked split needs is opened.
"""

import gzip
import hashlib
import logging
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import pooch
import requests
import torch
from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor

from vae_core.config import Preparation
from vae_core.errors import DatasetError, DownloadError, ImageError
from vae_core.images import MAX_BYTES, open_picture, prepare_picture

__all__ = ["DATASETS", "DATASET_NAMES", "DatasetInfo", "LabelledImages", "Split", "load_dataset"]

logger = logging.getLogger(__name__)

Split = Literal["train", "validation", "test"]

SPLIT_SEED = 0
RETRIES = 2  # after the first try, with a pause of 1 s, then 2 s
TIMEOUT_SECONDS = 30.0  # without a byte
CHUNK_BYTES = 2**16
MAX_UNPACKED_BYTES = 2**26  # MNIST's largest file unpacks to 47 MB
MIN_PICTURES = 3  # of a folder: one for each split
PICTURE_SUFFIXES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """One split of a data set.

    Attributes:
        images: Values 0 to 255.
        labels: Positions in `label_names`.
        label_names: What the labels are called; the same for every split.
    """

    images: UInt8[Tensor, "image channel height width"]
    labels: Int64[Tensor, " image"]
    label_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a named data set before it is loaded.

    Attributes:
        name: What `load_dataset` and the command line call it.
        title: What people call it.
        image_shape: (channel, height, width), in pixels.
        preparation: How a picture from outside comes to look like one of the set.
        licence: Under which the pictures are given.
        citation: Of the source.
        load: Reads one split; the second argument is the data folder, if one was asked for.
    """

    name: str
    title: str
    image_shape: tuple[int, int, int]
    preparation: Preparation
    licence: str
    citation: str
    load: Callable[[Split, Path | None], LabelledImages] = field(repr=False)


def load_dataset(
    name: str,
    split: Split,
    *,
    data_dir: Path | None = None,
    image_shape: tuple[int, int, int] | None = None,
    preparation: Preparation | None = None,
) -> LabelledImages:
    """Load one split of a named data set or of a folder of images.

    Every call gives the same images in the same order. A folder's pictures are labelled by the
    subfolder they lie in (at any depth), those directly in the folder by its own name. They are
    shuffled with a fixed seed into 80% train, 10% validation and 10% test, at least one each.
    Hidden files and links that lead outside are passed over; unreadable pictures are logged.

    Args:
        name: One of `DATASET_NAMES`, or the path of a folder of images.
        split: Which part.
        data_dir: Folder that may hold ``NAME.npz``; by default that in ``VAE_DATA_DIR``.
        image_shape: (channel, height, width) in pixels, to which a folder's pictures are
            brought. A named set has its own, which this may only repeat.
        preparation: How a folder's pictures are prepared. Those of a named set already are.

    Raises:
        DatasetError: The set is unknown, missing or damaged, or a folder has fewer than 3
            readable pictures.
        DownloadError: The set could not be fetched whole; nothing half fetched is kept.
        InputError: `image_shape` is none that a picture can be brought to.
    """
    info = DATASETS.get(name)
    if info is None:
        return _load_folder(_known_folder(name), split, image_shape, preparation)
    if image_shape not in (None, info.image_shape):
        raise DatasetError(f"{name} has pictures of shape {info.image_shape}, got image_shape {image_shape}; omit it.")
    return info.load(split, data_dir)


def _known_folder(name: str) -> Path:
    if not name or not _is_folder(Path(name)):
        known = ", ".join(DATASET_NAMES)
        raise DatasetError(f"the data set must be one of {known}, or the path of a folder of images, got {name!r}.")
    return Path(name)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long for the file system, or a parent that may not be entered
        return False


# Data sets published as idx files, the format of MNIST


@dataclass(frozen=True)
class IdxSet:
    """A grey-scale data set published as four gzipped idx files.

    Attributes:
        name: As in `DATASETS`.
        url: Address of the folder with the files.
        url_variable: Environment variable that names another mirror.
        image_size: (height, width), in pixels.
        label_names: What the labels are called.
        validation_count: How many images at the end of the training file are the validation split.
        md5: Of each file's unpacked bytes; those of the packed files differ between mirrors.
    """

    name: str
    url: str
    url_variable: str
    image_size: tuple[int, int]
    label_names: tuple[str, ...]
    validation_count: int
    md5: dict[str, str]

    @property
    def remedy(self) -> str:
        """What to do about a failed download."""
        return f"try again, or set VAE_DATA_DIR to a folder that holds {self.name}.npz"


MNIST = IdxSet(
    name="mnist",
    url="https://ossci-datasets.s3.amazonaws.com/mnist/",
    url_variable="VAE_MNIST_URL",
    image_size=(28, 28),
    label_names=tuple("0123456789"),
    validation_count=5_000,
    md5={
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
)

# What NumPy raises on a damaged archive. A TypeError is a single array saved under the archive's name, a
# ValueError a pickle, a RuntimeError a password or a packing unknown to Python.
ARCHIVE_DAMAGE = (
    EOFError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class OfficialPart:
    """The training or the test part as published, not yet checked; `origin` says where it was read."""

    origin: str
    images: np.ndarray
    labels: np.ndarray
    label_names: tuple[str, ...]


def _load_mnist(split: Split, data_dir: Path | None) -> LabelledImages:
    return _load_idx_set(MNIST, split, data_dir)


def _load_idx_set(source: IdxSet, split: Split, data_dir: Path | None) -> LabelledImages:
    archive = _archive(source.name, data_dir)
    official = "test" if split == "test" else "train"
    part = _read_idx_pair(source, official) if archive is None else _read_archive(archive, official)
    count = source.validation_count
    _check_part(part, source.image_size, at_least=1 if split == "test" else count + 1)
    rows = {"train": slice(None, -count), "validation": slice(-count, None), "test": slice(None)}[split]
    images = np.array(part.images[rows, None])  # [image, 1, height, width]; a copy lets go of the other rows
    labels = part.labels[rows].astype(np.int64)
    return LabelledImages(torch.from_numpy(images), torch.from_numpy(labels), part.label_names)


def _check_part(part: OfficialPart, image_size: tuple[int, int], *, at_least: int) -> None:
    images, labels = part.images, part.labels
    if images.dtype != np.uint8 or images.shape[1:] != image_size:
        height, width = image_size
        found = f"{images.dtype} {list(images.shape)}"
        raise DatasetError(f"{part.origin}: images must be uint8 [image, {height}, {width}], got {found}.")
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        found = f"{labels.dtype} {list(labels.shape)}"
        raise DatasetError(f"{part.origin}: labels must be uint8 [{len(images)}], one an image, got {found}.")
    if len(labels) < at_least:
        raise DatasetError(f"{part.origin}: there must be at least {at_least} images, got {len(labels)}.")
    if labels.max() >= len(part.label_names):
        raise DatasetError(
            f"{part.origin}: labels must be below {len(part.label_names)}, the number of names, got {labels.max()}."
        )


def _archive(name: str, data_dir: Path | None) -> Path | None:
    """The data folder's ``NAME.npz``; None where there is no data folder or it lacks the file."""
    asked = data_dir or os.environ.get("VAE_DATA_DIR")
    if not asked:
        return None
    folder = Path(asked)
    if not _is_folder(folder):
        raise DatasetError(f"the data folder must exist, got {folder}; correct VAE_DATA_DIR or the argument.")
    archive = folder / f"{name}.npz"
    return archive if archive.is_file() else None


def _read_archive(path: Path, official: str) -> OfficialPart:
    keys = (f"x_{official}", f"y_{official}", "label_names")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            missing = [key for key in keys if key not in arrays]
            if missing:
                raise DatasetError(f"{path} must hold {', '.join(keys)}, but lacks {', '.join(missing)}.")
            images, labels, names = (arrays[key] for key in keys)
    except ARCHIVE_DAMAGE as error:
        raise DatasetError(f"{path} cannot be read as an archive of plain arrays ({error}).") from error
    if names.ndim != 1 or names.dtype.kind != "U":
        raise DatasetError(f"{path}: label_names must be a list of texts, got {names.dtype} {list(names.shape)}.")
    return OfficialPart(str(path), images, labels, tuple(names.tolist()))


def _read_idx_pair(source: IdxSet, official: str) -> OfficialPart:
    prefix = {"train": "train", "test": "t10k"}[official]
    images_file, labels_file = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    images = _parse_idx(_unpacked(source, images_file), images_file, axes=3)
    labels = _parse_idx(_unpacked(source, labels_file), labels_file, axes=1)
    return OfficialPart(images_file, images, labels, source.label_names)


def _parse_idx(content: bytes, file: str, *, axes: int) -> UInt8[np.ndarray, "..."]:
    """Read the idx format: its magic number, the big-endian length of each axis, the values.

    Source: http://yann.lecun.com/exdb/mnist/
    """
    magic = bytes([0, 0, 8, axes])  # 8 stands for uint8
    header = 4 + 4 * axes
    if content[:4] != magic or len(content) < header:
        raise DatasetError(f"{file} must start with {magic.hex()} and {axes} lengths, got {content[:header].hex()}.")
    shape = struct.unpack_from(f">{axes}I", content, offset=4)
    if len(content) - header != math.prod(shape):
        raise DatasetError(f"{file} must hold {shape} = {math.prod(shape)} values, got {len(content) - header}.")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _unpacked(source: IdxSet, file: str) -> bytes:
    """The file's unpacked bytes, from the cache or else from the mirror, with the right checksum."""
    folder = Path(os.environ.get("VAE_CACHE_DIR") or pooch.os_cache("vae-explorer")) / source.name
    try:
        return _verified(source, file, _fetch(source, file, folder))
    except OSError as error:
        reason = error.strerror or "it is not writable"
        raise DatasetError(
            f"the cache folder {folder} cannot be used ({reason}); set VAE_CACHE_DIR to another."
        ) from error


def _fetch(source: IdxSet, file: str, folder: Path) -> Path:
    """The packed file in the cache folder, where pooch puts a download only once it is whole."""
    packed = f"{file}.gz"
    mirror = os.environ.get(source.url_variable) or source.url
    store = pooch.create(path=folder, base_url=mirror, registry={packed: None}, retry_if_failed=RETRIES)
    downloader = pooch.HTTPDownloader(
        progressbar=True, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_SECONDS, hooks={"response": _close_if_refused}
    )
    try:
        return Path(store.fetch(packed, downloader=downloader))
    except requests.RequestException as error:
        address = store.get_url(packed)
        raise DownloadError(f"{address} could not be fetched ({_reason(error)}); {source.remedy}.") from error


def _close_if_refused(response: requests.Response, *_args: object, **_kwargs: object) -> None:
    """Close the connection of an answer like 404, which pooch would leave open."""
    if not response.ok:
        response.close()


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    reasons = {
        requests.Timeout: f"no answer within {TIMEOUT_SECONDS:g} s",
        requests.ConnectionError: "no connection, or it stood still",
        requests.exceptions.ChunkedEncodingError: "the connection broke off",
    }
    return next((reason for kind, reason in reasons.items() if isinstance(error, kind)), "the address cannot be used")


def _verified(source: IdxSet, file: str, path: Path) -> bytes:
    """Unpack a file of the cache; a damaged one is deleted, so that the next try fetches it anew."""
    try:
        return _unpack(path, source.md5[file])
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        path.unlink(missing_ok=True)
        raise DownloadError(f"{path} was damaged and is now deleted ({error}); {source.remedy}.") from error


def _unpack(path: Path, md5: str) -> bytes:
    with gzip.open(path) as packed:
        content = packed.read(MAX_UNPACKED_BYTES)  # what unpacks to more has a wrong checksum
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise ValueError(f"the md5 of its unpacked bytes must be {md5}, got {found}")
    return content


# Splits of our own


def _seeded() -> np.random.RandomState:
    """The source of the splits that are ours: NumPy keeps this generator's stream for ever (NEP 19)."""
    return np.random.RandomState(SPLIT_SEED)


def _part(items: list[int], split: Split, *, one_in: int) -> list[int]:
    """The split's share of shuffled items: one in so many for test, as many for validation, the rest for train."""
    count = len(items) // one_in
    bounds = {"test": (0, count), "validation": (count, 2 * count), "train": (2 * count, len(items))}
    start, stop = bounds[split]
    return items[start:stop]


# scikit-learn's digits


def _load_digits(split: Split, _data_dir: Path | None) -> LabelledImages:
    from sklearn.datasets import load_digits  # takes a second; the names of the data sets must come at once

    values, labels = load_digits(return_X_y=True)
    rows = _stratified_rows(labels, split)
    grey = np.rint(values[rows].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.stack([np.asarray(Image.fromarray(digit).resize((28, 28), Image.Resampling.BICUBIC)) for digit in grey])
    return LabelledImages(
        images=torch.from_numpy(images[:, None]),  # [image, 1, 28, 28]
        labels=torch.from_numpy(labels[rows].astype(np.int64)),
        label_names=tuple("0123456789"),
    )


def _stratified_rows(labels: np.ndarray, split: Split) -> np.ndarray:
    """60% of each label's rows for train, 20% for validation, 20% for test; ascending."""
    random = _seeded()
    shuffled = (random.permutation(np.flatnonzero(labels == label)).tolist() for label in np.unique(labels))
    return np.array(sorted(row for rows in shuffled for row in _part(rows, split, one_in=5)))


# Folders of images


def _load_folder(
    root: Path, split: Split, image_shape: tuple[int, int, int] | None, preparation: Preparation | None
) -> LabelledImages:
    if image_shape is None or preparation is None:
        raise DatasetError(
            f"the folder {root} needs image_shape (channel, height, width) and preparation, "
            f"got {image_shape} and {preparation}."
        )
    paths = _picture_paths(root)
    read = partial(_read_picture, image_shape=image_shape, preparation=preparation)
    asked = _folder_part(root, paths, split, read)
    pictures = {path: picture for path in asked if (picture := read(path)) is not None}
    _log_skipped(root, split, [path for path in asked if path not in pictures])
    names = _natural_order({_label(path, root) for path in paths})
    labels = [names.index(_label(path, root)) for path in pictures]
    return LabelledImages(torch.stack(list(pictures.values())), torch.tensor(labels), tuple(names))


def _picture_paths(root: Path) -> list[Path]:
    """Everything below the folder that is named like a picture, in natural order of the paths."""
    inside = root.resolve()

    def is_wanted(path: Path) -> bool:
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        named = path.suffix.lower() in PICTURE_SUFFIXES
        return named and not hidden and path.is_file() and path.resolve().is_relative_to(inside)

    wanted = (path.relative_to(root).as_posix() for path in root.rglob("*") if is_wanted(path))
    return [root / path for path in _natural_order(wanted)]


def _natural_order(names: Iterable[str]) -> list[str]:
    """Sort as people do: "cat 2" before "cat 10", capitals beside small letters."""

    def key(name: str) -> tuple[list[str | int], str]:
        words = re.split(r"(\d+)", name.casefold())  # every second one is a number
        return [int(word) if position % 2 else word for position, word in enumerate(words)], name

    return sorted(names, key=key)


def _label(path: Path, root: Path) -> str:
    folders = path.relative_to(root).parts[:-1]
    return folders[0] if folders else root.resolve().name


def _folder_part(root: Path, paths: list[Path], split: Split, read: Callable[[Path], Tensor | None]) -> list[Path]:
    """The split's share of the paths, in their order, of which at least one can be read.

    The first three readable pictures of the shuffled ones go one to each split. So no split is
    empty, and yet none of the others' pictures but these need be opened.
    """
    shuffled = _seeded().permutation(len(paths)).tolist()
    first = list(islice((row for row in shuffled if read(paths[row]) is not None), MIN_PICTURES))
    if len(first) < MIN_PICTURES:
        raise DatasetError(
            f"the folder {root} must hold at least {MIN_PICTURES} readable pictures, one for each of train, "
            f"validation and test, got {len(first)}."
        )
    others = [row for row in shuffled if row not in first]
    rows = _part(first, split, one_in=MIN_PICTURES) + _part(others, split, one_in=10)
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


# The table: another data set is one function above and one row here

DATASETS: dict[str, DatasetInfo] = {
    info.name: info
    for info in (
        DatasetInfo(
            name="mnist",
            title="MNIST handwritten digits",
            image_shape=(1, 28, 28),
            preparation=Preparation(fit="pad", background="white", invert="auto", centre=True),
            licence="none stated by the authors; commonly given as CC BY-SA 3.0",
            citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
            "recognition. Proceedings of the IEEE 86(11), 1998",
            load=_load_mnist,
        ),
        DatasetInfo(
            name="digits",
            title="Optical recognition of handwritten digits (8x8, enlarged)",
            image_shape=(1, 28, 28),
            # Not centred by mass: the strokes of these digits fill the whole height.
            preparation=Preparation(fit="pad", background="white", invert="auto"),
            licence="CC BY 4.0",
            citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI Machine Learning "
            "Repository, 1998, doi:10.24432/C50P49",
            load=_load_digits,
        ),
    )
}
DATASET_NAMES: tuple[str, ...] = tuple(DATASETS)
