"""The sets kept as an archive alone: their splits, what a part never holds, and archives that are refused."""

import hashlib
import io
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vae_core.datasets import archives
from vae_core.datasets.archived_sets import emoji_group
from vae_core.datasets.registry import DATASETS, LabelledImages, load_dataset
from vae_core.errors import DatasetError

REAL_DATA_DIR = os.environ.get("VAE_DATA_DIR")

NAMES = ("quickdraw", "emoji_noto", "faces", "dsprites")
SPLITS = ("train", "validation", "test")

Arrays = dict[str, np.ndarray]
Parts = dict[str, LabelledImages]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the machine's data folder unasked."""
    monkeypatch.delenv("VAE_DATA_DIR", raising=False)


# --- tiny archives -------------------------------------------------------------------------------------------

SKETCHES, TEST_SKETCHES = 40, 5
FACES = 48  # every sixth in the official validation part
EMOJI_GROUPS = 10
VARIANTS = (
    "{}",
    "{}-fe0f",
    "{}-200d-2640-fe0f",
    "{}-200d-2642-fe0f",
    "{}-200d-27a1-fe0f",
    "{}-200d-2640-fe0f-200d-27a1-fe0f",
)
SKIN_TONE = "{}-1f3fb"
GRID, OFF_GRID = 12, 9  # different sprites; two more repeat the grid's pixels, two each other's


def quickdraw() -> Arrays:
    random = np.random.default_rng(0)
    counts = {"train": SKETCHES, "test": TEST_SKETCHES}
    images = {f"x_{part}": random.integers(0, 256, (n, 28, 28), dtype=np.uint8) for part, n in counts.items()}
    labels = {f"y_{part}": (np.arange(n) % 3).astype(np.uint8) for part, n in counts.items()}
    return images | labels | {"label_names": np.array(["apple", "cat", "eye"])}


def emoji() -> Arrays:
    """Six variants of each emoji, far apart, and one with a skin tone; picture n is of the one colour (n, 1, 2)."""
    kinds = [f"{0x1F300 + group:x}" for group in range(EMOJI_GROUPS)]
    points = [variant.format(kind) for variant in (*VARIANTS, SKIN_TONE) for kind in kinds]
    colours = np.array([(number, 1, 2) for number in range(len(points))], dtype=np.uint8)
    return {
        "images": np.broadcast_to(colours[:, None, None], (len(points), 64, 64, 3)).copy(),
        "codepoints": np.array(points),
        "category": (np.arange(len(points)) % 2).astype(np.uint8),
        "category_names": np.array(["Smileys", "Objects"]),
        "is_base": np.array([not point.endswith("1f3fb") for point in points]),
    }


def jpeg_of(pixels: np.ndarray, kind: str = "JPEG") -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


def faces() -> Arrays:
    random = np.random.default_rng(0)
    return faces_of([jpeg_of(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(FACES)])


def faces_of(files: list[bytes]) -> Arrays:
    return {
        "jpeg": np.frombuffer(b"".join(files), dtype=np.uint8),
        "offsets": np.cumsum([0, *map(len, files)]),
        "age_group": (np.arange(len(files)) % 2).astype(np.uint8),
        "age_group_names": np.array(["20-29", "30-39"]),
        "split": np.array(["train" if index % 6 else "val" for index in range(len(files))]),
    }


def dsprites() -> Arrays:
    """The grid's sprites, off the grid twice one of the grid's, twice one of its own, and the others."""
    pixels = np.random.default_rng(0).integers(0, 2, (GRID + OFF_GRID, 64, 64), dtype=np.uint8)
    order = [*range(GRID), 3, GRID, GRID, 7, *range(GRID + 1, GRID + OFF_GRID), GRID]
    classes = np.array([(row % 3, row % 5, row, 2 * row, 3 * row) for row in range(len(order))], dtype=np.int16)
    return {
        "imgs": pixels[order],
        "latents_classes": classes,
        "latents_names": np.array(["shape", "scale", "orientation", "posX", "posY"]),
        "shape_names": np.array(["square", "ellipse", "heart"]),
        "is_grid": np.arange(len(order)) < GRID,
    }


@pytest.fixture(scope="module")
def arrays() -> dict[str, Arrays]:
    return {"quickdraw": quickdraw(), "emoji_noto": emoji(), "faces": faces(), "dsprites": dsprites()}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, Arrays]) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name, columns in arrays.items():
        np.savez(folder / f"{name}.npz", **columns)
    return folder


