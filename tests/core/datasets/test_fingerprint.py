"""What tells pictures from others: pixels in their order, and files by what they hold."""

import json

import torch

from vae_core.datasets.fingerprint import (
    Fingerprint,
    SeenFiles,
    differences,
    fingerprint_of,
    pixels_digest,
    seen_files,
)
from vae_core.datasets.labelled import LabelledImages, PictureFile
from vae_core.runtime.strict_json import config_from_json, config_to_json


def images(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (count, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def part(count: int, seed: int = 0, *files: PictureFile) -> LabelledImages:
    return LabelledImages(images(count, seed), torch.zeros(count, dtype=torch.int64), ("x",), files=files)


def test_a_digest_changes_with_each_pixel_with_the_order_and_with_the_shape() -> None:
    given = images(2_500)
    digest = pixels_digest(given)
    assert len(digest) == 32
    assert pixels_digest(given.clone()) == digest
    changed = given.clone()
    changed[2_400, 0, 3, 3] ^= 1
    for other in (changed, given.flip(0), given[:-1], given.reshape(2_500, 1, 2, 8)):
        assert pixels_digest(other) != digest


def test_a_digest_does_not_depend_on_the_order_in_memory() -> None:
    given = torch.randint(0, 256, (6, 3, 4, 4), dtype=torch.uint8)
    assert pixels_digest(given.contiguous(memory_format=torch.channels_last)) == pixels_digest(given)


def test_a_fingerprint_counts_each_split_and_comes_back_from_json() -> None:
    found = fingerprint_of({"train": part(5), "validation": part(2, 1)}, split_rule=0)
    assert found.images == {"train": 5, "validation": 2}
    assert found.digests["train"] != found.digests["validation"]
    assert not found.shifted
    assert config_from_json(Fingerprint, config_to_json(found)) == found
    assert "path" not in json.dumps(config_to_json(found))


def test_files_that_came_went_and_changed_are_counted() -> None:
    before = SeenFiles({"a": "1", "b": "2", "c": "3"})
    assert differences(before, before) == "0 added, 0 removed, 0 changed"
    assert differences(before, SeenFiles({"a": "1", "b": "9", "d": "4", "e": "5"})) == "2 added, 1 removed, 1 changed"


def test_the_files_of_all_parts_are_seen() -> None:
    parts = {"train": part(1, 0, PictureFile("a.png", "1")), "validation": part(1, 1, PictureFile("b/c.png", "2"))}
    assert seen_files(parts) == SeenFiles({"a.png": "1", "b/c.png": "2"})
