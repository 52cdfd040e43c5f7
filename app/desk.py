"""What a visitor laid out for a model: groups, directions, names of dimensions, locks. The page reports it whole."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from app.state import Session
from vae_core.inference import LoadedModel

__all__ = ["Desk", "DeskDirection", "DeskGroup", "DeskSeparation", "current_desk", "desk_data", "take_desk"]

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
MOST_GROUPS, MOST_DIRECTIONS = 50, 50
Name = Annotated[str, Field(min_length=1, max_length=60)]
Indices = Annotated[tuple[int, ...], Field(max_length=100_000)]
Origin = Literal["map", "label", "range"]  # how the members of a group were chosen
Tab = Literal["sliders", "groups", "directions", "neighbours", "traversals"]


@dataclass(frozen=True)
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

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class DeskSeparation:
    """How well a direction's two groups separate, as the page was told."""

    auroc: float
    error: float
    countA: int  # noqa: N815 - the page's name
    countB: int  # noqa: N815
    byPlace: bool = False  # noqa: N815

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
class DeskDirection:
    """A direction with a slider of its own, as the page knows it.

    Attributes:
        name: As the visitor calls it.
        kind: What it comes from; see `vae_core.directions`.
        vector: One step, [latent].
        low: Of its slider.
        high: Of its slider.
        separation: Held-out AUROC, its standard error, the groups' sizes and whether one was chosen by where its
            codes lie; None where there are no groups.
        why: Why there is no separation; None where there is one, or no groups.
        varianceShare: Of a principal component; None for others.
    """

    name: Name
    kind: Literal["groups", "component", "axis"]
    vector: tuple[float, ...]
    low: float
    high: float
    separation: DeskSeparation | None = None
    why: str | None = None
    varianceShare: float | None = None  # noqa: N815 - the page's name

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


@dataclass(frozen=True)
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
    groups: Annotated[tuple[DeskGroup, ...], Field(max_length=MOST_GROUPS)] = ()
    directions: Annotated[tuple[DeskDirection, ...], Field(max_length=MOST_DIRECTIONS)] = ()
    names: dict[int, Name] = field(default_factory=dict)
    locked: tuple[int, ...] = ()
    tab: Tab = "sliders"

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def fits(self, loaded: LoadedModel) -> bool:
        """Whether all of it is about this model."""
        dimensions, images = range(loaded.config.latent_dim), range(len(loaded.need_reference()))
        members = [self.selection, *(group.indices for group in self.groups)]
        return (
            all(min(each, default=0) in images and max(each, default=0) in images for each in members)
            and all(len(direction.vector) == len(dimensions) for direction in self.directions)
            and all(dimension in dimensions for dimension in (*self.names, *self.locked))
        )


def current_desk(memory: Session, loaded: LoadedModel) -> Desk:
    """The model's desk; empty at first."""
    desk = memory.desks.get(loaded.name)
    return desk if isinstance(desk, Desk) and desk.fits(loaded) else Desk()


def desk_data(desk: Desk) -> dict[str, Any]:
    """The desk as the page takes it."""
    return {**asdict(desk), "names": {str(dimension): name for dimension, name in desk.names.items()}}


def take_desk(memory: Session, loaded: LoadedModel, value: Any) -> None:
    """Keep what the page reports; what is no desk of this model's is dropped."""
    try:
        # From JSON text, where the keys of names are texts and lists are tuples.
        desk = TypeAdapter(Desk).validate_json(TypeAdapter(Any).dump_json(value))
    except (ValidationError, ValueError):
        return
    if desk.fits(loaded):
        memory.desks[loaded.name] = desk
