"""Links that restore a view of Explore or of Interpolate: what they hold, checked as anything else from outside."""

import base64
import binascii
from dataclasses import replace
from typing import Annotated

import numpy as np
from jaxtyping import Float32
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from app.session.choices import take_code, take_view
from app.session.desk import current_desk
from app.session.interpolate import Animation
from app.session.state import Keyframe, Session, take_link
from app.wire.limits import LINK_LETTERS, LINK_NAME
from app.wire.numbers import WIRE, from_page
from vae_core.errors import InputError
from vae_core.latent.timeline import KEYFRAMES
from vae_core.store.opening import StoredModel

__all__ = ["Link", "StudioLink", "follow_link", "read_link"]

FEWEST_KEYFRAMES, MOST_KEYFRAMES = KEYFRAMES


@dataclass(frozen=True, config=WIRE)
class Link:
    """What Explore puts into a link (`link.js` writes it).

    Attributes:
        projection: Of the map.
        x: Horizontal dimension of an axes map, from 0.
        y: Vertical dimension, from 0.
        colour: What colours the points.
        z: The sliders' code.
        selection: Reference images that are selected; none where they were too many for a link.
        digest: Of the model's weights, of which the code is; empty in links that do not tell.
        reference: Digest of the reference set, of which the selected images are; empty in links that do not tell.
    """

    projection: str
    x: int
    y: int
    colour: str
    z: tuple[float, ...]
    selection: Annotated[tuple[int, ...], Field(max_length=1_000)] = ()
    digest: str = ""
    reference: str = ""


@dataclass(frozen=True, config=WIRE)
class StudioLink:
    """What Interpolate puts into a link (`link.js` writes it).

    Attributes:
        digest: Of the model's weights, of which the codes are.
        projection: Of the map.
        x: Horizontal dimension of an axes map, from 0.
        y: Vertical dimension, from 0.
        colour: What colours the points.
        names: Of the keyframes, in order; none where their codes were too long for a link.
        step: What one unit of a code's numbers stands for.
        codes: Of the keyframes, int16 [keyframe, latent]; a picture's is its mean.
        animation: How they are played.
    """

    digest: str
    projection: str
    x: int
    y: int
    colour: str
    names: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=LINK_NAME)], ...], Field(max_length=MOST_KEYFRAMES)
    ]
    step: Annotated[float, Field(gt=0)]
    codes: bytes
    animation: Animation

    def keyframes(self, latent_dim: int) -> tuple[Keyframe, ...] | None:
        """Those of a model of so many dimensions; None when the codes are no such keyframes."""
        codes = self._unpacked(latent_dim)
        if codes is None or not np.isfinite(codes).all():
            return None
        named = zip(self.names, codes.tolist(), strict=True)
        return tuple(Keyframe(name, "map", tuple(code)) for name, code in named)  # the page asks nothing of a source

    def _unpacked(self, latent_dim: int) -> Float32[np.ndarray, "k d"] | None:
        shape = (len(self.names), latent_dim)
        if 0 < len(self.names) < FEWEST_KEYFRAMES or len(self.codes) != 2 * shape[0] * shape[1]:
            return None
        with np.errstate(over="ignore"):  # a step from elsewhere may be of any size
            return (np.frombuffer(self.codes, "<i2").reshape(shape) * self.step).astype(np.float32)


def read_link(text: str) -> Link | StudioLink:
    """The view in a link's text: JSON as base64 in the alphabet of addresses, without padding.

    Raises:
        InputError: It is too long, damaged, or says something else than a link does.
    """
    if len(text) > LINK_LETTERS:
        raise InputError(f"a link's view has at most {LINK_LETTERS:,} letters, got {len(text):,}.")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        link: Link | StudioLink = from_page(TypeAdapter(Link | StudioLink), content)
    except (binascii.Error, ValueError, ValidationError) as error:
        raise InputError("the link is damaged or from another version; ask for a new one.") from error
    return link


def follow_link(memory: Session, loaded: StoredModel) -> None:
    """Take over the view of the link by which the visitor came, once; one that does not fit leaves a sentence."""
    text = take_link(memory)
    if text is None:
        return
    try:
        _follow(memory, loaded, read_link(text))
    except InputError as error:
        memory.notices.append(f"This is {loaded.name} as it starts: {error}")


def _follow(memory: Session, loaded: StoredModel, link: Link | StudioLink) -> None:
    if 0 < len(link.digest) < len(loaded.digest):
        raise InputError(
            "the link is of a version that knew a model by where and when its files were written; ask for a new one."
        )
    if link.digest not in ("", loaded.digest):
        raise InputError(f"the link was made with another model, or before {loaded.name} was trained anew.")
    taken = _open_explore(memory, loaded, link) if isinstance(link, Link) else _open_studio(memory, loaded, link)
    if not taken:
        raise InputError(f"the link's view does not fit {loaded.name}, which may have been trained anew.")


def _open_explore(memory: Session, loaded: StoredModel, link: Link) -> bool:
    code = take_code(loaded, list(link.z))
    is_of_map = link.reference in ("", loaded.reference_digest)
    desk = replace(current_desk(memory, loaded), selection=link.selection if is_of_map else ())
    if code is None or not desk.fits(loaded) or not _show_map(memory, loaded, link):
        return False
    memory.load_code(loaded.name, code)
    memory.desks[loaded.name] = desk
    if link.selection and not is_of_map:
        memory.notices.append(f"The link's selection is left out: it is of another reference set of {loaded.name}.")
    return True


def _open_studio(memory: Session, loaded: StoredModel, link: StudioLink) -> bool:
    keyframes = link.keyframes(loaded.spec.latent_dim)
    if keyframes is None or not _show_map(memory, loaded, link):
        return False
    memory.keyframes[loaded.name] = (
        keyframes  # of none, first ones are found (see `app.session.interpolate.current_keyframes`)
    )
    memory.animation = link.animation
    return True


def _show_map(memory: Session, loaded: StoredModel, link: Link | StudioLink) -> bool:
    return take_view(memory, loaded, {name: getattr(link, name) for name in ("projection", "x", "y", "colour")})
