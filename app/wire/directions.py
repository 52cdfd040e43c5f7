"""A direction with a slider of its own, as the page is told of it and as it tells."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from app.wire.numbers import WIRE
from vae_core.latent.directions import Direction

__all__ = ["SliderDirection"]


@dataclass(frozen=True, eq=False, kw_only=True, config=WIRE)
class SliderDirection(Direction):
    """A direction and its slider.

    Attributes:
        low: Lowest place of the slider, in steps from the origin.
        high: Highest place of the slider.
        why: Why the direction's groups have no separation; None where they have one, and where there are no groups.
    """

    low: float
    high: float
    why: Annotated[str, Field(max_length=1_000)] | None = None
