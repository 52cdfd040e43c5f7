"""Data sets published as gzipped idx files, the format of MNIST.

A set is found in this order:

1. ``NAME.npz`` in the data folder: the argument `data_dir`, else the environment's ``VAE_DATA_DIR``;
2. the official files in the cache folder (`vae_core.runtime.locations`), under ``NAME/``;
3. a download of the official files into the cache folder. An environment variable of the set's own
   names another mirror, such as a class room's.

Only what the asked split needs is opened.
"""

import gzip
import hashlib
import math
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pooch
import requests
import torch
from jaxtyping import UInt8

from vae_core.datasets.archives import find_archive, read_archive
from vae_core.datasets.labelled import LabelledImages, Split, official_part
from vae_core.errors import DatasetError, DownloadError
from vae_core.runtime.locations import CACHE_VARIABLE, cache_folder

__all__ = ["IdxSet", "load_idx_set"]

RETRIES = 2  # after the first try, with a pause of 1 s, then 2 s
TIMEOUT_SECONDS = 30.0  # without a byte
CHUNK_BYTES = 2**16
MAX_UNPACKED_BYTES = 2**26  # MNIST's largest file unpacks to 47 MB


@dataclass(frozen=True)
class IdxSet:
    """A grey-scale data set published as four gzipped idx files.

    Attributes:
        name: What its archive and its folder in the cache are called.
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

    def files_of(self, split: Split) -> tuple[str, str]:
        """Names of the unpacked files that a split is taken from: images, labels."""
        prefix = {"train": "train", "test": "t10k"}[official_part(split)]
        return f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"


@dataclass(frozen=True, eq=False)
class OfficialPart:
    """The training or the test part as published, not yet checked; `origin` says where it was read."""

    origin: str
    images: np.ndarray
    labels: np.ndarray
    label_names: tuple[str, ...]


def load_idx_set(source: IdxSet, splits: Sequence[Split], data_dir: Path | None) -> dict[Split, LabelledImages]:
    """Load splits of a set of this kind; what two of them are taken from is read once.

    Args:
        source: The set.
        splits: which of them.
        data_dir: Folder that may hold ``NAME.npz``; by default that in ``VAE_DATA_DIR``.

    Raises:
        DatasetError: The data folder is missing, the set is damaged or the cache cannot be used.
        DownloadError: The set could not be fetched whole; nothing half fetched is kept.
    """
    archive = find_archive(source.name, data_dir)
    parts = {
        official: _read_idx_pair(source, official) if archive is None else _read_archive(archive, official)
        for official in {official_part(split) for split in splits}
    }
    return {split: _split_of(parts[official_part(split)], split, source) for split in splits}


def _split_of(part: OfficialPart, split: Split, source: IdxSet) -> LabelledImages:
    count = source.validation_count
    _check_part(part, source.image_size, at_least=1 if split == "test" else count + 1)
    rows = {"train": slice(None, -count), "validation": slice(-count, None), "test": slice(None)}[split]
    images = np.array(part.images[rows, None])  # [image, 1, height, width]; a copy lets go of the other rows
    labels = part.labels[rows].astype(np.int64)
    return LabelledImages(torch.from_numpy(images), torch.from_numpy(labels), part.label_names)


def _read_archive(path: Path, official: str) -> OfficialPart:
    images, labels, names = read_archive(path, (f"x_{official}", f"y_{official}", "label_names"))
    if names.ndim != 1 or names.dtype.kind != "U":
        raise DatasetError(f"{path}: label_names must be a list of texts, got {names.dtype} {list(names.shape)}.")
    return OfficialPart(str(path), images, labels, tuple(names.tolist()))


def _read_idx_pair(source: IdxSet, official: Literal["train", "test"]) -> OfficialPart:
    images_file, labels_file = source.files_of(official)
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


def _unpacked(source: IdxSet, file: str) -> bytes:
    """The file's unpacked bytes, from the cache or else from the mirror, with the right checksum."""
    folder = cache_folder() / source.name
    try:
        return _verified(source, file, _fetch(source, file, folder))
    except OSError as error:
        reason = error.strerror or "it is not writable"
        raise DatasetError(
            f"the cache folder {folder} cannot be used ({reason}); set {CACHE_VARIABLE} to another."
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
