"""Maps of a latent space: from codes to places on a plane (`project`) and back (`unproject`).

All maps are fixed once made. `project` looks at each code alone, so the same code lands on the same place
whatever comes with it, and none of them needs umap at run time: only `fit_umap` imports it.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from vae_core.latent.components import principal_components
from vae_core.latent.neighbours import CUE_NEIGHBOURS, NeighbourIndex

__all__ = ["AxesMap", "LatentMap", "NeighbourMap", "PCAMap", "fit_pca"]

# With 15 neighbours the median projection was within 0.5% of the map's diagonal (median over unseen digits) of what
# umap-learn's own transform gives; `python -m vae_core evaluate` measures it again for every model.
PROJECTING_NEIGHBOURS = CUE_NEIGHBOURS
BLENDED_NEIGHBOURS = 6


class LatentMap(Protocol):
    """What every map can do."""

    def project(self, codes: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
        """Where each code lies on the map, [code, 2]."""

    def unproject(self, place: Float[np.ndarray, " 2"], current: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """The code that a place stands for, [latent]; `current` keeps what the place does not say."""


@dataclass(frozen=True)
class AxesMap:
    """Two raw dimensions of z, exact both ways; one dimension given twice is a line along the horizontal axis.

    Attributes:
        x: Dimension along the horizontal axis, from 0.
        y: Dimension along the vertical axis, from 0.
    """

    x: int
    y: int

    def project(self, codes: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
        """The two dimensions of each code, [code, 2]; of a line the vertical place is 0."""
        places = codes[:, [self.x, self.y]]
        if self.x == self.y:
            places[:, 1] = 0
        return places

    def unproject(self, place: Float[np.ndarray, " 2"], current: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        """`current` with the two dimensions set to `place`, a line's one to `place[0]`; the others stay as they are."""
        z = current.copy()
        z[self.y] = place[1]
        z[self.x] = place[0]  # last: on a line it is the one that counts
        return z


@dataclass(frozen=True, eq=False)
class PCAMap:
    """The plane of the codes' two leading principal components.

    Attributes:
        mean: Mean of the reference codes, [latent].
        components: Unit vectors, [2, latent].
    """

    mean: Float[np.ndarray, " d"]
    components: Float[np.ndarray, "2 d"]

    def project(self, codes: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
        """Coordinates in the plane, [code, 2]."""
        # One product a code: a single large one may round differently with the number of rows.
        return np.reshape([self.components @ (code - self.mean) for code in codes], (len(codes), 2))

    def unproject(self, place: Float[np.ndarray, " 2"], current: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:  # noqa: ARG002
        """The inverse transform: the code in the plane at `place`."""
        code: np.ndarray = self.mean + place @ self.components
        return code


class NeighbourMap:
    """A map known by where the reference codes lie on it, such as a UMAP.

    A code is projected to the coordinate-wise median of the places of its nearest reference codes, a reference code
    itself at its own place. A place is unprojected to a blend of the codes that lie nearest on the map.

    Attributes:
        references: Reference codes, and how codes are compared with them.
        places: Where the reference codes lie on the map, [reference, 2].
    """

    def __init__(self, references: NeighbourIndex, places: Float[np.ndarray, "n 2"]) -> None:
        self.references = references
        self.places = places
        self._on_map = NeighbourIndex(places)

    def project(self, codes: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m 2"]:
        """The median of the places of the nearest reference codes, [code, 2]."""
        # One by one: with many at once the last bit of a distance, so who is nearest, may depend on the others.
        return np.reshape([self._project_one(code[None]) for code in codes], (len(codes), 2))

    def _project_one(self, code: Float[np.ndarray, "1 d"]) -> Float[np.ndarray, " 2"]:
        (nearest,), (distances,) = self.references.nearest(code, PROJECTING_NEIGHBOURS)
        if distances[0] == 0:  # a reference lies where it lies
            own: np.ndarray = self.places[nearest[0]].copy()
            return own
        place: np.ndarray = np.median(self.places[nearest], axis=0)
        return place

    def unproject(self, place: Float[np.ndarray, " 2"], current: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:  # noqa: ARG002
        """The nearest references' codes weighted by 1/distance^2 on the map: on a reference point, its own code.

        Inverse distance weighting: Shepard 1968, with power 2.
        """
        (nearest,), (distances,) = self._on_map.nearest(place[None], BLENDED_NEIGHBOURS)
        codes = self.references.codes
        if distances[0] == 0:
            exact: np.ndarray = codes[nearest[0]].copy()
            return exact
        weights = np.square(distances[0] / distances)
        blend: np.ndarray = weights @ codes[nearest] / weights.sum()
        return blend.astype(np.float32)


def fit_pca(codes: Float[np.ndarray, "n d"]) -> PCAMap:
    """The two leading principal components; one-dimensional codes get a second axis of zeros."""
    found = principal_components(codes, 2)
    components = np.zeros((2, codes.shape[1]), np.float32)
    components[: len(found.axes)] = found.axes
    return PCAMap(found.mean.astype(np.float32), components)