@pytest.fixture(scope="module")
def tiny(data_dir: Path) -> dict[str, Parts]:
    return {name: parts_of(name, data_dir) for name in NAMES}


def parts_of(name: str, folder: Path) -> Parts:
    return {split: load_dataset(name, split, data_dir=folder) for split in SPLITS}


def pictures(part: LabelledImages) -> list[bytes]:
    return [image.numpy().tobytes() for image in part.images]


# --- what all of them keep -----------------------------------------------------------------------------------


def check_parts(name: str, parts: Parts) -> None:
    names = {part.label_names for part in parts.values()}
    assert len(names) == 1
    for part in parts.values():
        assert part.images.dtype == torch.uint8
        assert part.images.is_contiguous()
        assert part.images.shape == (len(part), *DATASETS[name].image_shape)
        assert len(part.labels) == len(part.images)
        assert 0 <= int(part.labels.min()) <= int(part.labels.max()) < len(part.label_names)


def check_disjoint(parts: Parts) -> None:
    seen = [set(pictures(part)) for part in parts.values()]
    assert len(set.union(*seen)) == sum(map(len, seen)), "the same pixels are in two parts"


@pytest.mark.parametrize("name", NAMES)
def test_every_part_is_pictures_of_the_promised_shape_with_known_labels(name: str, tiny: dict[str, Parts]) -> None:
    check_parts(name, tiny[name])


@pytest.mark.parametrize("name", NAMES)
def test_no_picture_is_in_two_parts(name: str, tiny: dict[str, Parts]) -> None:
    check_disjoint(tiny[name])


@pytest.mark.parametrize("name", NAMES)
def test_every_call_gives_the_same_pictures_in_the_same_order(
    name: str, tiny: dict[str, Parts], data_dir: Path
) -> None:
    np.random.seed(5)  # the global stream must not matter
    for split, part in parts_of(name, data_dir).items():
        assert torch.equal(part.images, tiny[name][split].images)
        assert torch.equal(part.labels, tiny[name][split].labels)


def test_the_data_folder_of_the_environment_is_taken(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path, tiny: dict[str, Parts]
) -> None:
    monkeypatch.setenv("VAE_DATA_DIR", str(data_dir))
    assert torch.equal(load_dataset("quickdraw", "test").images, tiny["quickdraw"]["test"].images)


# --- quickdraw -----------------------------------------------------------------------------------------------


def rows_in(part: LabelledImages, whole: np.ndarray) -> list[int]:
    """Where the part's pictures stand in an archive's [n, height, width] or [n, height, width, channel]."""
    channels_last = whole[..., None] if whole.ndim == 3 else whole
    place = {image.transpose(2, 0, 1).tobytes(): row for row, image in enumerate(channels_last)}
    return [place[picture] for picture in pictures(part)]


def test_the_archive_s_own_test_sketches_are_the_test(tiny: dict[str, Parts], arrays: dict[str, Arrays]) -> None:
    test = tiny["quickdraw"]["test"]
    np.testing.assert_array_equal(test.images[:, 0].numpy(), arrays["quickdraw"]["x_test"])
    assert test.labels.tolist() == [0, 1, 2, 0, 1]
    assert test.label_names == ("apple", "cat", "eye")


def test_one_sketch_in_twenty_is_for_validation(tiny: dict[str, Parts], arrays: dict[str, Arrays]) -> None:
    whole = arrays["quickdraw"]["x_train"]
    rows = {split: rows_in(tiny["quickdraw"][split], whole) for split in ("train", "validation")}
    assert rows["validation"] == [20, 22], "held-out pictures stay held out"
    assert rows["train"] == [row for row in range(SKETCHES) if row not in rows["validation"]]
    for split, given in rows.items():
        assert tiny["quickdraw"][split].labels.tolist() == [row % 3 for row in given]


# --- faces ---------------------------------------------------------------------------------------------------


def test_the_official_validation_faces_are_the_test(tiny: dict[str, Parts], arrays: dict[str, Arrays]) -> None:
    test = tiny["faces"]["test"]
    assert rows_in(test, decoded(arrays["faces"])) == list(range(0, FACES, 6))
    assert set(test.labels.tolist()) == {0}
    assert test.label_names == ("20-29", "30-39")


