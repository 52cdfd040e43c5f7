"""Questions about directions in latent space: making, combining, saving and finding them again."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from app.queries.base import Question, as_code
from app.wire.directions import SliderDirection
from app.wire.numbers import WIRE, Numbers, to_page
from vae_core.inference.engine import Engine
from vae_core.inference.memo import principal_component
from vae_core.latent.codes import check_finite
from vae_core.latent.directions import (
    Direction,
    axis_direction,
    difference,
    orthogonalise,
)
from vae_core.latent.names import NAME_LIMIT
from vae_core.latent.ranges import DATA_QUANTILES
from vae_core.latent.separation import why_no_separation
from vae_core.reference.groups import checked_group
from vae_core.store.identity import former_weights_digest
from vae_core.store.opening import StoredModel
from vae_core.store.saved_directions import DIRECTION_LIMIT, add_directions, directions_path, load_directions

__all__ = ["QUESTIONS"]

SLIDER = TypeAdapter(SliderDirection)

REACH = 1.0  # steps from the mean that a direction's slider covers at the least, either way
PART_TAKEN = (
    "how well its groups separate was measured along the whole direction, which is not the one that is left without "
    "the part along others."
)


@dataclass(frozen=True, config=WIRE)
class BetweenGroups:
    """What leads from the mean of group A to that of group B, of which one may have been chosen by place?"""

    kind: Literal["groups"]
    name: str
    a: tuple[int, ...]
    b: tuple[int, ...]
    by_place: bool = False


@dataclass(frozen=True, config=WIRE)
class ComponentQuestion:
    """Along which direction do the codes vary most, second most, ...?"""

    kind: Literal["component"]
    index: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, config=WIRE)
class AxisQuestion:
    """What is this dimension as a direction?"""

    kind: Literal["axis"]
    index: int


@dataclass(frozen=True, config=WIRE)
class WithoutOthers:
    """What is left of a direction without its parts along others?"""

    kind: Literal["without"]
    direction: Direction
    against: Annotated[tuple[Numbers, ...], Field(max_length=DIRECTION_LIMIT)]
    name: str


@dataclass(frozen=True, config=WIRE)
class SaveQuestion:
    """Would you keep these for the next visit?"""

    directions: Annotated[tuple[Direction, ...], Field(max_length=DIRECTION_LIMIT)]


@dataclass(frozen=True, config=WIRE)
class SavedQuestion:
    """Which ones were kept?"""


DirectionQuestion = BetweenGroups | ComponentQuestion | AxisQuestion | WithoutOthers


def direction(_engine: Engine, loaded: StoredModel, body: DirectionQuestion) -> dict[str, Any]:
    """A new direction with its figures."""
    match body:
        case BetweenGroups():
            return _between(loaded, body)
        case WithoutOthers():
            return _without(loaded, body)
        case ComponentQuestion():
            return _described(loaded, principal_component(loaded, body.index))
        case AxisQuestion():
            return _axis(loaded, body.index)


def saved_directions(_engine: Engine, loaded: StoredModel, _body: SavedQuestion) -> dict[str, Any]:
    """Those that were saved for the model's weights, how many more were saved for others, and the file of all."""
    saved = load_directions(loaded.name, loaded.digest, former_digest=former_weights_digest(loaded.folder))
    described = [_described(loaded, each) for each in saved.directions]
    return {"directions": described, "unfit": saved.of_other_weights, "file": _file_of(loaded)}


def save(_engine: Engine, loaded: StoredModel, body: SaveQuestion) -> dict[str, Any]:
    """Keep directions in the person's own folder, in place of those of the same names; others there stay."""
    for each in body.directions:
        check_finite("each direction", each.vector, (loaded.spec.latent_dim,))
    former = former_weights_digest(loaded.folder)
    total = add_directions(loaded.name, loaded.digest, body.directions, former_digest=former)
    return {"count": len(body.directions), "total": total}


def _between(loaded: StoredModel, body: BetweenGroups) -> dict[str, Any]:
    reference = loaded.need_reference()
    groups = [checked_group(reference, name, each).indices for name, each in (("A", body.a), ("B", body.b))]
    made = difference(body.name, *(reference.means[members] for members in groups))
    if made.separation is not None:
        made = replace(made, separation=replace(made.separation, by_place=body.by_place))
    return _described(loaded, made, why=why_no_separation(*map(len, groups)))


def _without(loaded: StoredModel, body: WithoutOthers) -> dict[str, Any]:
    given = body.direction
    check_finite("the direction", given.vector, (loaded.spec.latent_dim,))
    others = [
        Direction(f"direction {place}", as_code(loaded, vector, "each other direction"), "axis")
        for place, vector in enumerate(body.against, start=1)
    ]
    made = orthogonalise(given, others, name=body.name)
    return _described(loaded, made, why=PART_TAKEN if given.kind == "groups" else None)


def _axis(loaded: StoredModel, index: int) -> dict[str, Any]:
    reference = loaded.need_reference()
    made = axis_direction(index, reference.latent_dim)
    given = reference.dimension_names[index]
    name = f"along {made.name}" + (f" · {given}" if given else "")  # its dimension has a slider of its own
    return _described(loaded, replace(made, name=name[:NAME_LIMIT]))


def _file_of(loaded: StoredModel) -> str:
    """Where the model's directions are kept; the home folder is written as ~, since others may read the page."""
    path = directions_path(loaded.name)
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def _described(loaded: StoredModel, made: Direction, *, why: str | None = None) -> dict[str, Any]:
    """A direction as the page knows it."""
    low, high = _range(loaded, made)
    parts = {field.name: getattr(made, field.name) for field in fields(made)}
    data: dict[str, Any] = to_page(SLIDER, SliderDirection(**parts, low=low, high=high, why=why))
    return data


def _range(loaded: StoredModel, made: Direction) -> tuple[float, float]:
    """Lowest and highest place along the direction that its slider has, in steps from the origin, in whole tenths.

    It covers the middle 99.8% of the reference codes, as the dimensions' sliders do, and a step from their mean.
    """
    places = made.project(loaded.need_reference().means).astype(np.float64)
    low, high = np.quantile(places, DATA_QUANTILES)
    low, high = min(low, places.mean() - REACH), max(high, places.mean() + REACH)
    return float(np.floor(10 * low) / 10), float(np.ceil(10 * high) / 10)


QUESTIONS = {
    "direction": Question(Annotated[DirectionQuestion, Field(discriminator="kind")], direction),
    "save-directions": Question(SaveQuestion, save),
    "saved-directions": Question(SavedQuestion, saved_directions),
}
