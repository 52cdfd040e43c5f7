"""What a visitor laid out for a model: groups, directions, names of dimensions, locks. The page reports it whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from app.session.choices import current_code
from app.session.state import Session
from app.wire.directions import SliderDirection
from app.wire.limits import MAX_DIRECTIONS, MAX_GROUPS
from app.wire.numbers import WIRE, from_page, to_page
from app.wire.packing import members_base64, members_of
from vae_core.errors import InputError
from vae_core.latent.names import NAME_LIMIT
from vae_core.store.opening import StoredModel

__all__ = [
    "Desk",
    "DeskGroup",
    "current_desk",
    "desk_data",
    "forget_images",
    "keep_locked",
    "take_desk",
]

LONGEST_MEMBERS = 20_000  # letters, of more reference images than any model has
Name = Annotated[str, Field(min_length=1, max_length=NAME_LIMIT)]


def _unpacked(text: Any) -> tuple[int, ...]:
    if isinstance(text, tuple):  # of Python; a page's list is none
        return text
    if not isinstance(text, str) or len(text) > LONGEST_MEMBERS:
        raise ValueError(f"members must be base64 of at most {LONGEST_MEMBERS:,} letters")
    return members_of(text)


# In JSON a bit for each image, since a selection of thousands goes to the page at each of its reruns.
Indices = Annotated[tuple[int, ...], BeforeValidator(_unpacked), PlainSerializer(members_base64)]
Origin = Literal["map", "label", "range"]  # how the members of a group were chosen
Tab = Literal["sliders", "groups", "directions", "neighbours", "traversals"]


@dataclass(frozen=True, config=WIRE)
class DeskGroup:
    """A named group of reference images.

    Attributes:
        name: As the visitor calls it.
        indices: Of its members in the reference set.
        origin: How they were chosen; None where that is not known, as of a link's.
    """

    name: Name
    indices: Indices
    origin: Origin | None = None


@dataclass(frozen=True, config=WIRE)
class Desk:
    """Everything that a visitor laid out for one model.

    Attributes:
        selection: Reference images that are selected on the map.
        origin: How they were chosen; None where that is not known.
        groups: Those that were given names.
        directions: With sliders of their own.
        names: What the visitor calls dimensions, by number from 0.
        locked: Dimensions that random draws and loaded codes leave alone.
        tab: The panel that is shown.
    """

    selection: Indices = ()
    origin: Origin | None = None
    groups: Annotated[tuple[DeskGroup, ...], Field(max_length=MAX_GROUPS)] = ()
    directions: Annotated[tuple[SliderDirection, ...], Field(max_length=MAX_DIRECTIONS)] = ()
    names: dict[int, Name] = field(default_factory=dict)
    locked: tuple[int, ...] = ()
    tab: Tab = "sliders"

    def fits(self, loaded: StoredModel) -> bool:
        """Whether all of it is about this model."""
        dimensions, images = range(loaded.spec.latent_dim), range(len(loaded.need_reference()))
        members = [self.selection, *(group.indices for group in self.groups)]
        return (
            all(min(each, default=0) in images and max(each, default=0) in images for each in members)
            and all(len(direction.vector) == len(dimensions) for direction in self.directions)
            and len(self.locked) <= len(dimensions)
            and all(dimension in dimensions for dimension in (*self.names, *self.locked))
        )


DESK, ANYTHING = TypeAdapter(Desk), TypeAdapter(Any)


def current_desk(memory: Session, loaded: StoredModel) -> Desk:
    """The model's desk; empty at first."""
    desk = memory.desks.get(loaded.name)
    return desk if isinstance(desk, Desk) and desk.fits(loaded) else Desk()


def desk_data(desk: Desk) -> dict[str, Any]:
    """The desk as the page takes it and reports it."""
    data: dict[str, Any] = to_page(DESK, desk)
    return data


def take_desk(memory: Session, loaded: StoredModel, value: Any, *, same_images: bool = True) -> None:
    """Keep what the page reports; what is no desk of this model's is dropped.

    Args:
        memory: The session.
        loaded: The model in use.
        value: Desk as the page reports it.
        same_images: Whether the page's selection and groups are of the model's present reference set; of another
            one they are dropped, and the rest is kept.
    """
    try:
        # From JSON text, where the keys of names are texts and lists are tuples.
        desk = from_page(DESK, ANYTHING.dump_json(value))
    except (ValidationError, ValueError, InputError):
        return
    if not same_images:
        desk = _with_images_of(current_desk(memory, loaded), desk)
    if desk.fits(loaded):
        memory.desks[loaded.name] = desk


def forget_images(memory: Session, model: str) -> bool:
    """Drop a desk's selection and groups, which name images by their places; whether there were any."""
    desk = memory.desks.get(model)
    if not isinstance(desk, Desk) or not (desk.selection or desk.groups):
        return False
    memory.desks[model] = _with_images_of(Desk(), desk)
    return True


def _with_images_of(images: Desk, desk: Desk) -> Desk:
    return replace(desk, selection=images.selection, origin=images.origin, groups=images.groups)


@contextmanager
def keep_locked(memory: Session, loaded: StoredModel) -> Iterator[None]:
    """Give locked dimensions their values back where a picture's code is loaded meanwhile."""
    before, locked = current_code(memory, loaded), list(current_desk(memory, loaded).locked)
    yield
    code = current_code(memory, loaded)
    if locked and code is not before:
        kept = code.copy()
        kept[locked] = before[locked]
        memory.load_code(loaded.name, kept)
