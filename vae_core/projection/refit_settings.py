"""What a person may choose of a UMAP that is fitted anew."""

from dataclasses import dataclass

from vae_core.errors import InputError
from vae_core.projection.umap_fit import UMAP_MIN_DIST, UMAP_NEIGHBOURS

__all__ = ["METRICS", "UmapSettings"]

# How codes are compared, by umap-learn's names, and the dimensions below which all distances are the same two values.
METRICS = {"euclidean": 1, "cosine": 2, "correlation": 3, "manhattan": 1}
MIN_NEIGHBOURS, MAX_NEIGHBOURS = 2, 200
MAX_MIN_DIST = 0.99  # umap-learn's spread, 1, less a little
MAX_SEED = 2**32 - 1  # NumPy's generators take no more


@dataclass(frozen=True)
class UmapSettings:
    """What a person may choose of a UMAP; the defaults are those of the stored maps.

    Attributes:
        n_neighbors: How many nearest codes each one is tied to, 2 to 200: few show detail, many the whole.
        min_dist: How near to each other places may come, 0 to 0.99, in units of the map.
        metric: How codes are compared, one of `METRICS`.
        scaled: Whether differences are counted in posterior deviations (`Reference.scale`) or as they are.
        seed: Of the layout.
    """

    n_neighbors: int = UMAP_NEIGHBOURS
    min_dist: float = UMAP_MIN_DIST
    metric: str = "euclidean"
    scaled: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if not MIN_NEIGHBOURS <= self.n_neighbors <= MAX_NEIGHBOURS:
            raise InputError(
                f"n_neighbors must be {MIN_NEIGHBOURS} to {MAX_NEIGHBOURS}, got {self.n_neighbors}; try 15."
            )
        if not 0 <= self.min_dist <= MAX_MIN_DIST:
            raise InputError(f"min_dist must be 0 to {MAX_MIN_DIST}, got {self.min_dist}; try 0.1.")
        if self.metric not in METRICS:
            raise InputError(f"the metric must be one of {', '.join(METRICS)}, got {self.metric!r}; choose one.")
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError(f"the seed must be 0 to {MAX_SEED}, got {self.seed}; choose another.")
