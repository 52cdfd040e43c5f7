"""What pages send with each question, letter by letter: a field that is renamed in Python keeps its name there."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.live.ask import QUESTIONS
from app.wire.numbers import from_page, to_page

DIRECTION = {
    "name": "0 → 1",
    "vector": [0.5, -1.0],
    "kind": "groups",
    "separation": {"auroc": 0.9, "error": 0.01, "countA": 100, "countB": 90, "byPlace": True},
    "varianceShare": None,
}
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("group", {"indices": [1, 2]}),
    ("select", {"by": "label", "label": 3}),
    ("select", {"by": "range", "what": "kl", "low": 0.5, "high": 2.0}),
    ("export-group", {"name": "ones", "indices": [1, 2], "format": "csv"}),
    ("direction", {"kind": "groups", "name": "a → b", "a": [1], "b": [2], "byPlace": True}),
    ("direction", {"kind": "component", "index": 0}),
    ("direction", {"kind": "axis", "index": 1}),
    ("direction", {"kind": "without", "direction": DIRECTION, "against": [[1.0, 0.0]], "name": "c"}),
    ("save-directions", {"directions": [DIRECTION]}),
    ("saved-directions", {}),
    ("neighbours", {"z": [0.0, 1.0], "k": 5, "metric": "deviations"}),
    ("code", {"index": 3}),
    ("card", {"index": 3}),
    ("place", {"z": [0.0, 1.0]}),
    ("values", {"what": "norm"}),
    ("sheet", {"z": [0.0], "dimensions": [0], "steps": 3, "low": -1.0, "high": 1.0, "names": {"0": "slant"}}),
    (
        "plane",
        {
            **{"z": [0.0], "first": [1.0], "second": [2.0]},
            **{"low": [-1.0, -2.0], "high": [1.0, 2.0], "side": 5, "file": True},
        },
    ),
    ("density", {"projection": "axes", "x": 0, "y": 1, "refit": None}),
    ("refit", {"neighbors": 15, "minDist": 0.1, "metric": "cosine", "deviations": True, "seed": 3}),
    ("training", {}),
    (
        "trace",
        {
            "keyframes": [[0.0], [1.0]],
            "kinds": ["linear", "data"],
            "framesPerLeg": 30,
            "easing": "smooth",
            "loop": True,
        },
    ),
    ("grid", {"corners": [[0.0], [1.0], [2.0], [3.0]], "rows": 4, "columns": 5, "spherical": False}),
    (
        "export",
        {
            **{"codes": "AAAA", "format": "strip", "fps": 25.0, "scale": 2, "loop": True, "name": "way"},
            **{"positions": [0, 3], "columns": 4},
        },
    ),
]


@pytest.mark.parametrize(("kind", "body"), BODIES, ids=[kind for kind, _ in BODIES])
def test_a_body_is_read_by_the_page_s_names_and_holds_all_that_it_says(kind: str, body: dict[str, Any]):
    reader: TypeAdapter[Any] = TypeAdapter(QUESTIONS[kind].body)
    assert json.dumps(to_page(reader, from_page(reader, json.dumps(body)))) == json.dumps(body)


def test_every_question_is_among_them():
    assert {kind for kind, _ in BODIES} == set(QUESTIONS)
