"""Folders of images: labels, splits and which files count."""

import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vae_core.datasets import folders
from vae_core.datasets.folders import is_shifted
from vae_core.datasets.registry import LabelledImages, Split, load_dataset, load_splits
from vae_core.errors import DatasetError
from vae_core.images.preparation_options import Preparation

SPLITS = ("train", "validation", "test")
GREY_SHAPE = (1, 8, 8)
AS_IT_IS = Preparation(fit="crop", invert="never")


def save_grey(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), level).save(path, format="PNG")


def load_folder(folder: Path, split: Split) -> LabelledImages:
    return load_dataset(folder, split, image_shape=GREY_SHAPE, preparation=AS_IT_IS)


def grey_levels(part: LabelledImages) -> list[int]:
    return part.images[:, 0, 0, 0].tolist()


def test_subfolders_are_labels_in_natural_order(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    for number in range(10):
        save_grey(root / "cat 10" / f"{number}.png", 100 + number)
        save_grey(root / "cat 2" / "garden" / f"{number}.PNG", 50 + number)
        save_grey(root / f"{number}.png", 200 + number)
    for split in SPLITS:
        part = load_folder(root, split)
        assert part.label_names == ("cat 2", "cat 10", "pets")
        names = {50: "cat 2", 100: "cat 10", 200: "pets"}
        expected = [names[level // 50 * 50] for level in grey_levels(part)]
        assert [part.label_names[label] for label in part.labels] == expected


def test_a_folder_is_split_80_10_10_without_overlap(tmp_path: Path) -> None:
    for level in range(250):
        save_grey(tmp_path / "grey" / f"{level}.png", level)
    levels = {split: grey_levels(load_folder(tmp_path / "grey", split)) for split in SPLITS}
    assert 180 <= len(levels["train"]) <= 220
    assert all(15 <= len(levels[split]) <= 35 for split in ("validation", "test"))
    assert sorted(level for found in levels.values() for level in found) == list(range(250))
    assert levels["train"] == sorted(levels["train"])


def test_splits_that_are_loaded_together_are_those_that_are_loaded_alone(tmp_path: Path) -> None:
    for level in range(40):
        save_grey(tmp_path / f"{level}.png", level)
    together = load_splits(tmp_path, SPLITS, image_shape=GREY_SHAPE, preparation=AS_IT_IS)
    for split in SPLITS:
        alone = load_folder(tmp_path, split)
        assert grey_levels(together[split]) == grey_levels(alone)
        assert together[split].files == alone.files


def test_each_picture_is_known_by_its_file(tmp_path: Path) -> None:
    for level in range(20):
        save_grey(tmp_path / "some" / f"{level}.png", level)
    part = load_folder(tmp_path, "train")
    assert [file.path for file in part.files] == [f"some/{level}.png" for level in grey_levels(part)]
    content = (tmp_path / part.files[0].path).read_bytes()
    assert part.files[0].digest == hashlib.sha256(content).hexdigest()[:32]
    assert part.chosen(np.array([3, 5])).files == (part.files[3], part.files[5])


# --- what comes and goes moves no other picture --------------------------------------------------------------


def levels_of(folder: Path) -> dict[str, set[int]]:
    return {split: set(grey_levels(load_folder(folder, split))) for split in SPLITS}


def test_a_picture_that_is_added_moves_no_other_one(tmp_path: Path) -> None:
    for level in range(100):
        save_grey(tmp_path / f"{level:03}.png", level)
    before = levels_of(tmp_path)
    for level in range(100, 120):
        save_grey(tmp_path / f"000a {level}.png", level)  # among the first by name
    after = levels_of(tmp_path)
    assert all(before[split] <= after[split] for split in SPLITS)
    assert not after["test"] & before["train"]


def test_a_picture_that_goes_or_is_renamed_moves_no_other_one(tmp_path: Path) -> None:
    for level in range(100):
        save_grey(tmp_path / f"{level:03}.png", level)
    before = levels_of(tmp_path)
    for level in range(0, 100, 3):
        (tmp_path / f"{level:03}.png").unlink()
    for level in range(1, 100, 3):
        (tmp_path / f"{level:03}.png").rename(tmp_path / f"zz {level}.png")
    after = levels_of(tmp_path)
    assert all(after[split] == {level for level in before[split] if level % 3} for split in SPLITS)


def test_copies_of_a_picture_are_in_one_split(tmp_path: Path) -> None:
    for level in range(60):
        for copy in range(3):
            save_grey(tmp_path / f"{level} {copy}.png", level)
    levels = levels_of(tmp_path)
    assert sum(len(found) for found in levels.values()) == 60


@pytest.mark.parametrize("count", range(3, 13))
@pytest.mark.parametrize("first", [0, 50, 100])
def test_of_a_few_pictures_each_split_has_one(tmp_path: Path, count: int, first: int) -> None:
    for level in range(first, first + count):
        save_grey(tmp_path / f"{level}.png", level)
    parts = {split: load_folder(tmp_path, split) for split in SPLITS}
    assert all(len(part) for part in parts.values())
    assert sorted(level for part in parts.values() for level in grey_levels(part)) == list(range(first, first + count))
    by_content = {split: set(grey_levels(part)) for split, part in parts.items()}
    natural = all(not is_shifted(split, part) for split, part in parts.items())
    for level in range(first + count, 250):  # where the rule was not bent, growing moves none
        save_grey(tmp_path / f"{level}.png", level)
    grown = levels_of(tmp_path)
    assert natural == all(by_content[split] <= grown[split] for split in SPLITS)


@pytest.mark.parametrize("count", [3, 10])
def test_pictures_that_are_all_the_same_are_divided_as_well(tmp_path: Path, count: int) -> None:
    for number in range(count):
        save_grey(tmp_path / f"{number}.png", 7)
    parts = {split: load_folder(tmp_path, split) for split in SPLITS}
    assert all(len(part) for part in parts.values())
    assert len({file.path for part in parts.values() for file in part.files}) == count
    assert any(is_shifted(split, part) for split, part in parts.items())


# --- the rule of version 0.1 ---------------------------------------------------------------------------------


def test_models_of_version_0_1_have_the_split_that_they_were_trained_on(tmp_path: Path) -> None:
    for level in range(40):
        save_grey(tmp_path / "grey" / f"{level}.png", level)
    parts = folders.load_folder(
        tmp_path / "grey", SPLITS, image_shape=GREY_SHAPE, preparation=AS_IT_IS, rule=folders.BY_POSITION
    )
    assert grey_levels(parts["test"]) == [4, 10, 15, 22]
    assert grey_levels(parts["validation"]) == [11, 18, 20, 28]
    assert len(parts["train"]) == 32


# --- which files count ---------------------------------------------------------------------------------------


def test_the_order_of_creation_does_not_matter(tmp_path: Path) -> None:
    for folder, order in {"upwards": range(20), "downwards": reversed(range(20))}.items():
        for level in order:
            save_grey(tmp_path / folder / f"{level}.png", level)
    for split in SPLITS:
        assert grey_levels(load_folder(tmp_path / "upwards", split)) == grey_levels(
            load_folder(tmp_path / "downwards", split)
        )


def test_only_the_asked_pictures_are_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for level in range(100):
        save_grey(tmp_path / "grey" / f"{level}.png", level)
    opened: list[str] = []
    open_picture = folders.open_picture

    def recorded(data: bytes, *, name: str) -> Image.Image:
        opened.append(name)
        return open_picture(data, name=name)

    monkeypatch.setattr(folders, "open_picture", recorded)
    asked = {f"{level}.png" for level in grey_levels(load_folder(tmp_path / "grey", "test"))}
    assert 5 <= len(asked) <= 15
    assert len(set(opened) - asked) == 2, "one readable picture of each other split proves that it is not empty"


def test_unreadable_pictures_are_skipped_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for level in range(20):
        save_grey(tmp_path / "grey" / f"{level}.png", level)
    for number in range(20):
        (tmp_path / "grey" / f"broken {number}.jpg").write_bytes(b"not a picture")
    with caplog.at_level(logging.WARNING, logger="vae_core.datasets.folders"):
        parts = {split: load_folder(tmp_path / "grey", split) for split in SPLITS}
    assert sorted(level for part in parts.values() for level in grey_levels(part)) == list(range(20))
    lines = [record.getMessage() for record in caplog.records]
    assert sum(int(line.split()[1]) for line in lines) == 20
    assert all("the first is broken" in line for line in lines)
    assert len(lines) <= len(SPLITS)


def test_three_readable_pictures_are_enough(tmp_path: Path) -> None:
    for level in range(3):
        save_grey(tmp_path / f"{level}.png", level)
        (tmp_path / f"broken {level}.png").write_bytes(b"")
    assert [len(load_folder(tmp_path, split)) for split in SPLITS] == [1, 1, 1]


@pytest.mark.parametrize("readable", [0, 2])
def test_fewer_than_three_readable_pictures_are_refused(tmp_path: Path, readable: int) -> None:
    for level in range(readable):
        save_grey(tmp_path / f"{level}.png", level)
        (tmp_path / f"broken {level}.png").write_bytes(b"not a picture")
    for split in SPLITS:
        with pytest.raises(DatasetError, match=f"at least 3 readable pictures, .* got {readable}"):
            load_folder(tmp_path, split)


def test_hidden_files_other_files_and_links_outside_are_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "grey"
    for level in range(3):
        save_grey(root / f"{level}.png", level)
    (root / "inside.png").symlink_to(root / "0.png")
    save_grey(tmp_path / "private" / "outside.png", 255)
    (root / "link.png").symlink_to(tmp_path / "private" / "outside.png")
    (root / "folder").symlink_to(tmp_path / "private")
    (root / "loop.png").symlink_to(root / "loop.png")
    save_grey(root / ".hidden.png", 255)
    save_grey(root / ".thumbnails" / "small.png", 255)
    (root / "notes.txt").write_text("not named like a picture")
    (root / "folder.png").mkdir()
    levels = [level for split in SPLITS for level in grey_levels(load_folder(root, split))]
    assert sorted(levels) == [0, 0, 1, 2]
    assert caplog.records == []


@pytest.mark.parametrize("given", [{}, {"image_shape": GREY_SHAPE}, {"preparation": AS_IT_IS}])
def test_a_folder_needs_a_shape_and_a_preparation(tmp_path: Path, given: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match=r"needs image_shape .* and preparation"):
        load_dataset(tmp_path, "train", **given)
