"""The reference set: what it says of a model, and its file."""

import math
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vae_core.errors import InputError, ModelError
from vae_core.latent.mixture import Mixture
from vae_core.models.posterior import Posterior
from vae_core.models.vae import MAX_LOGVAR
from vae_core.projection.projections import fit_pca
from vae_core.reference.build import Encoded, build_reference
from vae_core.reference.checks import NUMBER_PARTS
from vae_core.reference.draws import draw_codes
from vae_core.reference.reference_set import Reference
from vae_core.reference.scores import SCORES, comparison_scale, score_percentiles

HALF_PRECISION = {"means", "logvars"}


def plain(reference: Reference) -> Reference:
    """As a plain autoencoder's: posteriors are points."""
    return replace(reference, logvars=np.full_like(reference.logvars, -math.inf))


def stored(reference: Reference, folder: Path) -> Path:
    reference.save(folder / "reference.npz")
    return folder / "reference.npz"


# --- formats -------------------------------------------------------------------------------------------------


def with_format(path: Path, number: object) -> Path:
    """The file with another number of its format; without any where that is None."""
    with np.load(path) as found:
        arrays = {name: found[name] for name in found.files if name != "format"}
    if number is not None:
        arrays["format"] = np.array(number)
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def test_a_file_has_the_number_of_its_format(tiny_reference: Reference, tmp_path: Path) -> None:
    with np.load(stored(tiny_reference, tmp_path)) as found:
        assert found["format"].shape == ()
        assert found["format"].item() == 1


def test_a_file_of_before_there_were_numbers_is_read(tiny_reference: Reference, tmp_path: Path) -> None:
    path = with_format(stored(tiny_reference, tmp_path), None)
    assert Reference.load(path).digest == tiny_reference.digest


def test_a_file_of_a_newer_version_says_so(tiny_reference: Reference, tmp_path: Path) -> None:
    path = with_format(stored(tiny_reference, tmp_path), 2)
    with pytest.raises(ModelError, match=r"reference\.npz was made by a newer version of VAE Explorer \(format 2"):
        Reference.load(path)


@pytest.mark.parametrize("number", [0, 1.0, "1", [1], [[1, 1]], True])
def test_a_number_that_is_none_is_refused(tiny_reference: Reference, tmp_path: Path, number: object) -> None:
    path = with_format(stored(tiny_reference, tmp_path), number)
    with pytest.raises(ModelError, match="format must be"):
        Reference.load(path)


# --- what it says --------------------------------------------------------------------------------------------


def test_its_length_is_the_number_of_images(tiny_reference: Reference) -> None:
    assert len(tiny_reference) == 40
    assert tiny_reference.latent_dim == 3


def test_importance_is_the_mean_kl_of_each_dimension(tiny_reference: Reference) -> None:
    means = np.array([[0, 1, 2], [0, -1, 0]], np.float32)
    logvars = np.log(np.array([[1, 1, 4], [1, 1, 1]], np.float32))
    two = replace(tiny_reference, **first_rows(tiny_reference, 2) | {"means": means, "logvars": logvars})
    # (mu^2 + sigma^2 - 1 - log sigma^2) / 2 by hand: 0 | 0.5, 0.5 | (4 + 4 - 1 - log 4) / 2 and 0
    np.testing.assert_allclose(two.importance, [0, 0.5, (3.5 - math.log(2)) / 2], atol=1e-6)


def first_rows(reference: Reference, count: int) -> dict[str, np.ndarray]:
    return {name: getattr(reference, name)[:count] for name in ("labels", "umap_places", "reconstruction", "held_out")}


def test_importance_of_a_plain_autoencoder_is_the_variance_of_its_codes(tiny_reference: Reference) -> None:
    reference = plain(tiny_reference)
    assert tiny_reference.is_variational
    assert not reference.is_variational
    mean = reference.means.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(reference.importance, np.square(reference.means - mean).mean(axis=0), rtol=1e-4)


def test_slider_ranges_cover_the_prior_and_the_codes(tiny_reference: Reference) -> None:
    means = tiny_reference.means.copy()
    means[:, 1] = np.linspace(0, 100, len(means))
    ranges = replace(tiny_reference, means=means).ranges
    assert ranges.shape == (3, 2)
    assert ranges[1, 0] == -3
    assert 99 < ranges[1, 1] <= 100