def test_one_face_in_twenty_of_the_others_is_for_validation(tiny: dict[str, Parts], arrays: dict[str, Arrays]) -> None:
    whole = decoded(arrays["faces"])
    rows = {split: rows_in(tiny["faces"][split], whole) for split in ("train", "validation")}
    assert len(rows["validation"]) == 2
    assert sorted(rows["train"] + rows["validation"]) == [row for row in range(FACES) if row % 6]
    for split, given in rows.items():
        assert given == sorted(given)
        assert tiny["faces"][split].labels.tolist() == [row % 2 for row in given]


def decoded(columns: Arrays) -> np.ndarray:
    content, offsets = columns["jpeg"].tobytes(), columns["offsets"]
    files = [content[start:stop] for start, stop in pairwise(offsets)]
    return np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])


# --- emoji ---------------------------------------------------------------------------------------------------


def test_every_emoji_without_a_skin_tone_is_in_a_part(tiny: dict[str, Parts], arrays: dict[str, Arrays]) -> None:
    columns = arrays["emoji_noto"]
    rows = [row for part in tiny["emoji_noto"].values() for row in rows_in(part, columns["images"])]
    assert sorted(rows) == np.flatnonzero(columns["is_base"]).tolist()


def test_all_variants_of_an_emoji_are_in_one_part(tiny: dict[str, Parts], arrays: dict[str, Arrays]) -> None:
    columns = arrays["emoji_noto"]
    kinds = {}
    for split, part in tiny["emoji_noto"].items():
        rows = rows_in(part, columns["images"])
        assert rows == sorted(rows)
        assert part.labels.tolist() == columns["category"][rows].tolist()
        kinds[split] = {str(columns["codepoints"][row]).split("-")[0] for row in rows}
        assert len(rows) == len(VARIANTS) * len(kinds[split])
    assert {split: len(kind) for split, kind in kinds.items()} == {"train": 8, "validation": 1, "test": 1}
    assert (kinds["test"], kinds["validation"]) == ({"1f302"}, {"1f308"}), "held-out pictures stay held out"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1f3c3", "1f3c3-200d-2640-fe0f", True),
        ("1f3c3-200d-2640-fe0f", "1f3c3-200d-2642-fe0f", True),
        ("1f3c3", "1f3c3-200d-2640-fe0f-200d-27a1-fe0f", True),
        ("1f468-200d-1f680", "1f469-200d-1f680", True),
        ("1f9d1-200d-1f680", "1f469-200d-1f680", True),
        ("2764", "2764-fe0f", True),
        ("1f468-200d-1f680", "1f680", False),
        ("1f468-200d-1f680", "1f468-200d-1f692", False),
        ("1f3c3", "1f6b6", False),
    ],
)
def test_gender_and_direction_make_a_variant_and_not_another_emoji(one: str, other: str, same: bool) -> None:
    assert (emoji_group(one) == emoji_group(other)) is same


# --- dsprites ------------------------------------------------------------------------------------------------


def test_the_grid_of_sprites_is_the_training_part(tiny: dict[str, Parts], arrays: dict[str, Arrays]) -> None:
    train, columns = tiny["dsprites"]["train"], arrays["dsprites"]
    np.testing.assert_array_equal(train.images[:, 0].numpy(), columns["imgs"][:GRID] * 255)


def test_off_the_grid_each_sprite_is_drawn_once_and_none_of_the_grid(
    tiny: dict[str, Parts], arrays: dict[str, Arrays]
) -> None:
    held_out = pictures(tiny["dsprites"]["test"]) + pictures(tiny["dsprites"]["validation"])
    assert [len(tiny["dsprites"][split]) for split in SPLITS] == [GRID, 3, 6]
    assert len(set(held_out)) == len(held_out) == OFF_GRID
    assert not set(held_out) & set(pictures(tiny["dsprites"]["train"]))


def test_sprites_are_black_and_white(tiny: dict[str, Parts]) -> None:
    for part in tiny["dsprites"].values():
        assert part.images.unique().tolist() == [0, 255]


def test_sprites_keep_their_factors_and_are_labelled_by_shape(
    tiny: dict[str, Parts], arrays: dict[str, Arrays]
) -> None:
    columns = arrays["dsprites"]
    for part in tiny["dsprites"].values():
        assert part.factors is not None
        assert part.factors.names == ("shape", "scale", "orientation", "posX", "posY")
        rows = part.factors.values[:, 2]  # as the archive above numbers them
        np.testing.assert_array_equal(part.factors.values, columns["latents_classes"][rows])
        np.testing.assert_array_equal(part.images[:, 0].numpy(), columns["imgs"][rows] * 255)
        np.testing.assert_array_equal(part.labels.numpy(), part.factors.values[:, 0])
        assert part.label_names == ("square", "ellipse", "heart")


