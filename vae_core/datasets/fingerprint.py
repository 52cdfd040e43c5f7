"""What tells the pictures that a run or a model has seen from others: digests of their pixels, and of their files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from jaxtyping import UInt8
from pydantic import ConfigDict
from torch import Tensor

from vae_core.datasets.folders import is_shifted
from vae_core.datasets.labelled import LabelledImages, Split
from vae_core.runtime.strict_json import STRICT

__all__ = ["Fingerprint", "SeenFiles", "differences", "fingerprint_of", "pixels_digest", "seen_files"]


@dataclass(frozen=True)
class Fingerprint:
    """The pictures of some splits of a data set, as a stored model keeps them in mind.

    Attributes:
        images: number of images of each split.
        digests: 32 hexadecimal digits of each split's pixels, in their order.
        split_rule: number of the rule by which a folder was divided; 0 of a named set, whose split is fixed.
        shifted: whether a folder has so few pictures that its rule was bent to leave no split empty.
    """

    images: dict[Split, int]
    digests: dict[Split, str]
    split_rule: int = 0
    shifted: bool = False

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class SeenFiles:
    """The files of a folder that a run has seen, so that it can be said what has changed.

    Attributes:
        files: 32 hexadecimal digits of each file's content, by its path in the folder; none of a named set.
    """

    files: dict[str, str] = field(default_factory=dict)

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


def fingerprint_of(parts: Mapping[Split, LabelledImages], *, split_rule: int) -> Fingerprint:
    """The fingerprint of some splits of one data set.

    Args:
        parts: the images of each split.
        split_rule: number of the rule by which they were divided; 0 of a named set.
    """
    return Fingerprint(
        images={split: len(part) for split, part in parts.items()},
        digests={split: pixels_digest(part.images) for split, part in parts.items()},
        split_rule=split_rule,
        shifted=split_rule > 1 and any(is_shifted(split, part) for split, part in parts.items()),
    )


def pixels_digest(images: UInt8[Tensor, "n c h w"]) -> str:
    """32 hexadecimal digits of images in their order."""
    digest = hashlib.sha256(repr(tuple(images.shape)).encode())
    for block in images.split(1_000):
        digest.update(block.contiguous().numpy().data)
    return digest.hexdigest()[:32]


def seen_files(parts: Mapping[Split, LabelledImages]) -> SeenFiles:
    """The files that the parts of a folder were read from."""
    return SeenFiles({file.path: file.digest for part in parts.values() for file in part.files})


def differences(before: SeenFiles, now: SeenFiles) -> str:
    """How many files came, went and changed, in words."""
    changed = sum(before.files.get(path, digest) != digest for path, digest in now.files.items())
    added, removed = len(now.files.keys() - before.files.keys()), len(before.files.keys() - now.files.keys())
    return f"{added:,} added, {removed:,} removed, {changed:,} changed"
