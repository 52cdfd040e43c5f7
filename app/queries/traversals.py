"""Questions for pictures of many codes at once: a sheet of dimensions, and a plane of two directions."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import Field
from pydantic.dataclasses import dataclass

from app.queries.base import File, Question, as_code, decode_pixels
from app.wire.limits import PLANE_SIDE
from app.wire.numbers import WIRE, Number, Numbers
from app.wire.packing import picture_base64
from vae_core.errors import InputError
from vae_core.images.mosaic import can_write, check_size, grid, sheet
from vae_core.images.pixels import to_png
from vae_core.inference.engine import Engine
from vae_core.latent.names import NAME_LIMIT
from vae_core.latent.traversals import plane_codes, traversal_codes
from vae_core.store.opening import StoredModel

__all__ = ["QUESTIONS"]

PICTURE_LIMIT = PLANE_SIDE**2  # of one answer
FEWEST_STEPS, STEP_LIMIT = 2, 50  # pictures in a row of a sheet

Name = Annotated[str, Field(max_length=NAME_LIMIT)]
Dimensions = Annotated[tuple[int, ...], Field(min_length=1, max_length=PICTURE_LIMIT // FEWEST_STEPS)]
Steps = Annotated[int, Field(ge=FEWEST_STEPS, le=STEP_LIMIT)]
Ends = Annotated[Numbers, Field(min_length=2, max_length=2)]  # along the first direction, along the second


@dataclass(frozen=True, config=WIRE)
class SheetQuestion:
    """What does each of these dimensions do to this code?"""

    z: Numbers
    dimensions: Dimensions
    steps: Steps
    low: Number | None
    high: Number | None
    names: dict[int, Name] = field(default_factory=dict)  # that the person gave to dimensions


@dataclass(frozen=True, config=WIRE)
class PlaneQuestion:
    """What lies on the plane that these two directions span?"""

    z: Numbers
    first: Numbers
    second: Numbers
    low: Ends
    high: Ends
    side: Annotated[int, Field(ge=1, le=PLANE_SIDE)]
    file: bool = False


def traversal_sheet(engine: Engine, loaded: StoredModel, body: SheetQuestion) -> File:
    """A row of pictures for each dimension, in which it goes from its lowest value to its highest."""
    _check_picture(loaded, len(body.dimensions), body.steps)
    codes = _sheet_codes(loaded, body)  # [row, step, latent]
    ends = (body.low, body.high)
    rows = [_row_title(loaded, dimension, body.names, with_range=None in ends) for dimension in body.dimensions]
    pictures = _decode_grid(engine, loaded, codes)
    return File(to_png(sheet(pictures, rows, _column_titles(body))), "image/png", f"{loaded.name}-traversals.png")


def plane(engine: Engine, loaded: StoredModel, body: PlaneQuestion) -> dict[str, Any] | File:
    """Pictures side by side, each of the code in the middle of the place that it covers."""
    _check_picture(loaded, body.side, body.side)
    z, first, second = (
        as_code(loaded, values, what)
        for values, what in ((body.z, "z"), (body.first, "the first direction"), (body.second, "the second direction"))
    )
    middles = (np.arange(body.side) + 0.5) / body.side
    amounts = [low + middles * (high - low) for low, high in zip(body.low, body.high, strict=True)]
    picture = grid(_decode_grid(engine, loaded, plane_codes(z, first, second, *amounts)))
    if body.file:
        return File(to_png(picture), "image/png", f"{loaded.name}-plane.png")
    return {"picture": picture_base64(picture, scale=1)}


def _sheet_codes(loaded: StoredModel, body: SheetQuestion) -> Float[np.ndarray, "rows steps d"]:
    z, dimensions = as_code(loaded, body.z), list(body.dimensions)
    if body.low is not None and body.high is not None:
        return traversal_codes(z, dimensions, np.linspace(body.low, body.high, body.steps))
    if body.low is not body.high:
        raise InputError(f"a sheet needs both ends of its range or neither, got {body.low} and {body.high}.")
    traversal_codes(z, dimensions, np.zeros(1))  # says which dimension there is not
    ranges = loaded.need_reference().ranges[dimensions]  # [row, 2]
    rows = [
        traversal_codes(z, [dimension], np.linspace(low, high, body.steps))
        for dimension, (low, high) in zip(dimensions, ranges, strict=True)
    ]
    return np.concatenate(rows)


def _check_picture(loaded: StoredModel, rows: int, columns: int) -> None:
    """Let so many codes pass that fit into one picture; asked before any is made, since they take memory as well."""
    if rows * columns > PICTURE_LIMIT:
        raise InputError(
            f"a picture shows at most {PICTURE_LIMIT:,} codes, got {rows} rows of {columns}; ask for fewer."
        )
    _, height, width = loaded.spec.image_shape
    check_size(rows * height, columns * width)


def _decode_grid(
    engine: Engine, loaded: StoredModel, codes: Float[np.ndarray, "rows columns d"]
) -> UInt8[np.ndarray, "rows columns height width channel"]:
    rows, columns, latent = codes.shape
    pixels = decode_pixels(engine, loaded, codes.reshape(-1, latent))
    return pixels.reshape(rows, columns, *pixels.shape[1:])


def _row_title(loaded: StoredModel, dimension: int, names: Mapping[int, str], *, with_range: bool) -> str:
    """A dimension's number and name, what it carries, and where its row goes from and to."""
    reference = loaded.need_reference()
    name, importance = names.get(dimension, reference.dimension_names[dimension]), reference.importance[dimension]
    title = f"z{dimension + 1}" + (f" · {name}" if name and can_write(name) else "")
    carried = f"{importance:.2f} nats" if reference.is_variational else f"variance {importance:.2f}"
    low, high = reference.ranges[dimension]
    return "\n".join([title, carried, *([f"{low:.1f} to {high:.1f}"] if with_range else [])])


def _column_titles(body: SheetQuestion) -> list[str]:
    if body.low is None or body.high is None:
        return ["lowest", *[""] * (body.steps - 2), "highest"]
    return [f"{value:.2f}" for value in np.linspace(body.low, body.high, body.steps)]


QUESTIONS = {
    "sheet": Question(SheetQuestion, traversal_sheet),
    "plane": Question(PlaneQuestion, plane),
}
