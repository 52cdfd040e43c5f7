"""A link that restores a view: what it holds, checked as anything else from outside."""

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from app.choices import take_code, take_view
from app.desk import current_desk
from app.state import Session, take_link
from vae_core.errors import InputError
from vae_core.inference import LoadedModel

__all__ = ["Link", "follow_link", "read_link"]

LONGEST = 8_000  # letters; browsers and servers begin to refuse addresses not far beyond


@dataclass(frozen=True)
class Link:
    """What the page puts into a link (`link.js` writes it).

    Attributes:
        projection: Of the map.
        x: Horizontal dimension of an axes map, from 0.
        y: Vertical dimension, from 0.
        colour: What colours the points.
        z: The sliders' code.
        selection: Reference images that are selected; none where they were too many for a link.
    """

    projection: str
    x: int
    y: int
    colour: str
    z: tuple[float, ...]
    selection: Annotated[tuple[int, ...], Field(max_length=1_000)] = ()

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


def read_link(text: str) -> Link:
    """The view in a link's text: JSON as base64 in the alphabet of addresses, without padding.

    Raises:
        InputError: It is too long, damaged, or says something else than a link does.
    """
    if len(text) > LONGEST:
        raise InputError(f"a link's view has at most {LONGEST:,} letters, got {len(text):,}.")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return TypeAdapter(Link).validate_json(content)
    except (binascii.Error, ValueError, ValidationError) as error:
        raise InputError("the link is damaged or from another version; ask for a new one.") from error


def follow_link(memory: Session, loaded: LoadedModel) -> None:
    """Take over the view of the link by which the visitor came, once; one that does not fit leaves a sentence."""
    text = take_link(memory)
    if text is None:
        return
    try:
        _apply(memory, loaded, read_link(text))
    except InputError as error:
        memory.notices.append(f"This is {loaded.name} as it starts: {error}")


def _apply(memory: Session, loaded: LoadedModel, link: Link) -> None:
    code = take_code(loaded, list(link.z))
    desk = replace(current_desk(memory, loaded), selection=link.selection)
    view = {"projection": link.projection, "x": link.x, "y": link.y, "colour": link.colour}
    if code is None or not desk.fits(loaded) or not take_view(memory, loaded, view):
        raise InputError(f"the link's view does not fit {loaded.name}, which may have been trained anew.")
    memory.load_code(loaded.name, code)
    memory.desks[loaded.name] = desk
