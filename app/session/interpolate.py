"""What a visitor animates: keyframes for each model, how they are played and exported; the page reports it whole."""

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from app.services.exports import Format
from app.session.state import Keyframe, Picture, Session
from app.wire.limits import KEYFRAME_NAME
from app.wire.numbers import WIRE, from_page, to_page
from vae_core.errors import InputError
from vae_core.images.animation import MAX_FPS, MAX_FRAME_SIDE, MAX_FRAMES
from vae_core.inference.memo import once_a_model
from vae_core.latent.codes import FLOAT32_MAX
from vae_core.latent.paths import Path
from vae_core.latent.timeline import FRAMES_PER_LEG, GRID_SIDE, KEYFRAMES, Easing
from vae_core.reference.typical import class_members, distant_classes
from vae_core.store.opening import StoredModel

__all__ = [
    "Animation",
    "ExportSettings",
    "GridSettings",
    "Studio",
    "add_picture_keyframe",
    "current_animation",
    "current_keyframes",
    "studio_data",
    "take_studio",
]

FEWEST_KEYFRAMES, MOST_KEYFRAMES = KEYFRAMES

Side = Annotated[int, Field(ge=GRID_SIDE[0], le=GRID_SIDE[1])]
Count = Annotated[int, Field(ge=1, le=MAX_FRAMES)]


@dataclass(frozen=True, config=WIRE)
class GridSettings:
    """The grid between the first four keyframes.

    Attributes:
        rows: Rows of codes from the top edge to the bottom edge, both included.
        columns: Codes in a row from the left edge to the right edge, both included.
        spherical: Whether edges and rows are arcs.
    """

    rows: Side = 8
    columns: Side = 8
    spherical: bool = False


@dataclass(frozen=True, config=WIRE)
class ExportSettings:
    """The file that an animation becomes.

    Attributes:
        kind: Kind of path.
        format: Format of the file.
        fps: Frames a second.
        scale: Side in pixels of the square that each of the model's pixels becomes; a model of large pictures takes
            fewer.
        repeat: Whether a GIF or WebP plays for ever.
        pictures: Pictures in a strip, evenly spaced along the path.
        columns: Pictures in a row of a strip.
    """

    kind: Path = "linear"
    format: Format = "gif"
    fps: Annotated[int, Field(ge=1, le=MAX_FPS)] = 25
    scale: Annotated[int, Field(ge=1, le=MAX_FRAME_SIDE)] = 8
    repeat: bool = True
    pictures: Count = 12
    columns: Count = 12


@dataclass(frozen=True, config=WIRE)
class Animation:
    """How keyframes are played and exported, whichever model they belong to.

    Attributes:
        kinds: Kinds of path that are shown side by side.
        easing: How time turns into way within each leg.
        frames_per_leg: Frames from a keyframe to the next, both included.
        loop: Whether another leg leads back to the first keyframe.
        speed: Speed of playing, as a multiple of 60 frames a second.
        grid: Grid between the first four keyframes.
        export: File that is made.
        tab: Panel that is shown.
    """

    kinds: Annotated[tuple[Path, ...], Field(min_length=1, max_length=3)] = ("linear", "spherical", "data")
    easing: Easing = "linear"
    frames_per_leg: Annotated[int, Field(ge=FRAMES_PER_LEG[0], le=FRAMES_PER_LEG[1])] = 90
    loop: bool = True
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1
    grid: GridSettings = field(default_factory=GridSettings)
    export: ExportSettings = field(default_factory=ExportSettings)
    tab: Literal["path", "export", "grid"] = "path"


@dataclass(frozen=True, config=WIRE)
class Studio:
    """Everything that the page reports, in one piece.

    Attributes:
        keyframes: Keyframes of the model in use, in order.
        animation: Settings by which the keyframes are played and exported.
    """

    keyframes: Annotated[tuple[Keyframe, ...], Field(min_length=FEWEST_KEYFRAMES, max_length=MOST_KEYFRAMES)]
    animation: Animation