@pytest.mark.parametrize("name", ["quickdraw", "emoji_noto", "faces"])
def test_what_no_program_drew_has_no_factors(name: str, tiny: dict[str, Parts]) -> None:
    assert tiny[name]["train"].factors is None


# --- refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_without_a_data_folder_the_error_says_what_to_set(name: str) -> None:
    with pytest.raises(DatasetError) as caught:
        load_dataset(name, "train")
    assert f"{name} is read from {name}.npz, got no data folder; set VAE_DATA_DIR" in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_data_folder_without_the_archive_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        load_dataset(name, "train", data_dir=tmp_path)
    assert f"{name}.npz, got the data folder {tmp_path} without it; set VAE_DATA_DIR" in str(caught.value)


def test_a_data_folder_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = rf"the data folder must exist, got {tmp_path / 'absent'}; correct VAE_DATA_DIR or the argument"
    with pytest.raises(DatasetError, match=absent):
        load_dataset("faces", "test", data_dir=tmp_path / "absent")
    monkeypatch.setenv("VAE_DATA_DIR", str(tmp_path / "absent"))
    with pytest.raises(DatasetError, match=absent):
        load_dataset("faces", "test")


NEEDED = [
    *(("quickdraw", key) for key in ("x_train", "y_train", "label_names")),
    *(("emoji_noto", key) for key in ("images", "codepoints", "category", "category_names", "is_base")),
    *(("faces", key) for key in ("jpeg", "offsets", "age_group", "age_group_names", "split")),
    *(("dsprites", key) for key in ("imgs", "latents_classes", "latents_names", "shape_names", "is_grid")),
]


@pytest.mark.parametrize(("name", "key"), NEEDED)
def test_an_archive_that_lacks_a_key_is_refused(name: str, key: str, arrays: dict[str, Arrays], tmp_path: Path) -> None:
    np.savez(tmp_path / f"{name}.npz", **{known: values for known, values in arrays[name].items() if known != key})
    assert rf"but lacks {key};" in refusal(name, tmp_path)


def refusal(name: str, folder: Path, split: str = "train") -> str:
    """What the error says: one line that names the file and what to do."""
    with pytest.raises(DatasetError) as caught:
        load_dataset(name, split, data_dir=folder)  # type: ignore[arg-type]
    said = str(caught.value)
    assert said.startswith(str(folder / f"{name}.npz"))
    assert said.endswith("; fetch the file again.")
    assert "\n" not in said
    return said


def test_the_test_part_needs_no_training_arrays(arrays: dict[str, Arrays], tmp_path: Path) -> None:
    kept = {key: values for key, values in arrays["quickdraw"].items() if not key.endswith("train")}
    np.savez(tmp_path / "quickdraw.npz", **kept)
    assert len(load_dataset("quickdraw", "test", data_dir=tmp_path)) == TEST_SKETCHES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept", [0, 4, 3_000, -30], ids=["nothing", "magic", "half", "no directory"])
def test_a_truncated_archive_is_refused(name: str, kept: int, data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / f"{name}.npz").write_bytes((data_dir / f"{name}.npz").read_bytes()[:kept])
    assert "cannot be read as an archive of plain arrays" in refusal(name, tmp_path)


def test_an_archive_with_a_flipped_byte_is_refused(arrays: dict[str, Arrays], tmp_path: Path) -> None:
    path = tmp_path / "quickdraw.npz"
    np.savez_compressed(path, **arrays["quickdraw"])
    content = bytearray(path.read_bytes())
    content[2_000] ^= 0xFF  # within the sketches
    path.write_bytes(content)
    assert "cannot be read as an archive of plain arrays" in refusal("quickdraw", tmp_path)


Change = Callable[[Arrays], Arrays]


def set_to(**columns: np.ndarray) -> Change:
    return lambda known: known | columns


def without_last(key: str) -> Change:
    return lambda known: known | {key: known[key][:-1]}


def as_kind(key: str, kind: type) -> Change:
    return lambda known: known | {key: known[key].astype(kind)}


