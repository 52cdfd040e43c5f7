"""The visitor's desk and links: what the page reports is kept when it is about the model, and dropped when not."""

import base64
import json
from typing import Any

import pytest

from app.choices import current_code, current_view
from app.desk import Desk, current_desk, desk_data, take_desk
from app.link import follow_link, read_link
from app.state import Session
from vae_core.errors import InputError
from vae_core.inference import LoadedModel, engine


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return engine().load("mnist-2d")


GROUP = {"name": "ones", "indices": [1, 2, 3]}
DIRECTION = {
    "name": "0 → 1",
    "kind": "groups",
    "vector": [0.5, -1.0],
    "low": -3.0,
    "high": 3.0,
    "separation": {"auroc": 0.9, "error": 0.01, "countA": 100, "countB": 90},
    "why": None,
    "varianceShare": None,
}
REPORTED: dict[str, Any] = {
    "selection": [0, 9999],
    "groups": [GROUP],
    "directions": [DIRECTION],
    "names": {"1": "slant"},
    "locked": [0],
    "tab": "groups",
}


def test_a_new_desk_is_empty(loaded: LoadedModel) -> None:
    assert current_desk(Session(), loaded) == Desk()


def test_what_the_page_reports_comes_back_as_it_was(loaded: LoadedModel) -> None:
    memory = Session()
    take_desk(memory, loaded, REPORTED)
    desk = current_desk(memory, loaded)
    assert desk.groups[0].indices == (1, 2, 3)
    assert desk.names == {1: "slant"}
    assert json.loads(json.dumps(desk_data(desk))) == REPORTED


def test_each_model_has_a_desk_of_its_own(loaded: LoadedModel) -> None:
    memory = Session()
    take_desk(memory, loaded, REPORTED)
    assert current_desk(memory, engine().load("mnist-16d")) == Desk()


@pytest.mark.parametrize(
    "wrong",
    [
        {"selection": [10_000]},  # the reference set has 10,000 images
        {"selection": [-1]},
        {"groups": [{**GROUP, "indices": [1.5]}]},
        {"groups": [{**GROUP, "name": ""}]},
        {"groups": [GROUP] * 51},
        {"directions": [{**DIRECTION, "vector": [1.0]}]},
        {"directions": [{**DIRECTION, "vector": [float("nan"), 0.0]}]},
        {"names": {"2": "no such dimension"}},
        {"names": {"x": "no number"}},
        {"locked": [2]},
        {"tab": "nowhere"},
        {"extra": 1},
    ],
    ids=str,
)
def test_what_is_no_desk_of_the_model_s_changes_nothing(loaded: LoadedModel, wrong: dict[str, Any]) -> None:
    memory = Session()
    take_desk(memory, loaded, REPORTED)
    before = current_desk(memory, loaded)
    take_desk(memory, loaded, REPORTED | wrong)
    assert current_desk(memory, loaded) is before


def test_what_is_no_object_changes_nothing(loaded: LoadedModel) -> None:
    memory = Session()
    for value in (None, [], "desk", 3, object()):
        take_desk(memory, loaded, value)
    assert memory.desks == {}


# -- links -----------------------------------------------------------------------------------------------------------

VIEW: dict[str, Any] = {
    "projection": "axes",
    "x": 1,
    "y": 0,
    "colour": "kl",
    "z": [0.25, -1.5],
    "selection": [4, 5],
}


def text_of(view: object) -> str:
    """As link.js writes it."""
    return base64.urlsafe_b64encode(json.dumps(view).encode()).decode().rstrip("=")


def followed(loaded: LoadedModel, text: str) -> Session:
    memory = Session(link=text)
    follow_link(memory, loaded)
    return memory


def test_a_link_restores_view_code_and_selection(loaded: LoadedModel) -> None:
    memory = followed(loaded, text_of(VIEW))
    assert memory.notices == []
    assert current_code(memory, loaded).tolist() == [0.25, -1.5]
    view = current_view(memory, loaded)
    assert (view.projection, view.x, view.y, view.colour) == ("axes", 1, 0, "kl")
    assert current_desk(memory, loaded).selection == (4, 5)
    assert memory.revision == 1, "the page takes the code over"


def test_a_link_is_followed_once(loaded: LoadedModel) -> None:
    memory = followed(loaded, text_of(VIEW))
    memory.load_code(loaded.name, [1.0, 1.0])
    follow_link(memory, loaded)
    assert current_code(memory, loaded).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"z": [0.25]},
        {"z": [1e300, 0.0]},
        {"projection": "umap"},  # a plane has none
        {"x": 2},
        {"colour": "7"},
        {"selection": [10_000]},
    ],
    ids=str,
)
def test_a_link_that_does_not_fit_leaves_a_sentence_and_the_default_view(loaded: LoadedModel, wrong: dict) -> None:
    memory = followed(loaded, text_of(VIEW | wrong))
    [notice] = memory.notices
    assert notice.startswith("This is mnist-2d as it starts: the link's view does not fit mnist-2d")
    assert memory.codes == {}
    assert memory.desks == {}


@pytest.mark.parametrize("text", ["", "%%%", "YWJj", text_of([]), text_of(VIEW | {"more": 1}), text_of({}), "é"])
def test_a_damaged_link_is_told_from_others(loaded: LoadedModel, text: str) -> None:
    with pytest.raises(InputError, match="the link is damaged or from another version; ask for a new one"):
        read_link(text)
    assert len(followed(loaded, text).notices) == 1


def test_a_link_has_a_longest_length() -> None:
    with pytest.raises(InputError, match="at most 8,000 letters, got 8,001"):
        read_link("a" * 8001)
