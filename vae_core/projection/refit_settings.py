"""What a person may choose of a UMAP that is fitted anew."""

from typing import Annotated, Literal

from pydantic import Field

from vae_core.projection.umap_fit import UMAP_MIN_DIST, UMAP_NEIGHBOURS
from vae_core.runtime.strict_json import settings

__all__ = ["METRICS", "UmapSettings"]

# How codes are compared, by umap-learn's names, and the dimensions below which all distances are the same two values.
METRICS = {"euclidean": 1, "cosine": 2, "correlation": 3, "manhattan": 1}
MAX_MIN_DIST = 0.99  # umap-learn's spread, 1, less a little
MAX_SEED = 2**32 - 1  # NumPy's generators take no more


@settings
class UmapSettings:
    """What a person may choose of a UMAP; the defaults are those of the stored maps. A page has names of its own."""

    # Few show detail, many the whole.
    n_neighbors: Annotated[
        int, Field(ge=2, le=200, alias="neighbors", description="nearest codes that each one is tied to")
    ] = UMAP_NEIGHBOURS
    min_dist: Annotated[
        float,
        Field(
            ge=0, le=MAX_MIN_DIST, alias="minDist", description="how near to each other places may come, in map units"
        ),
    ] = UMAP_MIN_DIST
    metric: Annotated[
        Literal["euclidean", "cosine", "correlation", "manhattan"], Field(description="how codes are compared")
    ] = "euclidean"
    scaled: Annotated[
        bool, Field(alias="deviations", description="count differences in posterior deviations (`Reference.scale`)")
    ] = True
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, description="seed of the layout")] = 0