BROKEN: dict[str, tuple[str, Change, str]] = {
    "sketches as floats": (
        "quickdraw",
        as_kind("x_train", np.float32),
        "images must be uint8 [40, 28, 28], one a label, got float32 [40, 28, 28]",
    ),
    "flat sketches": (
        "quickdraw",
        lambda known: known | {"x_train": known["x_train"].reshape(-1, 784)},
        "images must be uint8 [40, 28, 28], one a label, got uint8 [40, 784]",
    ),
    "a label too few": (
        "quickdraw",
        without_last("y_train"),
        "images must be uint8 [39, 28, 28], one a label, got uint8 [40, 28, 28]",
    ),
    "labels as floats": (
        "quickdraw",
        as_kind("y_train", np.float32),
        "labels must be whole numbers, one an image, got float32 [40]",
    ),
    "one label for all": (
        "quickdraw",
        set_to(y_train=np.array(1)),
        "labels must be whole numbers, one an image, got int64 []",
    ),
    "a label without a name": (
        "quickdraw",
        set_to(label_names=np.array(["apple", "cat"])),
        "labels must be between 0 and 1, as there are 2 names, got 0 to 2",
    ),
    "a negative label": (
        "quickdraw",
        set_to(y_train=np.full(SKETCHES, -1)),
        "labels must be between 0 and 2, as there are 3 names, got -1 to -1",
    ),
    "names as numbers": (
        "quickdraw",
        set_to(label_names=np.arange(3)),
        "the labels' names must be a list of texts, got int64 [3]",
    ),
    "no sketches": (
        "quickdraw",
        set_to(x_train=np.zeros((0, 28, 28), np.uint8), y_train=np.zeros(0, np.uint8)),
        "there must be at least one image, got none",
    ),
    "grey emoji": (
        "emoji_noto",
        lambda known: known | {"images": known["images"][..., 0]},
        "images must be uint8 [70, 64, 64, 3], one a label, got uint8 [70, 64, 64]",
    ),
    "a code point too few": (
        "emoji_noto",
        without_last("codepoints"),
        "there must be one codepoints and is_base for each image, got [69], [70] of 70",
    ),
    "a mark too few": (
        "emoji_noto",
        without_last("is_base"),
        "there must be one codepoints and is_base for each image, got [70], [69] of 70",
    ),
    "an age too few": (
        "faces",
        without_last("age_group"),
        "there must be one age_group and split for each face, got [47], [48] of 48",
    ),
    "a split too few": (
        "faces",
        without_last("split"),
        "there must be one age_group and split for each face, got [48], [47] of 48",
    ),
    "an offset too few": (
        "faces",
        without_last("offsets"),
        "there must be one age_group and split for each face, got [48], [48] of 47",
    ),
    "an age without a name": (
        "faces",
        set_to(age_group_names=np.array(["20-29"])),
        "labels must be between 0 and 0, as there are 1 names, got 0 to 1",
    ),
    "offsets beyond the file": (
        "faces",
        lambda known: known | {"offsets": known["offsets"] + 10**9},
        "holds a picture that is no JPEG",
    ),
    "offsets as floats": ("faces", as_kind("offsets", np.float64), "offsets must be whole numbers, got float64"),
    "no official parts": (
        "faces",
        lambda known: known | {"split": np.full(FACES, "all")},
        "there must be at least one image, got none",
    ),
    "flat factors": (
        "dsprites",
        lambda known: known | {"latents_classes": known["latents_classes"][:, 0]},
        "latents_classes must be whole numbers [25, 5], got int16 [25]",
    ),
    "a factor too few": (
        "dsprites",
        without_last("latents_names"),
        "latents_classes must be whole numbers [25, 4], got int16 [25, 5]",
    ),
    "a mark of the grid too few": (
        "dsprites",
        without_last("is_grid"),
        "there must be one is_grid for each image, got [24] of 25",
    ),
    "small sprites": (
        "dsprites",
        lambda known: known | {"imgs": known["imgs"][:, :32, :32]},
        "images must be uint8 [25, 64, 64], one a label, got uint8 [25, 32, 32]",
    ),
    "sprites of 0 and 255": (
        "dsprites",
        lambda known: known | {"imgs": known["imgs"] * 255},
        "imgs must be 0 and 1, got up to 255",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_archive_that_breaks_a_rule_is_refused(case: str, arrays: dict[str, Arrays], tmp_path: Path) -> None:
    name, change, said = BROKEN[case]
    np.savez(tmp_path / f"{name}.npz", **change(arrays[name]))
    assert said in refusal(name, tmp_path)


GREY = np.zeros((64, 64), np.uint8)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no picture", "holds a picture that is no JPEG"),
        (b"", "holds a picture that is no JPEG"),
        (jpeg_of(GREY)[:200], "holds a picture that is no JPEG"),
        (jpeg_of(GREY)[:-100], "holds a picture that is no JPEG"),
        (jpeg_of(GREY, "PNG"), "holds a picture that is no JPEG"),
        (jpeg_of(np.zeros((64, 32, 3), np.uint8)), "faces must be of 64 x 64 pixels, got 64 x 32"),
    ],
    ids=["text", "nothing", "header", "end cut off", "png", "half a face"],
)
def test_a_face_that_is_none_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    good = jpeg_of(np.zeros((64, 64, 3), np.uint8))
    np.savez(tmp_path / "faces.npz", **faces_of([good, good, content, good]))
    assert said in refusal("faces", tmp_path)


