"""The visitor's desk: what the page reports is kept when it is about the model, and dropped when not."""

import json
from typing import Any

import pytest

from app.session.desk import Desk, current_desk, desk_data, forget_images, take_desk
from app.session.state import Session
from app.wire.packing import members_base64
from vae_core.inference.engine import engine
from vae_core.store.opening import StoredModel


@pytest.fixture(scope="module")
def loaded() -> StoredModel:
    return engine().load("mnist-2d")


GROUP = {"name": "ones", "indices": members_base64([1, 2, 3]), "origin": "map"}
DIRECTION = {
    "name": "0 → 1",
    "kind": "groups",
    "vector": [0.5, -1.0],
    "low": -3.0,
    "high": 3.0,
    "separation": {"auroc": 0.9, "error": 0.01, "countA": 100, "countB": 90, "byPlace": True},
    "why": None,
    "varianceShare": None,
}
REPORTED: dict[str, Any] = {
    "selection": members_base64([0, 9999]),
    "origin": "range",
    "groups": [GROUP],
    "directions": [DIRECTION],
    "names": {"1": "slant"},
    "locked": [0],
    "tab": "groups",
}


def test_a_new_desk_is_empty(loaded: StoredModel) -> None:
    assert current_desk(Session(), loaded) == Desk()


def test_what_the_page_reports_comes_back_as_it_was(loaded: StoredModel) -> None:
    memory = Session()
    take_desk(memory, loaded, REPORTED)
    desk = current_desk(memory, loaded)
    assert desk.groups[0].indices == (1, 2, 3)
    assert desk.names == {1: "slant"}
    assert json.loads(json.dumps(desk_data(desk))) == REPORTED


def test_a_selection_of_all_images_is_small_enough_to_go_down_at_every_rerun(loaded: StoredModel) -> None:
    desk = Desk(selection=tuple(range(10_000)))
    assert len(json.dumps(desk_data(desk))) < 2_000


def test_each_model_has_a_desk_of_its_own(loaded: StoredModel) -> None:
    memory = Session()
    take_desk(memory, loaded, REPORTED)
    assert current_desk(memory, engine().load("mnist-16d")) == Desk()


@pytest.mark.parametrize(
    "wrong",
    [
        {"selection": members_base64([10_000])},  # the reference set has 10,000 images
        {"selection": members_base64([0]) * 20_000},
        {"selection": "no base64"},
        {"selection": [1, 2, 3]},
        {"groups": [{**GROUP, "indices": members_base64([10_000])}]},
        {"groups": [{**GROUP, "name": ""}]},
        {"groups": [GROUP] * 51},
        {"directions": [{**DIRECTION, "vector": [1.0]}]},
        {"directions": [{**DIRECTION, "vector": [float("nan"), 0.0]}]},
        {"names": {"2": "no such dimension"}},
        {"names": {"x": "no number"}},
        {"locked": [2]},
        {"locked": [0, 1, 0]},
        {"tab": "nowhere"},
        {"origin": "a dream"},
        {"extra": 1},
    ],
    ids=lambda wrong: str(wrong)[:60],
)
def test_what_is_no_desk_of_the_model_s_changes_nothing(loaded: StoredModel, wrong: dict[str, Any]) -> None:
    memory = Session()
    take_desk(memory, loaded, REPORTED)
    before = current_desk(memory, loaded)
    take_desk(memory, loaded, REPORTED | wrong)
    assert current_desk(memory, loaded) is before


def test_images_of_a_reference_set_of_before_are_not_taken_over(loaded: StoredModel) -> None:
    memory = Session()
    take_desk(memory, loaded, REPORTED | {"selection": members_base64([4]), "groups": []})
    gone = {"selection": members_base64([10_000]), "groups": [{**GROUP, "indices": members_base64([10_000])}]}
    take_desk(memory, loaded, REPORTED | gone | {"names": {"0": "width"}}, same_images=False)
    desk = current_desk(memory, loaded)
    assert (desk.selection, desk.groups) == ((4,), ()), "as Python has them"
    assert (desk.names, len(desk.directions), desk.locked) == ({0: "width"}, 1, (0,))


def test_of_a_model_that_was_evaluated_anew_only_what_names_images_is_forgotten(loaded: StoredModel) -> None:
    memory = Session()
    assert not forget_images(memory, loaded.name)
    take_desk(memory, loaded, REPORTED)
    assert forget_images(memory, loaded.name)
    desk = current_desk(memory, loaded)
    assert (desk.selection, desk.origin, desk.groups) == ((), None, ())
    assert (desk.names, len(desk.directions), desk.locked, desk.tab) == ({1: "slant"}, 1, (0,), "groups")
    assert not forget_images(memory, loaded.name)


def test_what_is_no_object_changes_nothing(loaded: StoredModel) -> None:
    memory = Session()
    for value in (None, [], "desk", 3, object()):
        take_desk(memory, loaded, value)
    assert memory.desks == {}
