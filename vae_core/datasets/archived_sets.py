"""The named data sets that are kept as an archive alone, each with the split that is fixed for it."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Integer, UInt8
from PIL import Image

from vae_core.datasets.archives import need_archive, read_archive
from vae_core.datasets.labelled import Factors, LabelledImages, Split, official_part, seeded_random, share_of
from vae_core.errors import DatasetError

__all__ = ["load_dsprites", "load_emoji", "load_faces", "load_quickdraw"]

VALIDATION_ONE_IN = 20  # of an official training part
DSPRITES_TEST = 10_000
DSPRITES_VALIDATION = 5_000
FACE = (64, 64, 3)
REMEDY = "fetch the file again."

# Code points that make a variant of an emoji, not another one: joiner, presentation, female, male, facing right.
VARIANT_MARKS = {"200d", "fe0f", "2640", "2642", "27a1"}
# Gendered code points of their own, and the neutral ones that they are variants of.
PERSON, TWO = "1f9d1", ("1f9d1", "1f9d1")
NEUTRAL: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("1f468", "1f469"), (PERSON,)),  # man, woman
    **dict.fromkeys(("1f466", "1f467"), ("1f9d2",)),  # boy, girl: child
    **dict.fromkeys(("1f474", "1f475"), ("1f9d3",)),  # old man, old woman
    **dict.fromkeys(("1f934", "1f478"), ("1fac5",)),  # prince, princess: person with crown
    **dict.fromkeys(("1f930", "1fac3"), ("1fac4",)),  # pregnant
    **dict.fromkeys(("1f385", "1f936"), (PERSON, "1f384")),  # Santa and Mrs. Claus: Mx Claus
    **dict.fromkeys(("1f46b", "1f46c", "1f46d"), (*TWO, "1f91d")),  # two who hold hands
    "1f57a": ("1f483",),  # man dancing, woman dancing
    "1f48f": (*TWO, "2764", "1f48b"),  # kiss
    "1f491": (*TWO, "2764"),  # couple with heart
}


def load_quickdraw(splits: Sequence[Split], data_dir: Path | None) -> dict[Split, LabelledImages]:
    """Sketches, 28x28, white on black; the archive's own test part, and a seeded share of the rest for validation.

    Raises:
        DatasetError: quickdraw.npz is missing or damaged.
    """
    path = need_archive("quickdraw", data_dir)
    found: dict[Split, LabelledImages] = {}
    for part in sorted({official_part(split) for split in splits}):
        images, labels, names = read_archive(path, (f"x_{part}", f"y_{part}", "label_names"))
        _check(path, images, (28, 28), labels, names)
        for split in [each for each in splits if official_part(each) == part]:
            rows = np.arange(len(labels)) if split == "test" else _without_test(split, len(labels))
            found[split] = _labelled(images[rows, None], labels[rows], names)
    return found


def load_faces(splits: Sequence[Split], data_dir: Path | None) -> dict[Split, LabelledImages]:
    """Adult faces, RGB 64x64, labelled by the age that annotators perceived; the official validation part is the test.

    Raises:
        DatasetError: faces.npz is missing or damaged.
    """
    path = need_archive("faces", data_dir)
    jpeg, offsets, ages, names, official = read_archive(
        path, ("jpeg", "offsets", "age_group", "age_group_names", "split")
    )
    if offsets.dtype.kind not in "iu":
        raise DatasetError(f"{path}: offsets must be whole numbers, got {_kind(offsets)}; {REMEDY}")
    _check_each(path, "face", len(offsets) - 1, age_group=ages, split=official)
    content, found = jpeg.tobytes(), {}
    for split in splits:
        rows = np.flatnonzero(official == ("val" if split == "test" else "train"))
        if split != "test":
            rows = rows[_without_test(split, len(rows))]
        decoded = [_read_face(path, content[offsets[row] : offsets[row + 1]]) for row in rows]
        images = np.array(decoded, dtype=np.uint8).reshape(-1, *FACE)
        _check(path, images, FACE, ages[rows], names)
        found[split] = _labelled(images.transpose(0, 3, 1, 2), ages[rows], names)
    return found


def load_emoji(splits: Sequence[Split], data_dir: Path | None) -> dict[Split, LabelledImages]:
    """Emoji on white, RGB 64x64, labelled by category: those without a skin tone, one split for all variants of one.

    Variants (a woman, a man and a person who run, facing left or right) are shuffled together, into 80% train, 10%
    validation and 10% test.

    Raises:
        DatasetError: emoji_noto.npz is missing or damaged.
    """
    path = need_archive("emoji_noto", data_dir)
    images, points, categories, names, is_base = read_archive(
        path, ("images", "codepoints", "category", "category_names", "is_base")
    )
    _check(path, images, (64, 64, 3), categories, names)
    _check_each(path, "image", len(images), codepoints=points, is_base=is_base)
    base = np.flatnonzero(is_base)
    groups = [emoji_group(str(points[row])) for row in base]
    shuffled = seeded_random().permutation(sorted(set(groups))).tolist()
    found: dict[Split, LabelledImages] = {}
    for split in splits:
        chosen = {shuffled[index] for index in share_of(split, list(range(len(shuffled))), one_in=10)}
        rows = np.array([row for row, group in zip(base, groups, strict=True) if group in chosen], dtype=np.int64)
        found[split] = _labelled(images[rows].transpose(0, 3, 1, 2), categories[rows], names)
    return found


def emoji_group(codepoints: str) -> str:
    """What the variants of one emoji have in common: its code points less gender and direction, sorted.

    Args:
        codepoints: In hexadecimal, joined by dashes, such as ``1f3c3-200d-2640-fe0f``.
    """
    kept = (point for point in codepoints.split("-") if point not in VARIANT_MARKS)
    return "-".join(sorted(neutral for point in kept for neutral in NEUTRAL.get(point, (point,))))


def load_dsprites(splits: Sequence[Split], data_dir: Path | None) -> dict[Split, LabelledImages]:
    """Sprites, 64x64, white on black, labelled by shape, with their factors.

    The training part is the archive's complete grid of 46,080; test (10,000) and validation (5,000) are seeded
    draws from off the grid, without any whose pixels the grid or the other part has.

    Raises:
        DatasetError: dsprites.npz is missing or damaged.
    """
    path = need_archive("dsprites", data_dir)
    images, classes, names, shapes, is_grid = read_archive(
        path, ("imgs", "latents_classes", "latents_names", "shape_names", "is_grid")
    )
    if classes.dtype.kind not in "iu" or classes.shape != (len(images), len(names)):
        rule = f"whole numbers {[len(images), len(names)]}"
        raise DatasetError(f"{path}: latents_classes must be {rule}, got {_kind(classes)}; {REMEDY}")
    _check(path, images, (64, 64), classes[:, 0], shapes)
    _check_each(path, "image", len(images), is_grid=is_grid)
    if images.max() > 1:
        raise DatasetError(f"{path}: imgs must be 0 and 1, got up to {images.max()}; {REMEDY}")
    found: dict[Split, LabelledImages] = {}
    for split in splits:
        rows = np.flatnonzero(is_grid) if split == "train" else _off_grid(images, is_grid.astype(bool), split)
        factors = Factors(classes[rows].astype(np.int64), tuple(names.tolist()))
        found[split] = _labelled(images[rows, None] * np.uint8(255), classes[rows, 0], shapes, factors)
    return found


def _off_grid(images: UInt8[np.ndarray, "n 64 64"], is_grid: Bool[np.ndarray, " n"], split: Split) -> np.ndarray:
    """Rows of the split, ascending: each picture that the grid lacks once, then a seeded draw."""
    packed = np.packbits(images.reshape(len(images), -1), axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}")[:, 0]
    outside = np.flatnonzero(~is_grid & ~np.isin(keys, keys[is_grid]))
    _, first = np.unique(keys[outside], return_index=True)
    shuffled = seeded_random().permutation(outside[np.sort(first)])
    test = min(DSPRITES_TEST, 2 * len(shuffled) // 3)  # a share of a smaller archive
    part = shuffled[:test] if split == "test" else shuffled[test : test + DSPRITES_VALIDATION]
    return np.sort(part)


def _without_test(split: Split, count: int) -> np.ndarray:
    """Rows of the training part, ascending: a seeded share for validation, the rest for train."""
    shuffled = seeded_random().permutation(count)
    validation = count // VALIDATION_ONE_IN
    return np.sort(shuffled[:validation] if split == "validation" else shuffled[validation:])


def _read_face(path: Path, content: bytes) -> UInt8[np.ndarray, "64 64 3"]:
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise DatasetError(f"{path} holds a picture that is no JPEG ({error}); {REMEDY}") from error
    if pixels.shape != FACE:
        height, width = pixels.shape[:2]
        raise DatasetError(f"{path}: faces must be of 64 x 64 pixels, got {height} x {width}; {REMEDY}")
    return pixels


def _check(path: Path, images: np.ndarray, size: tuple[int, ...], labels: np.ndarray, names: np.ndarray) -> None:
    """Let at least one picture pass, with one label each that has a name."""
    if names.ndim != 1 or names.dtype.kind != "U":
        raise DatasetError(f"{path}: the labels' names must be a list of texts, got {_kind(names)}; {REMEDY}")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DatasetError(f"{path}: labels must be whole numbers, one an image, got {_kind(labels)}; {REMEDY}")
    if images.dtype != np.uint8 or images.shape != (len(labels), *size):
        rule = f"uint8 {[len(labels), *size]}, one a label"
        raise DatasetError(f"{path}: images must be {rule}, got {_kind(images)}; {REMEDY}")
    if len(labels) == 0:
        raise DatasetError(f"{path}: there must be at least one image, got none; {REMEDY}")
    if labels.min() < 0 or labels.max() >= len(names):
        rule = f"between 0 and {len(names) - 1}, as there are {len(names)} names"
        raise DatasetError(f"{path}: labels must be {rule}, got {labels.min()} to {labels.max()}; {REMEDY}")


def _check_each(path: Path, what: str, count: int, **columns: np.ndarray) -> None:
    """Let columns pass that have one row for each of so many."""
    if any(column.shape[:1] != (count,) for column in columns.values()):
        found = ", ".join(str(list(column.shape)) for column in columns.values())
        raise DatasetError(
            f"{path}: there must be one {' and '.join(columns)} for each {what}, got {found} of {count}; {REMEDY}"
        )


def _kind(values: np.ndarray) -> str:
    return f"{values.dtype} {list(values.shape)}"


def _labelled(
    images: UInt8[np.ndarray, "n c h w"],
    labels: Integer[np.ndarray, " n"],
    names: np.ndarray,
    factors: Factors | None = None,
) -> LabelledImages:
    return LabelledImages(
        images=torch.from_numpy(np.ascontiguousarray(images)),
        labels=torch.from_numpy(labels.astype(np.int64)),
        label_names=tuple(names.tolist()),
        factors=factors,
    )
