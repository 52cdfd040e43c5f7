"""What our components are given has the shape that the browser's code is checked against (see tests/assets/types)."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.pages import open_page, picker, report, sent
from tests.contracts import check_contract
from vae_core.store.opening import StoredModel

LONGEST_TEXT = 40  # of a sample: pictures in base64 say nothing by their length


@pytest.fixture
def explore(tiny: StoredModel, png: Callable[[int], bytes]) -> AppTest:
    """Explore with a picture, a group and a direction."""
    page = open_page("explore", model=tiny.name)
    report(page, "added", [{"name": "mine.png", "content": base64.b64encode(png(1)).decode()}])
    separation = {"auroc": 0.9, "error": 0.01, "countA": 3, "countB": 4, "byPlace": True}
    between = {"name": "a to b", "kind": "groups", "vector": [1.0, 0.5, 0.0], "low": -1.5, "high": 1.5}
    component = {"name": "component 1", "kind": "component", "vector": [0.5, 0.0, 1.5], "low": -2.5, "high": 2.5}
    desk = {
        **sent(page)["desk"],
        "groups": [{"name": "a", "indices": "Bw==", "origin": "map"}],
        "directions": [
            {**between, "separation": separation, "why": None, "varianceShare": None},
            {**component, "separation": None, "why": "too few", "varianceShare": 0.25},
        ],
        "names": {"1": "slant"},
        "locked": [1],
    }
    report(page, "desk", desk)
    return page


def test_what_the_components_are_given_has_the_shape_of_the_contract(explore: AppTest) -> None:
    given = {
        "explore": sent(explore),
        "interpolate": sent(explore.switch_page("views/interpolate.py").run()),
        "reconstruct": sent(explore.switch_page("views/reconstruct.py").run()),
        "picker": picker(explore),
    }
    check_contract("payloads", {name: sample(data) for name, data in given.items()}, alike=shape)


def sample(data: Any) -> Any:
    """As much of it as shows its shape: of a list the first and the last, of a text the beginning."""
    match data:
        case dict():
            return {name: sample(value) for name, value in data.items()}
        case [first, *_, last]:
            return [sample(first), sample(last)]
        case [only]:
            return [sample(only)]
        case str():
            return data[:LONGEST_TEXT]
        case _:
            return data


def shape(data: Any) -> Any:
    """What it is made of, whatever its values."""
    match data:
        case dict():
            return {name: shape(value) for name, value in data.items()}
        case list():
            return [shape(value) for value in data]
        case bool() | str() | None:
            return type(data).__name__
        case _:
            return "number"