def test_its_maps_place_the_codes_it_holds(tiny_reference: Reference) -> None:
    place = tiny_reference.umap_places[5]
    assert np.array_equal(tiny_reference.umap_map.unproject(place, tiny_reference.means[0]), tiny_reference.means[5])
    expected = fit_pca(tiny_reference.means).project(tiny_reference.means)
    np.testing.assert_allclose(tiny_reference.pca_map.project(tiny_reference.means), expected, atol=1e-6)


# --- the file ------------------------------------------------------------------------------------------------


def test_it_comes_back_from_its_file(tiny_reference: Reference, tmp_path: Path) -> None:
    back = Reference.load(stored(tiny_reference, tmp_path))
    assert back.label_names == ("even", "odd")
    for field in fields(Reference):
        got, expected = getattr(back, field.name), getattr(tiny_reference, field.name)
        if isinstance(expected, tuple):
            assert got == expected, field.name
        elif field.name not in HALF_PRECISION:
            assert np.array_equal(got, expected), field.name
            assert got.dtype == expected.dtype, field.name


def test_half_precision_changes_a_deviation_by_less_than_it_says(tiny_reference: Reference, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    logvars = generator.uniform(-MAX_LOGVAR, MAX_LOGVAR, tiny_reference.logvars.shape).astype(np.float32)
    back = Reference.load(stored(replace(tiny_reference, logvars=logvars), tmp_path))
    assert back.logvars.dtype == np.float32
    ratio = np.exp(0.5 * back.logvars) / np.exp(0.5 * logvars)
    assert np.abs(ratio - 1).max() < 0.004
    assert np.abs(ratio - 1).max() > 0, "it does round"


def test_a_plain_autoencoder_s_comes_back_as_such(tiny_reference: Reference, tmp_path: Path) -> None:
    assert not Reference.load(stored(plain(tiny_reference), tmp_path)).is_variational


@pytest.mark.parametrize("count", [256, 257, 70_000])
def test_labels_of_many_classes_come_back_unclipped(tiny_reference: Reference, tmp_path: Path, count: int) -> None:
    names = tuple(f"class {index}" for index in range(count))
    labels = np.full(len(tiny_reference), count - 1)
    back = Reference.load(stored(replace(tiny_reference, labels=labels, label_names=names), tmp_path))
    assert (back.labels == count - 1).all()
    assert back.label_names == names


def test_label_names_may_be_any_text(tiny_reference: Reference, tmp_path: Path) -> None:
    names = ("Ä b/c", "日本 🎈")
    assert Reference.load(stored(replace(tiny_reference, label_names=names), tmp_path)).label_names == names


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        Reference.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kept", [0, 2, 30, 1000, -1])
def test_a_truncated_file_is_refused(tiny_reference: Reference, tmp_path: Path, kept: int) -> None:
    path = stored(tiny_reference, tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    refusal(path)


def test_a_file_with_a_flipped_bit_is_refused(tiny_reference: Reference, tmp_path: Path) -> None:
    path = stored(tiny_reference, tmp_path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        middle = archive.getinfo("means.npy").header_offset + archive.getinfo("means.npy").compress_size // 2
    content[middle] ^= 0xFF
    path.write_bytes(content)
    refusal(path)


@pytest.mark.parametrize("name", [field.name for field in fields(Reference)])
def test_a_file_that_lacks_a_part_is_refused(tiny_reference: Reference, tmp_path: Path, name: str) -> None:
    path = stored(tiny_reference, tmp_path)
    with np.load(path) as arrays:
        kept = {key: arrays[key] for key in arrays if key != name}
    np.savez(path, **kept)
    assert name in refusal(path)


def test_parts_that_do_not_fit_each_other_are_refused(tiny_reference: Reference, tmp_path: Path) -> None:
    path = stored(tiny_reference, tmp_path)
    with np.load(path) as arrays:
        parts = dict(arrays)
    for changed in ({"umap_places": parts["umap_places"][:-1]}, {"logvars": parts["logvars"][:, :2]}):
        np.savez(path, **parts | changed)
        assert next(iter(changed)) in refusal(path)


def changed(name: str, change: Callable[[np.ndarray], object]) -> Callable[[dict[str, np.ndarray]], None]:
    """What changes one part of a file in place."""

    def apply(parts: dict[str, np.ndarray]) -> None:
        change(parts[name])

    return apply


def replaced(name: str, make: Callable[[np.ndarray], np.ndarray]) -> Callable[[dict[str, np.ndarray]], None]:
    """What puts another array in a part's place."""

    def apply(parts: dict[str, np.ndarray]) -> None:
        parts[name] = make(parts[name])

    return apply


NUMBERS = [name for name in NUMBER_PARTS if name != "logvars"]
DAMAGE: dict[str, tuple[Callable[[dict[str, np.ndarray]], None], str]] = {
    **{
        f"{name} that are not numbers": (
            changed(name, lambda part: np.put(part, 0, np.nan)),
            f"{name} must hold finite float32 numbers, got nan",
        )
        for name in NUMBERS
    },
    "an infinite mean": (changed("means", lambda part: np.put(part, 3, np.inf)), "means must hold finite"),
    "a place beyond float32": (
        replaced("umap_places", lambda part: part.astype(np.float64) + 1e300),
        "umap_places must hold finite float32 numbers, got 1e+300",
    ),
    "a variance of 0 among others": (
        changed("logvars", lambda part: np.put(part, 0, -np.inf)),
        "logvars must lie within 10 of 0, or all be minus infinity, got -inf",
    ),
    "a variance that overflows": (changed("logvars", lambda part: np.put(part, 0, 200)), "logvars must lie within 10"),
    "a variance that is no number": (changed("logvars", lambda part: np.put(part, 0, np.nan)), "got nan"),
    "a label without a name": (
        changed("labels", lambda part: np.put(part, 0, 2)),
        "labels must be from 0 to 1, one for each name, got 2",
    ),
    "a label below 0": (replaced("labels", lambda part: part.astype(np.int64) - 1), "labels must be from 0 to 1"),
    "labels that are no whole numbers": (
        replaced("labels", lambda part: part.astype(np.float32)),
        "labels must hold whole numbers, got float32",
    ),
    "names that are no text": (
        replaced("label_names", lambda part: np.arange(len(part))),
        "label_names must hold text, got int64",
    ),
    "one name instead of a list": (
        replaced("label_names", lambda part: part[0]),
        "label_names must be [class], none of them 0, got []",
    ),
    "numbers that are text": (
        replaced("means", lambda part: part.astype(str)),
        "means must hold floating-point numbers, got <U",
    ),
    "no image at all": (replaced("means", lambda part: part[:0]), "means must be [image, latent], none of them 0"),
    "no held-out image": (
        replaced("held_out", np.zeros_like),
        "held_out must be true of at least one image, got none",
    ),
    "percentiles out of order": (
        changed("score_percentiles", lambda part: part[1].put([4, 5], [50, 40])),
        "score_percentiles must rise from the 0th to the 100th, got 40 after 50",
    ),
    "weights that do not sum to 1": (
        replaced("mixture_weights", lambda part: part / 2),
        "mixture_weights must be at least 0 and sum to 1, got a sum of 0.5 and a least of 0.125",
    ),
    "a weight below 0": (
        replaced("mixture_weights", lambda part: np.array([-0.25, 1.25], part.dtype)),
        "got a sum of 1 and a least of -0.25",
    ),
    "factors that are no Cholesky factors": (
        changed("mixture_factors", lambda part: part[0].put([1], [0.5])),
        "mixture_factors must be lower triangular with a diagonal above 0",
    ),
    "factors without a density": (
        changed("mixture_factors", lambda part: part[1].put([4], [0])),
        "mixture_factors must be lower triangular with a diagonal above 0",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_value_that_cannot_be_is_refused_by_its_rule(tiny_reference: Reference, tmp_path: Path, case: str) -> None:
    damage, said = DAMAGE[case]
    path = stored(tiny_reference, tmp_path)
    with np.load(path) as arrays:
        parts = dict(arrays)
    damage(parts)
    np.savez(path, **parts)
    assert said in refusal(path)
    assert refusal(path).endswith("; run evaluate to build it again.")


def test_numbers_of_another_precision_become_float32(tiny_reference: Reference, tmp_path: Path) -> None:
    path = stored(tiny_reference, tmp_path)
    with np.load(path) as arrays:
        wide = {name: part.astype(np.float64) if part.dtype.kind == "f" else part for name, part in arrays.items()}
    np.savez(path, **wide)
    back = Reference.load(path)
    assert back.umap_places.dtype == np.float32
    assert draw_codes(back.mixture, 3, torch.Generator().manual_seed(0)).dtype == torch.float32


@pytest.mark.parametrize("place", [8, 10], ids=["encrypted", "another method"])
def test_an_archive_packed_in_another_way_is_refused(tiny_reference: Reference, tmp_path: Path, place: int) -> None:
    path = stored(tiny_reference, tmp_path)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + place] ^= 1  # in the list of files at the archive's end
    path.write_bytes(content)
    refusal(path)


def test_other_files_under_its_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "reference.npz"
    for content in (b"text", pickle.dumps({"means": 1})):
        path.write_bytes(content)
        refusal(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))  # a single array
    refusal(path)
    path.unlink()
    refusal(path)
    path.mkdir()
    refusal(path)


def test_a_pickled_array_is_refused_unopened(tiny_reference: Reference, tmp_path: Path) -> None:
    path = stored(tiny_reference, tmp_path)
    with np.load(path) as arrays:
        parts = dict(arrays)
    np.savez(path, **parts | {"label_names": np.array([object(), None], dtype=object)})
    refusal(path)


# --- building ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_a_built_reference_keeps_what_it_was_given_and_lays_it_out() -> None:
    generator = torch.Generator().manual_seed(0)
    posterior = Posterior(torch.randn(30, 4, generator=generator), torch.randn(30, 4, generator=generator))
    nats, labels, held_out = np.linspace(10, 20, 30), np.arange(30) % 3, np.arange(30) < 20
    mixture = Mixture(np.ones(1, np.float32), np.zeros((1, 4), np.float32), np.eye(4, dtype=np.float32)[None])
    names = ("size", "", "", "place")
    encoded = Encoded(posterior, nats, labels, held_out)
    reference, reducer = build_reference(encoded, ("a", "b", "c"), mixture, names, seed=0)
    assert np.array_equal(reference.means, posterior.mean.half().float().numpy()), "what is stored is what is laid out"
    assert np.array_equal(reference.logvars, posterior.logvar.half().float().numpy())
    assert np.array_equal(reference.labels, labels)
    assert np.array_equal(reference.held_out, held_out)
    assert reference.dimension_names == names
    assert np.array_equal(reference.mixture.means, mixture.means)
    np.testing.assert_allclose(reference.reconstruction, nats, rtol=1e-6)
    assert reference.umap_places.shape == (30, 2)
    assert np.isfinite(reference.umap_places).all()
    assert np.array_equal(reference.pca_components, fit_pca(reference.means).components)
    assert np.array_equal(np.asarray(reducer.embedding_, np.float32), reference.umap_places)  # type: ignore[attr-defined]


def test_percentiles_are_of_held_out_images_alone() -> None:
    posterior = Posterior(torch.zeros(101, 2), torch.zeros(101, 2))
    nats = np.where(np.arange(101) < 51, np.arange(101.0), 1e6)  # 0 to 50 held out, the training images absurd
    percentiles = score_percentiles(posterior, nats, np.arange(101) < 51)
    assert percentiles.shape == (len(SCORES), 101)
    np.testing.assert_allclose(percentiles[SCORES.index("reconstruction")], np.arange(101) / 2)
    np.testing.assert_allclose(percentiles[SCORES.index("kl")], 0)
    np.testing.assert_allclose(percentiles[SCORES.index("negative_elbo")], np.arange(101) / 2)
    np.testing.assert_allclose(percentiles[SCORES.index("neighbour_distance")], 0)


def test_a_score_is_worse_than_a_share_of_the_held_out_images(tiny_reference: Reference) -> None:
    spread = np.tile(np.linspace(0, 50, 101, dtype=np.float32), (len(SCORES), 1))
    reference = replace(tiny_reference, score_percentiles=spread)
    assert [reference.percentile("kl", value) for value in (-1.0, 0.0, 25.0, 50.0, 99.0)] == [0, 0, 50, 100, 100]


def test_too_few_held_out_images_are_refused() -> None:
    posterior = Posterior(torch.zeros(40, 2), torch.zeros(40, 2))
    mixture = Mixture(np.ones(1, np.float32), np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32)[None])
    encoded = Encoded(posterior, np.zeros(40), np.zeros(40, int), np.arange(40) < 15)
    with pytest.raises(InputError, match="at least 16 held-out images, got 15"):
        build_reference(encoded, ("a",), mixture, ("", ""), seed=0)


def test_codes_are_compared_in_posterior_deviations() -> None:
    deviations = np.array([[0.1, 1.0], [0.3, 1.0]], np.float32)
    np.testing.assert_allclose(comparison_scale(2 * np.log(deviations)), [1 / 0.2, 1], rtol=1e-6)
    assert comparison_scale(np.full((2, 3), -np.inf, np.float32)).tolist() == [1, 1, 1]
