"""Groups of reference images as files, read back."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import reference_of
from vae_core.errors import InputError
from vae_core.export.tables import group_to_csv, group_to_npz
from vae_core.reference.groups import checked_group
from vae_core.reference.reference_set import Reference

MEANS = np.array([[3, 4], [0, 0], [1, 0], [0, -2]], np.float32)
SHIPPED = Path(__file__).resolve().parents[3] / "pretrained" / "mnist-16d" / "reference.npz"


@pytest.fixture
def four() -> Reference:
    """Four images whose figures can be worked out: sigma is 1, labels are even, odd, even, odd."""
    reference = reference_of(MEANS, np.zeros_like(MEANS), seed=0)
    nats = np.array([10, 20, 30, 60], np.float32)
    return replace(reference, reconstruction=nats, held_out=np.array([True, True, False, False]))


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_table_brings_back_every_number() -> None:
    reference = Reference.load(SHIPPED)
    group = checked_group(reference, "every 50th", np.arange(0, len(reference), 50))
    places = {"umap": reference.umap_places, "pca": reference.pca_map.project(reference.means).astype(np.float64)}
    data = group_to_csv(reference, group, places)
    rows = read_csv(data)
    assert data.startswith(b"\xef\xbb\xbfindex,label,held_out,z1,z2,"), "Excel tells UTF-8 by its mark"
    assert list(rows[0])[-5:] == ["z16", "umap_x", "umap_y", "pca_x", "pca_y"]
    assert [int(row["index"]) for row in rows] == group.indices.tolist()
    assert [row["label"] for row in rows] == [reference.label_names[each] for each in reference.labels[group.indices]]
    codes = np.array([[row[f"z{dimension}"] for dimension in range(1, 17)] for row in rows]).astype(np.float32)
    assert np.array_equal(codes, reference.means[group.indices])
    for name, stored in places.items():
        read = np.array([[row[f"{name}_x"], row[f"{name}_y"]] for row in rows]).astype(stored.dtype)
        assert np.array_equal(read, stored[group.indices])


def test_a_table_tells_held_out_images_from_fill_ins(four: Reference) -> None:
    rows = read_csv(group_to_csv(four, checked_group(four, "all", range(4)), {}))
    assert [row["held_out"] for row in rows] == ["true", "true", "false", "false"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_label_becomes_a_formula(four: Reference, start: str) -> None:
    label = f'{start}HYPERLINK("a";"b"),1'
    named = replace(four, label_names=(label, 'plain, "quoted"\nword'))
    rows = read_csv(group_to_csv(named, checked_group(named, "all", [0, 1]), {}))
    assert [row["label"] for row in rows] == [f"'{label}", 'plain, "quoted"\nword']
    with np.load(io.BytesIO(group_to_npz(named, checked_group(named, "all", [0]), {}))) as stored:
        assert stored["label"].tolist() == [label]


def test_a_file_for_numpy_brings_everything_back(four: Reference) -> None:
    group = checked_group(four, "Größe", [3, 0])
    with np.load(io.BytesIO(group_to_npz(four, group, {"umap": four.umap_places})), allow_pickle=False) as stored:
        assert set(stored) == {"name", "index", "label", "held_out", "codes", "umap_places"}
        assert str(stored["name"]) == "Größe"
        assert stored["index"].tolist() == [0, 3]
        assert stored["label"].tolist() == ["even", "odd"]
        assert stored["held_out"].tolist() == [True, False]
        assert stored["codes"].dtype == np.float32
        assert np.array_equal(stored["codes"], MEANS[[0, 3]])
        assert np.array_equal(stored["umap_places"], four.umap_places[[0, 3]])


@pytest.mark.parametrize("name", ["=umap", "../umap", "a b", "", "größe"])
@pytest.mark.parametrize("write", [group_to_csv, group_to_npz])
def test_a_map_s_name_that_is_no_plain_word_is_refused(four: Reference, name: str, write: object) -> None:
    with pytest.raises(InputError, match="a map needs a name of plain letters"):
        write(four, checked_group(four, "all", [0]), {name: four.umap_places})  # type: ignore[operator]


@pytest.mark.parametrize("write", [group_to_csv, group_to_npz])
def test_what_does_not_fit_the_reference_set_is_refused(four: Reference, write: object) -> None:
    group = checked_group(four, "all", [0, 3])
    with pytest.raises(InputError, match=r"got 'umap' with \[3, 2\]"):
        write(four, group, {"umap": four.umap_places[:3]})  # type: ignore[operator]
    smaller = reference_of(MEANS[:3], np.zeros_like(MEANS[:3]), seed=0)
    with pytest.raises(InputError, match="from 0 to 2, got 0 to 3"):
        write(smaller, group, {})  # type: ignore[operator]
