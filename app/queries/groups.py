"""Questions about groups of reference images: who belongs to one, what they have in common, and files of them."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from app.queries.base import File, Question, decode_pixels
from app.wire.numbers import WIRE
from app.wire.packing import PICTURE_SCALE, picture_base64
from vae_core.export.tables import Places, group_to_csv, group_to_npz
from vae_core.images.mosaic import montage
from vae_core.images.pixels import enlarge
from vae_core.inference.engine import Engine
from vae_core.inference.memo import reference_values
from vae_core.reference.groups import (
    checked_group,
    describe,
    members_by_label,
    members_by_range,
    representatives,
)
from vae_core.store.opening import StoredModel

__all__ = ["QUESTIONS", "ValueName"]

MONTAGE_LIMIT = 64  # members
MONTAGE_COLUMNS = 8
GAP = 2  # PNG pixels between two pictures
PLANE = 2  # dimensions, with which a model has no other map than its codes

Indices = tuple[int, ...]  # of reference images
ValueName = Annotated[
    str, Field(max_length=20)
]  # of `vae_core.reference.groups.VALUES`, or a dimension's number from 0


@dataclass(frozen=True, config=WIRE)
class GroupQuestion:
    """What do these images have in common?"""

    indices: Indices


@dataclass(frozen=True, config=WIRE)
class LabelQuestion:
    """Which images have this label?"""

    by: Literal["label"]
    label: int


@dataclass(frozen=True, config=WIRE)
class RangeQuestion:
    """Of which images does a value lie between two, both included?"""

    by: Literal["range"]
    what: ValueName
    low: float
    high: float


@dataclass(frozen=True, config=WIRE)
class GroupFileQuestion:
    """May I have these images' codes and places as a file?"""

    name: str
    indices: Indices
    format: Literal["csv", "npz"]


def group(engine: Engine, loaded: StoredModel, body: GroupQuestion) -> dict[str, Any]:
    """A group's figures, a montage of members that stand for it, and the picture of its mean code."""
    reference = loaded.need_reference()
    members = checked_group(reference, "group", body.indices).indices
    summary = describe(reference, members)
    shown = representatives(reference, members, MONTAGE_LIMIT)
    pixels = decode_pixels(engine, loaded, np.concatenate([reference.means[shown], summary.mean[None]]))
    columns = min(MONTAGE_COLUMNS, len(shown))
    kl = {} if summary.kl is None else {"kl": summary.kl}
    return {
        "count": summary.count,
        "labels": [[name, count] for name, count in summary.labels.items()],
        "seen": summary.fill_ins,
        "meanCode": summary.mean.tolist(),
        "means": {**kl, "reconstruction": summary.reconstruction},
        "montage": picture_base64(montage(enlarge(pixels[:-1], PICTURE_SCALE), columns=columns, gap=GAP), scale=1),
        "members": shown.tolist(),
        "columns": columns,
        "meanPicture": picture_base64(pixels[-1]),
    }


def select(_engine: Engine, loaded: StoredModel, body: LabelQuestion | RangeQuestion) -> dict[str, Any]:
    """The members of a class, or those with a value in a range."""
    if isinstance(body, LabelQuestion):
        return {"indices": members_by_label(loaded.need_reference(), body.label).tolist()}
    values = reference_values(loaded, body.what)
    return {"indices": members_by_range(values, body.low, body.high).tolist()}


def export_group(_engine: Engine, loaded: StoredModel, body: GroupFileQuestion) -> File:
    """The group's indices, labels, codes and places on the model's maps, as a table or as arrays."""
    reference = loaded.need_reference()
    members = checked_group(reference, body.name, body.indices)
    name = f"{loaded.name}-{members.name}.{body.format}"
    if body.format == "csv":
        return File(group_to_csv(reference, members, _places(loaded)), "text/csv; charset=utf-8", name)
    return File(group_to_npz(reference, members, _places(loaded)), "application/octet-stream", name)


def _places(loaded: StoredModel) -> Places:
    reference = loaded.need_reference()
    if reference.latent_dim <= PLANE:
        return {}
    return {"umap": reference.umap_places, "pca": reference.pca_map.project(reference.means)}


QUESTIONS = {
    "group": Question(GroupQuestion, group),
    "select": Question(Annotated[LabelQuestion | RangeQuestion, Field(discriminator="by")], select),
    "export-group": Question(GroupFileQuestion, export_group),
}
