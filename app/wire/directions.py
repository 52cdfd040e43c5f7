"""How well a direction's two groups separate, as the page is told and as it tells."""

from typing import Annotated, Self

from pydantic import Field

from app.wire.numbers import strict
from vae_core.latent.separation import Separation

__all__ = ["Share", "ToldSeparation"]

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


@strict
class ToldSeparation:
    """A `vae_core.latent.separation.Separation` by the page's names."""

    auroc: Share
    error: Annotated[float, Field(ge=0)]
    countA: Count  # noqa: N815 - the page's name
    countB: Count  # noqa: N815
    byPlace: bool = False  # noqa: N815

    @classmethod
    def of(cls, measured: Separation) -> Self:
        """What the page is told of a separation."""
        return cls(measured.auroc, measured.auroc_error, measured.count_a, measured.count_b, byPlace=measured.by_place)

    def measured(self) -> Separation:
        """The separation that the page was told of."""
        return Separation(self.auroc, self.error, self.countA, self.countB, self.byPlace)
