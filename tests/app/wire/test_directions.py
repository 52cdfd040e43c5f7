"""A direction with its slider crosses to the page and back as it was."""

import json

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from app.wire.directions import SliderDirection
from app.wire.numbers import from_page, to_page
from vae_core.errors import InputError
from vae_core.latent.separation import Separation

SLIDER = TypeAdapter(SliderDirection)
BETWEEN_GROUPS = {
    "name": "0 → 1",
    "kind": "groups",
    "vector": [0.5, -1.0],
    "low": -3.0,
    "high": 3.5,
    "separation": {"auroc": 0.9, "error": 0.01, "countA": 100, "countB": 90, "byPlace": True},
    "why": None,
    "varianceShare": None,
}
COMPONENT = {
    "name": "component 1",
    "kind": "component",
    "vector": [0.0, 2.0],
    "low": -1.0,
    "high": 1.0,
    "separation": None,
    "why": "a reason",
    "varianceShare": 0.25,
}


@pytest.mark.parametrize("told", [BETWEEN_GROUPS, COMPONENT], ids=["groups", "component"])
def test_it_comes_back_as_it_was(told: dict[str, object]):
    assert to_page(SLIDER, from_page(SLIDER, json.dumps(told))) == told


def test_its_parts_are_those_of_a_direction():
    read = from_page(SLIDER, json.dumps(BETWEEN_GROUPS))
    assert read.vector.dtype == np.float32
    assert read.separation == Separation(0.9, 0.01, 100, 90, by_place=True)
    assert (read.low, read.high, read.why, read.variance_share) == (-3, 3.5, None, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"vector": [0.5, None]},
        {"vector": [0.5, "1"]},
        {"vector": [0.5, 1e39]},
        {"low": "0"},
        {"kind": "other"},
        {"varianceShare": 2},
        {"variance_share": 0.5},
        {"separation": {"auroc": 0.9, "auroc_error": 0.01, "countA": 100, "countB": 90}},
        {"separation": {"auroc": 1.9, "error": 0.01, "countA": 100, "countB": 90}},
        {"why": "x" * 1_001},
        {"more": 1},
    ],
)
def test_what_is_none_is_refused(changed: dict[str, object]):
    with pytest.raises(ValidationError):
        from_page(SLIDER, json.dumps({**BETWEEN_GROUPS, **changed}))


@pytest.mark.parametrize("changed", [{"name": ""}, {"name": "a\u001bb"}, {"vector": [0, 0]}, {"vector": []}])
def test_a_name_and_a_vector_keep_the_rules_of_directions(changed: dict[str, object]):
    with pytest.raises(InputError):
        from_page(SLIDER, json.dumps({**BETWEEN_GROUPS, **changed}))