STUDIO, ANYTHING = TypeAdapter(Studio), TypeAdapter(Any)


def current_keyframes(memory: Session, loaded: StoredModel) -> tuple[Keyframe, ...]:
    """The model's keyframes; at first typical members of two distant classes, which also stand in for what is gone."""
    kept = tuple(each for each in memory.keyframes.get(loaded.name, ()) if _fits(each, memory, loaded))
    if len(kept) < FEWEST_KEYFRAMES:
        kept = (*kept, *_first_keyframes(loaded))[:FEWEST_KEYFRAMES]
    return kept


def current_animation(memory: Session) -> Animation:
    """How the visitor's keyframes are played and exported."""
    return memory.animation if isinstance(memory.animation, Animation) else Animation()


def add_picture_keyframe(memory: Session, loaded: StoredModel, picture: Picture) -> None:
    """Have the animation pass through a picture: in place of a keyframe that it began with, else as the last.

    A picture that is a keyframe already stays where it is.

    Raises:
        InputError: There are as many keyframes as there may be.
    """
    keyframes = list(current_keyframes(memory, loaded))
    if any(each.picture == picture.id for each in keyframes):
        return
    added = Keyframe(picture.name[:KEYFRAME_NAME] or "a picture", "picture", picture=picture.id)
    free = next((place for place, each in enumerate(keyframes) if each.source == "typical"), None)
    if free is not None:
        keyframes[free] = added
    elif len(keyframes) < MOST_KEYFRAMES:
        keyframes.append(added)
    else:
        raise InputError(
            f"an animation has at most {MOST_KEYFRAMES} keyframes, and there are as many; remove one first."
        )
    memory.keyframes[loaded.name] = tuple(keyframes)


def studio_data(memory: Session, loaded: StoredModel) -> dict[str, Any]:
    """Keyframes and settings as the page takes them and reports them."""
    data: dict[str, Any] = to_page(STUDIO, Studio(current_keyframes(memory, loaded), current_animation(memory)))
    return data


def take_studio(memory: Session, loaded: StoredModel, value: Any) -> None:
    """Keep what the page reports; what does not fit the model, or names pictures that are gone, is dropped."""
    try:
        # From JSON text, where lists are tuples.
        studio = from_page(STUDIO, ANYTHING.dump_json(value))
    except (ValidationError, ValueError):
        return
    if all(_fits(each, memory, loaded) for each in studio.keyframes):
        memory.keyframes[loaded.name] = studio.keyframes
        memory.animation = studio.animation


def _fits(keyframe: Keyframe, memory: Session, loaded: StoredModel) -> bool:
    """Whether it is a code of this model's, or one of the visitor's pictures."""
    if not 1 <= len(keyframe.name) <= KEYFRAME_NAME or (keyframe.source == "picture") != (keyframe.picture is not None):
        return False
    if keyframe.code is None:
        return any(picture.id == keyframe.picture for picture in memory.pictures)
    numbers = all(abs(value) <= FLOAT32_MAX for value in keyframe.code)  # false for NaN
    return keyframe.picture is None and len(keyframe.code) == loaded.spec.latent_dim and numbers


@once_a_model(1)
def _first_keyframes(loaded: StoredModel) -> tuple[Keyframe, Keyframe]:
    """Typical members of two distant classes; of a single class a typical one and the one farthest from it."""
    reference = loaded.need_reference()
    first, last = distant_classes(reference)
    members = class_members(reference, first)
    end, manner = (members[-1], "unusual") if first == last else (class_members(reference, last)[0], "typical")
    return (
        Keyframe(f"{reference.label_names[first]}, typical", "typical", tuple(members[0].tolist())),
        Keyframe(f"{reference.label_names[last]}, {manner}", "typical", tuple(end.tolist())),
    )
