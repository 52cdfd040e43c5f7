"""What the live channel answers, with the tiny model in a real engine."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from app.live.answers import answer, latent_map, project_everywhere
from app.wire.protocol import Kind, ProjectionKind, Question
from tests.app.conftest import Store
from vae_core.errors import ModelError
from vae_core.images.pixels import pixels_of
from vae_core.inference.engine import engine
from vae_core.models.vae import VAE
from vae_core.store.opening import StoredModel

LATENT, SIDE = 3, 8
Z = np.array([0.3, -1.2, 0.7], np.float32)


def ask(
    codes: np.ndarray,
    *,
    kind: Kind = Kind.DECODE,
    projection: ProjectionKind = ProjectionKind.UMAP,
    axes: tuple[int, int] = (0, 1),
    place: tuple[float, float] | None = None,
    number: int = 7,
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Ask the tiny model; returns number, places [n, 2], codes [n, 3] and pixels [n, 8, 8, 1]."""
    at = None if place is None else np.array(place, np.float32)
    content = answer(
        engine(), engine().load("tiny"), Question(kind, projection, axes, number, codes.reshape(-1, LATENT), at)
    )
    came, count = struct.unpack_from("<II", content)
    floats = np.frombuffer(content, "<f4", (2 + LATENT) * count, offset=8)
    pixels = np.frombuffer(content, np.uint8, offset=8 + floats.nbytes)
    places, lifted = floats[: 2 * count].reshape(-1, 2), floats[2 * count :].reshape(-1, LATENT)
    return came, places, lifted, pixels.reshape(count, SIDE, SIDE, 1)


def decoded(model: VAE, codes: np.ndarray) -> np.ndarray:
    """What the model itself makes of codes, as bytes."""
    with torch.inference_mode():
        return pixels_of(model.decode(torch.from_numpy(codes.reshape(-1, LATENT).copy())))


def test_decode_brings_the_number_the_code_and_exactly_the_models_pixels(tiny: StoredModel):
    number, _, codes, pixels = ask(Z, number=2**32 - 1)
    assert number == 2**32 - 1
    np.testing.assert_array_equal(codes, [Z])
    np.testing.assert_array_equal(pixels, decoded(tiny.network, Z))
    assert pixels.std() > 0


STORED = [ProjectionKind.UMAP, ProjectionKind.PCA, ProjectionKind.AXES]  # of the others test_refits.py tells


@pytest.mark.parametrize("projection", STORED)
def test_decode_says_where_the_code_lies_on_the_asked_map(tiny: StoredModel, projection: ProjectionKind):
    reference = tiny.need_reference()
    expected = {
        ProjectionKind.UMAP: reference.umap_map.project(Z[None]),
        ProjectionKind.PCA: (Z - reference.pca_mean) @ reference.pca_components.T,
        ProjectionKind.AXES: Z[[2, 0]],
    }[projection]
    _, places, _, _ = ask(Z, projection=projection, axes=(2, 0))
    np.testing.assert_allclose(places, expected.reshape(1, 2), rtol=1e-5, atol=1e-6)


def test_peek_on_two_dimensions_changes_those_two_alone(tiny: StoredModel):
    _, places, codes, pixels = ask(Z, kind=Kind.PEEK, projection=ProjectionKind.AXES, axes=(2, 0), place=(1.5, -0.5))
    np.testing.assert_array_equal(codes, np.array([[-0.5, Z[1], 1.5]], np.float32))
    np.testing.assert_array_equal(places, [[1.5, -0.5]])
    np.testing.assert_array_equal(pixels, decoded(tiny.network, codes))


