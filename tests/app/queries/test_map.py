"""What colours a map beside labels and dimensions, and how its points are known by their reference indices."""

import base64
from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.charts.maps import MapColour, map_chart
from app.live.map_charts import maps_version
from app.live.routes import live_routes
from app.session.choices import current_view, take_view
from app.session.state import Session, View
from tests.app.conftest import Store
from tests.conftest import REFERENCES
from vae_core.reference.groups import VALUES, values_of
from vae_core.store.opening import StoredModel

TITLES = {
    "kl": "KL, nats",
    "reconstruction": "Reconstruction term, nats",
    "norm": "Norm of the code, units of z",
    "density": "Log density of the codes, nats",
    "distance": "Distance to the nearest codes, posterior deviations",
}


@pytest.fixture
def client(tiny: StoredModel) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=live_routes(""))) as client:
        yield client


def address(loaded: StoredModel, colour: str) -> str:
    return f"/live/models/{loaded.name}/{maps_version(loaded)}/map?projection=pca&x=0&y=1&colour={colour}"


def unpacked(packed: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])


def indices_of(figure: go.Figure) -> list[np.ndarray]:
    return [np.frombuffer(base64.b64decode(text), "<i4") for text in figure.layout.meta["indices"]]


def test_every_value_has_a_title_with_its_unit():
    assert set(TITLES) == set(VALUES)


@pytest.mark.parametrize("colour", VALUES)
def test_a_map_is_coloured_by_a_value_of_each_image(client: TestClient, tiny: StoredModel, colour: str):
    answer = client.get(address(tiny, colour))
    assert answer.status_code == 200
    figure = go.Figure(answer.json(), skip_invalid=False)
    [trace] = figure.data
    assert trace.marker.colorbar.title.text == TITLES[colour]
    np.testing.assert_allclose(unpacked(trace.marker.color), values_of(tiny.need_reference(), colour), rtol=1e-5)
    [indices] = indices_of(figure)
    assert indices.tolist() == list(range(REFERENCES))


def test_a_plain_autoencoder_has_no_kl_and_its_distances_no_deviations(client: TestClient, store: Store):
    plain = store("plain", variational=False)
    answer = client.get(address(plain, "kl"))
    assert answer.status_code == 400
    assert "a plain autoencoder has no KL" in answer.text
    figure = go.Figure(client.get(address(plain, "distance")).json())
    assert figure.data[0].marker.colorbar.title.text == "Distance to the nearest codes, units of z"


def test_a_point_of_a_class_is_known_by_its_index(client: TestClient, tiny: StoredModel):
    reference = tiny.need_reference()
    figure = go.Figure(client.get(address(tiny, "label")).json())
    indices = indices_of(figure)
    assert [trace.name for trace in figure.data] == ["even", "odd"]
    assert sorted(np.concatenate(indices).tolist()) == list(range(REFERENCES))
    places = reference.pca_map.project(reference.means)
    for trace, own, label in zip(figure.data, indices, (0, 1), strict=True):
        assert (reference.labels[own] == label).all()
        np.testing.assert_allclose(unpacked(trace.x), places[own, 0], rtol=1e-5)


def test_a_class_without_members_has_neither_trace_nor_indices():
    colour = MapColour(np.array([2, 0, 2]), categories=("zero", "one", "two"))
    figure = map_chart(np.zeros((3, 2), np.float32), colour, axis_titles=None)
    assert [trace.name for trace in figure.data] == ["zero", "two"]
    assert [own.tolist() for own in indices_of(figure)] == [[1], [0, 2]]


@pytest.mark.parametrize("variational", [True, False])
@pytest.mark.parametrize("colour", VALUES)
def test_a_view_may_be_coloured_by_what_the_model_has(memory: Session, store: Store, colour: str, variational: bool):
    loaded = store("other", variational=variational)
    before = current_view(memory, loaded)
    take_view(memory, loaded, {"projection": "pca", "x": 0, "y": 1, "colour": colour})
    is_kept = variational or colour != "kl"
    assert memory.views["other"] == (View("pca", 0, 1, colour) if is_kept else before)
