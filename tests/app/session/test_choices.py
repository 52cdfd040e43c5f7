"""First code and view of a model, and what pages report: taken when it is right, else left."""

import numpy as np
import pytest

from app.session.choices import current_code, current_view, projections, take_code, take_view
from app.session.state import Session, View
from tests.app.conftest import Store
from vae_core.store.opening import StoredModel

NAN, INFINITY = float("nan"), float("inf")
VIEW = {"projection": "pca", "x": 2, "y": 0, "colour": "1"}

# -- first values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("latent_dim", "names"), [(1, ["axes"]), (2, ["axes"]), (3, ["umap", "pca", "axes"])])
def test_a_plane_needs_no_projection(store: Store, latent_dim: int, names: list[str]):
    assert projections(store("other", latent_dim=latent_dim)) == names


def test_the_first_code_is_that_of_the_most_typical_reconstruction(memory: Session, tiny: StoredModel):
    reference = tiny.need_reference()
    middle = np.argsort(reference.reconstruction)[len(reference) // 2 - 1 : len(reference) // 2 + 1]
    code = current_code(memory, tiny)
    assert any(np.array_equal(code, reference.means[index]) for index in middle)
    code[:] = 0
    assert not any(np.array_equal(code, reference.means[index]) for index in middle), "the reference set was changed"


def test_a_code_that_was_chosen_stays(memory: Session, tiny: StoredModel):
    memory.codes["tiny"] = np.array([1, 2, 3], np.float32)
    assert current_code(memory, tiny).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("latent_dim", "view"), [(1, View("axes", 0, 0)), (2, View("axes", 0, 1)), (3, View("umap", 0, 1))]
)
def test_the_first_view_shows_the_models_first_map(memory: Session, store: Store, latent_dim: int, view: View):
    assert current_view(memory, store("other", latent_dim=latent_dim)) == view


def test_a_view_that_was_chosen_stays(memory: Session, tiny: StoredModel):
    memory.views["tiny"] = View("pca", 2, 0, "1")
    assert current_view(memory, tiny) == View("pca", 2, 0, "1")


# -- codes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[0.5, -1.0, 2.0], [0, -1, 2], [3e38, -3e38, 1e-40]])
def test_a_code_is_taken_as_float32(tiny: StoredModel, values: list[float]):
    code = take_code(tiny, values)
    assert code is not None
    assert code.dtype == np.float32
    assert code.tolist() == pytest.approx(values)


@pytest.mark.parametrize(
    "values",
    [
        None,
        0.5,
        True,
        "",
        "123",
        [],
        [0.5, 0.5],
        [0.5] * 4,
        [NAN, 0.5, 0.5],
        [0.5, INFINITY, 0.5],
        [0.5, 0.5, -INFINITY],
        [1e39, 0.5, 0.5],
        [10**400, 0, 0],
        ["1", "2", "3"],
        [None, 0.5, 0.5],
        [[0.5, 0.5, 0.5]],
        [[0.5], [0.5, 0.5], 0.5],
        [{}, {}, {}],
        {"0": 0.5, "1": 0.5, "2": 0.5},
    ],
)
def test_what_is_no_code_of_this_model_is_refused(tiny: StoredModel, values: object):
    assert take_code(tiny, values) is None


# -- views ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", [VIEW, {**VIEW, "projection": "umap", "colour": "label"}, {**VIEW, "new": 1}])
def test_a_view_of_this_model_is_kept(memory: Session, tiny: StoredModel, view: dict[str, object]):
    take_view(memory, tiny, view)
    assert memory.views["tiny"] == View(view["projection"], 2, 0, view["colour"])


@pytest.mark.parametrize(
    "value",
    [
        None,
        "umap",
        7,
        [],
        {},
        *({name: part for name, part in VIEW.items() if name != missing} for missing in VIEW),
        {**VIEW, "projection": "tsne"},
        {**VIEW, "projection": None},
        {**VIEW, "projection": ["umap"]},
        {**VIEW, "x": 3},
        {**VIEW, "y": -1},
        {**VIEW, "x": 0.5},
        {**VIEW, "x": "0"},
        {**VIEW, "y": None},
        {**VIEW, "y": NAN},
        {**VIEW, "colour": "red"},
        {**VIEW, "colour": "3"},
        {**VIEW, "colour": "-1"},
        {**VIEW, "colour": 1},
        {**VIEW, "colour": None},
        {**VIEW, "colour": ["label"]},
    ],
)
def test_what_is_no_view_of_this_model_changes_nothing(memory: Session, tiny: StoredModel, value: object):
    before = current_view(memory, tiny)
    take_view(memory, tiny, value)
    assert memory.views == {"tiny": before}


def test_a_map_that_a_plane_does_not_offer_is_refused(memory: Session, store: Store):
    plane = store("plane", latent_dim=2)
    take_view(memory, plane, {"projection": "umap", "x": 0, "y": 1, "colour": "label"})
    assert memory.views == {}