def test_peek_on_pca_is_the_inverse_transform(tiny: StoredModel):
    reference = tiny.need_reference()
    _, places, codes, pixels = ask(Z, kind=Kind.PEEK, projection=ProjectionKind.PCA, place=(0.2, -0.1))
    expected = reference.pca_mean + 0.2 * reference.pca_components[0] - 0.1 * reference.pca_components[1]
    np.testing.assert_allclose(codes, [expected], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(places, [[0.2, -0.1]], rtol=1e-4)
    np.testing.assert_array_equal(pixels, decoded(tiny.network, codes))


def test_peek_on_a_references_own_place_gives_its_code(tiny: StoredModel):
    reference = tiny.need_reference()
    for index in (0, 17, len(reference) - 1):
        _, _, codes, pixels = ask(Z, kind=Kind.PEEK, place=tuple(reference.umap_places[index]))
        np.testing.assert_array_equal(codes, reference.means[[index]])
        np.testing.assert_array_equal(pixels, decoded(tiny.network, codes))


def test_a_path_brings_each_codes_place_and_pixels_in_order(tiny: StoredModel):
    path = np.linspace(-Z, 2 * Z, 70, dtype=np.float32)  # more than one batch
    number, places, codes, pixels = ask(path, kind=Kind.PATH)
    assert number == 7
    np.testing.assert_array_equal(codes, path)
    np.testing.assert_array_equal(places, tiny.need_reference().umap_map.project(path).astype(np.float32))
    # A batch may round a last bit otherwise than one code alone, so a pixel may differ by one.
    alone = np.concatenate([decoded(tiny.network, code) for code in path])
    assert np.abs(pixels.astype(int) - alone).max() <= 1


def test_two_dimensions_need_no_reference_set_and_fitted_maps_say_so(models_dir: Path, store: Store):
    bare = store("bare", with_reference=False)
    assert latent_map(bare, ProjectionKind.AXES, (0, 1)).project(Z[None]).tolist() == [Z[:2].tolist()]
    for kind in (ProjectionKind.UMAP, ProjectionKind.PCA):
        with pytest.raises(ModelError, match=r"bare has no reference set.*evaluate bare"):
            latent_map(bare, kind, (0, 1))


def test_project_everywhere_names_the_place_on_each_fitted_map(tiny: StoredModel):
    reference = tiny.need_reference()
    places = project_everywhere(tiny, Z)
    assert set(places) == {"umap", "pca"}
    assert places["umap"] == pytest.approx(reference.umap_map.project(Z[None])[0].tolist())
    assert places["pca"] == pytest.approx(((Z - reference.pca_mean) @ reference.pca_components.T).tolist(), rel=1e-5)


def test_live_pictures_are_rounded_as_those_in_files_are(tiny: StoredModel, monkeypatch: pytest.MonkeyPatch):
    levels = torch.arange(SIDE * SIDE).reshape(1, 1, SIDE, SIDE) / 255 + 0.5 / 255  # halves, which round up
    monkeypatch.setattr(engine(), "decode", lambda *_, **__: levels)
    *_, pixels = ask(Z)
    np.testing.assert_array_equal(pixels, pixels_of(levels))
    assert pixels.ravel()[:3].tolist() == [1, 2, 3]


def test_draw_brings_other_codes_of_the_mixture_each_time_and_their_pictures(tiny: StoredModel):
    none = np.empty((0, LATENT), np.float32)
    drawn = [ask(none, kind=Kind.DRAW) for _ in range(40)]
    codes = np.concatenate([code for _, _, code, _ in drawn])
    assert len(np.unique(codes, axis=0)) == 40
    _, places, code, pixels = drawn[0]
    np.testing.assert_array_equal(pixels, decoded(tiny.network, code))
    np.testing.assert_allclose(places, tiny.need_reference().umap_map.project(code), rtol=1e-5)
    # The tiny mixture lies around -1 and, for three draws of four, around 1.
    assert (np.abs(np.abs(codes) - 1) < 1.5).all()
    assert 0.4 < (codes.mean(axis=1) > 0).mean() < 0.98


def test_a_draw_for_a_model_without_reference_set_says_so(store: Store):
    store("bare", with_reference=False)
    question = Question(Kind.DRAW, ProjectionKind.AXES, (0, 1), 1, np.empty((0, LATENT), np.float32), None)
    with pytest.raises(ModelError, match="evaluate bare"):
        answer(engine(), engine().load("bare"), question)
