"""A UMAP fitted to codes: the one place that imports umap-learn."""

import re
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

__all__ = ["UMAP_MIN_DIST", "UMAP_NEIGHBOURS", "Nearest", "fit_umap"]

UMAP_NEIGHBOURS = 15
UMAP_MIN_DIST = 0.1
BAR = "{n_fmt}/{total_fmt}"  # tqdm's, in which `_Bar` finds the epochs


# Each code's nearest codes and how far they are, the code itself first at distance 0; both [code, neighbour].
Nearest = tuple[Int[np.ndarray, "n k"], Float[np.ndarray, "n k"]]


def fit_umap(
    codes: Float[np.ndarray, "n d"],
    *,
    seed: int,
    n_neighbors: int = UMAP_NEIGHBOURS,
    min_dist: float = UMAP_MIN_DIST,
    metric: str = "euclidean",
    nearest: Nearest | None = None,
    initial: Float[np.ndarray, "n 2"] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Float[np.ndarray, "n 2"], object]:
    """Lay the codes out by UMAP (McInnes et al. 2018, arXiv:1802.03426); takes about a minute for 10,000.

    Args:
        codes: Codes in the unit in which they are compared, [code, latent].
        seed: Seed of the layout, and of the neighbour search where `nearest` is not given.
        n_neighbors: Number of nearest codes each one is tied to, itself among them; of fewer codes all.
        min_dist: How near to each other the layout lets places come, in units of the map.
        metric: By umap-learn's name.
        nearest: Each code's nearest in that metric, where they are known: umap-learn's own search is approximate and
            compiles for half a minute. Without its index the reducer cannot transform unseen codes.
        initial: The places that the layout starts from; by default umap-learn's spectral ones.
        progress: Told how many epochs of how many are done, 0 as soon as the layout begins.

    Returns:
        The places, float32 [code, 2], and umap-learn's fitted reducer.
    """
    from umap import UMAP  # 2 s to import and needed at build time only

    bar = {"file": _Bar(progress), "disable": False, "bar_format": BAR, "mininterval": 0, "miniters": 1}
    reducer = UMAP(
        n_neighbors=min(n_neighbors, len(codes) - 1),
        min_dist=min_dist,
        metric=metric,
        init="spectral" if initial is None else initial,
        precomputed_knn=(None, None, None) if nearest is None else nearest,
        random_state=seed,
        n_jobs=1,
        tqdm_kwds=None if progress is None else bar,
    )
    places = reducer.fit_transform(codes)
    return np.asarray(places, np.float32), reducer


class _Bar:
    """What umap-learn's progress bar is written to, by way of tqdm: the one thing that tells how far a layout is."""

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self.progress = progress

    def write(self, text: str) -> None:
        """Read the epochs back from the bar; what else is written counts for nothing."""
        epochs = re.fullmatch(r"\s*(\d+)/(\d+)\s*", text)
        if epochs and self.progress:
            self.progress(int(epochs[1]), int(epochs[2]))

    def flush(self) -> None:
        """Nothing is kept back."""
