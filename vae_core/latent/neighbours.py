"""Nearest codes: which of a set lie nearest to a code, and how far."""

import threading
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

__all__ = ["CUE_NEIGHBOURS", "NeighbourIndex", "distances_between", "smallest"]

CUE_NEIGHBOURS = 15  # of the trust cue: as many as a map places a code by
FEW = 16  # codes for which all distances are quicker than scikit-learn, which also takes a second to import
ROWS = 100  # codes at once whose distances are all kept: 8 MB of them among 10,000
ROUNDING = 1e-12  # of scikit-learn's squared distances, as a share of the squared lengths that they are made of

Nearest = tuple[Int[np.ndarray, "m k"], Float[np.ndarray, "m k"]]


class NeighbourIndex:
    """A set of codes in which the nearest are looked for; any number of threads may use one at once.

    Distances come from the differences of codes, in double precision: exactly 0 for a code of the set itself. Of codes
    at the same distance the one with the lower index is nearer.

    Attributes:
        codes: The set, [code, latent].
        scale: What a step of 1 along each dimension counts for, [latent].

    Args:
        codes: The set, at least one code.
        scale: As the attribute; 1 for each dimension unless given.
    """

    def __init__(self, codes: Float[np.ndarray, "n d"], scale: Float[np.ndarray, " d"] | None = None) -> None:
        self.codes = codes
        self.scale = np.ones(codes.shape[1], codes.dtype) if scale is None else scale
        self._scaled = self.scaled(codes)
        self._building = threading.Lock()
        self._built: Any = None

    def __len__(self) -> int:
        return len(self.codes)

    def scaled(self, codes: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m d"]:
        """Codes in the unit in which they are compared, float64 [code, latent]."""
        scaled: np.ndarray = codes.astype(np.float64) * self.scale
        return scaled

    def nearest(self, codes: Float[np.ndarray, "m d"], count: int) -> Nearest:
        """Index and distance of the `count` nearest of the set to each code, nearest first, both [code, neighbour].

        Args:
            codes: The codes, [code, latent].
            count: How many neighbours; of a smaller set all.
        """
        count, scaled = min(count, len(self)), self.scaled(codes)
        if len(codes) <= FEW:
            return self._among_all(scaled, count)
        indices, distances = np.empty((len(codes), count), np.intp), np.empty((len(codes), count))
        for start in range(0, len(codes), ROWS):
            rows = slice(start, start + ROWS)
            indices[rows], distances[rows] = self._searched(scaled[rows], count)
        return indices, distances

    def mean_distance(self, codes: Float[np.ndarray, "m d"], *, exclude: int = 0) -> Float[np.ndarray, " m"]:
        """Mean distance of each code to its `CUE_NEIGHBOURS` nearest: the trust cue's raw value, float32 [code].

        Args:
            codes: The codes, [code, latent].
            exclude: How many nearest to skip: 1 where the codes are those of the set.
        """
        _, distances = self.nearest(codes, CUE_NEIGHBOURS + exclude)
        mean: np.ndarray = distances[:, exclude:].mean(axis=1).astype(np.float32)
        return mean

    def _among_all(self, scaled: Float[np.ndarray, "m d"], count: int) -> Nearest:
        return smallest(cdist(scaled, self._scaled), count)

    def _searched(self, scaled: Float[np.ndarray, "m d"], count: int) -> Nearest:
        """The same by scikit-learn's search, which is quicker for many codes but rounds: its finds are measured again.

        A find more than asked for tells whether rounding can have hidden a nearer code; for such codes all count.
        """
        indices = self._search().kneighbors(scaled, min(count + 1, len(self)), return_distance=False)
        distances = np.linalg.norm(scaled[:, None] - self._scaled[indices], axis=2)
        order = np.lexsort((indices, distances))
        indices, distances = (np.take_along_axis(each, order, axis=1) for each in (indices, distances))
        if count < len(self):
            gaps = np.square(distances[:, -1]) - np.square(distances[:, -2])
            doubtful = gaps <= ROUNDING * (np.square(scaled).sum(axis=1) + self._longest)
            indices, distances = indices[:, :count], distances[:, :count]
            if doubtful.any():
                indices[doubtful], distances[doubtful] = self._among_all(scaled[doubtful], count)
        return indices, distances

    def _search(self) -> Any:
        """scikit-learn's fitted search, fitted once."""
        from sklearn.neighbors import NearestNeighbors  # takes a second, and only many codes at once need it

        with self._building:
            if self._built is None:
                self._longest = np.square(self._scaled).sum(axis=1).max()
                self._built = NearestNeighbors().fit(self._scaled)
            return self._built


def distances_between(
    codes: Float[np.ndarray, "m d"], others: Float[np.ndarray, "n d"], metric: str = "euclidean"
) -> Float[np.ndarray, "m n"]:
    """The distance of each code to each of the others, float64 [code, other].

    Args:
        codes: [code, latent].
        others: [other, latent].
        metric: ``"euclidean"``, ``"manhattan"``, ``"cosine"`` or ``"correlation"``. A code without a direction, such
            as one at the origin, has an angle of half way to all others: a distance of 1, as umap-learn counts it.
    """
    name = {"manhattan": "cityblock"}.get(metric, metric)
    distances: np.ndarray = cdist(np.asarray(codes, np.float64), np.asarray(others, np.float64), name)
    if metric in ("cosine", "correlation"):
        np.nan_to_num(distances, copy=False, nan=1.0)
        distances.clip(min=0, out=distances)  # which rounding can miss
    return distances


def smallest(values: Float[np.ndarray, "m n"], count: int) -> Nearest:
    """Column and value of the `count` smallest values of each row, ascending, the lower column first among equals."""
    columns = np.reshape([_smallest_of(row, count) for row in values], (len(values), count)).astype(np.intp)
    return columns, np.take_along_axis(values, columns, axis=1)


def _smallest_of(values: Float[np.ndarray, " n"], count: int) -> Int[np.ndarray, " k"]:
    places = np.argpartition(values, count - 1)[:count]
    found = values[places]
    if np.count_nonzero(values <= found.max()) > count:  # equals of the last are left out, perhaps of lower places
        return np.argsort(values, kind="stable")[:count]
    ordered: np.ndarray = places[np.lexsort((places, found))]
    return ordered