def test_a_grey_face_is_read_as_rgb(tmp_path: Path) -> None:
    np.savez(tmp_path / "faces.npz", **faces_of([jpeg_of(GREY + 100)] * 2))
    test = load_dataset("faces", "test", data_dir=tmp_path)
    assert test.images.shape == (1, 3, 64, 64)
    assert test.images.unique().tolist() == [100]


def test_pickled_arrays_are_not_loaded(arrays: dict[str, Arrays], tmp_path: Path) -> None:
    np.savez(tmp_path / "dsprites.npz", **(arrays["dsprites"] | {"shape_names": np.array([{}, {}, {}])}))
    assert "cannot be read as an archive of plain arrays" in refusal("dsprites", tmp_path)


def test_arrays_come_in_the_order_asked_for(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(2), b=np.arange(3), c=np.arange(4))
    assert [len(array) for array in archives.read_archive(tmp_path / "x.npz", ("c", "a"))] == [4, 2]


# --- the real sets -------------------------------------------------------------------------------------------

# Images a part, and a digest of the labels of all three: a stored model's held-out images stay held out.
REAL = {
    "quickdraw": ((17_930, 943, 2_097), "4214f74922d3bdc9"),
    "emoji_noto": ((1_340, 171, 177), "4309daaa229703a2"),
    "faces": ((12_027, 632, 1_617), "050d6ee093bf025c"),
    "dsprites": ((46_080, 5_000, 10_000), "5ce681de7cac5aed"),
}


@pytest.fixture(scope="module", params=REAL)
def real(request: pytest.FixtureRequest) -> tuple[str, Parts]:
    """A set's three parts, decoded once; skipped where it is not at hand, but not in CI, which has it."""
    name = str(request.param)
    if not REAL_DATA_DIR or not (Path(REAL_DATA_DIR) / f"{name}.npz").is_file():
        reason = f"VAE_DATA_DIR names no folder with {name}.npz"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return name, parts_of(name, Path(REAL_DATA_DIR))


def test_the_real_parts_are_as_large_as_the_cards_say(real: tuple[str, Parts]) -> None:
    name, parts = real
    assert tuple(len(part) for part in parts.values()) == REAL[name][0]
    check_parts(name, parts)


def test_the_real_parts_share_no_picture(real: tuple[str, Parts]) -> None:
    check_disjoint(real[1])


def test_the_real_parts_never_change(real: tuple[str, Parts]) -> None:
    name, parts = real
    labels = b"".join(part.labels.numpy().astype("<i8").tobytes() for part in parts.values())
    assert hashlib.sha256(labels).hexdigest()[:16] == REAL[name][1]


@pytest.mark.parametrize("real", ["emoji_noto"], indirect=True)
def test_all_variants_of_a_real_emoji_are_in_one_part(real: tuple[str, Parts]) -> None:
    path = Path(REAL_DATA_DIR or "") / "emoji_noto.npz"
    images, points, is_base = archives.read_archive(path, ("images", "codepoints", "is_base"))
    rows = {split: rows_in(part, images) for split, part in real[1].items()}
    assert sorted(row for given in rows.values() for row in given) == np.flatnonzero(is_base).tolist()
    groups = [{emoji_group(str(points[row])) for row in given} for given in rows.values()]
    assert len(set.union(*groups)) == sum(map(len, groups))


@pytest.mark.parametrize("real", ["dsprites"], indirect=True)
def test_the_real_grid_of_sprites_is_complete(real: tuple[str, Parts]) -> None:
    factors = real[1]["train"].factors
    assert factors is not None
    assert len(np.unique(factors.values, axis=0)) == 3 * 6 * 10 * 16 * 16 == len(real[1]["train"])
    assert [len(np.unique(column)) for column in factors.values.T] == [3, 6, 10, 16, 16]
