"""The question of what a map shows beside its points: how densely they lie."""

from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from pydantic.dataclasses import dataclass

from app.queries.base import Question
from app.services.refits import refits
from app.wire.numbers import WIRE
from app.wire.packing import floats_base64
from app.wire.protocol import RefitId
from vae_core.errors import InputError
from vae_core.inference.engine import Engine
from vae_core.inference.memo import once_a_model
from vae_core.projection.contours import SHARES, DensityGrid, density_grid, point_levels
from vae_core.projection.projections import AxesMap
from vae_core.store.opening import StoredModel

__all__ = ["QUESTIONS", "DensityQuestion"]

SIZE = 128  # nodes along each side

Contours = tuple[DensityGrid, Float[np.ndarray, " k"]]  # with the densities above which `SHARES` of the points lie


@dataclass(frozen=True, config=WIRE)
class DensityQuestion:
    """How densely do the reference images lie on this map?

    Attributes:
        projection: Which map.
        x: Horizontal dimension of an axes map, from 0.
        y: Vertical dimension, from 0.
        refit: Number of a map that was fitted anew, in place of the UMAP; None for the stored one.
    """

    projection: Literal["umap", "pca", "axes"]
    x: int
    y: int
    refit: int | None = None


def density(_engine: Engine, loaded: StoredModel, body: DensityQuestion) -> dict[str, Any]:
    """The density at the nodes of a grid, and the levels of the contours that hold given shares of the points."""
    grid, levels = _refitted(loaded, body.refit) if body.refit is not None else _stored(loaded, body)
    return {
        "x": floats_base64(grid.x),
        "y": floats_base64(grid.y),
        "density": floats_base64(grid.density),
        "levels": [[share, level] for share, level in zip(SHARES, levels.tolist(), strict=True)],
    }


def _refitted(loaded: StoredModel, number: int) -> Contours:
    return _contours(refits().find(loaded, RefitId(number)).places)


def _stored(loaded: StoredModel, body: DensityQuestion) -> Contours:
    axes = (body.x, body.y) if body.projection == "axes" else (0, 0)
    return _known(loaded, body.projection, *axes)


@once_a_model(16)
def _known(loaded: StoredModel, projection: str, x: int, y: int) -> Contours:
    return _contours(_places(loaded, projection, x, y))


def _contours(places: Float[np.ndarray, "n 2"]) -> Contours:
    grid = density_grid(places, SIZE)
    return grid, point_levels(grid, places)


def _places(loaded: StoredModel, projection: str, x: int, y: int) -> Float[np.ndarray, "n 2"]:
    reference = loaded.need_reference()
    if projection == "umap":
        return reference.umap_places
    if projection == "pca":
        return reference.pca_map.project(reference.means)
    dimensions = range(reference.latent_dim)
    if x not in dimensions or y not in dimensions:
        raise InputError(f"dimensions must be from 0 to {dimensions[-1]} for this model, got {x} and {y}.")
    return AxesMap(x, y).project(reference.means)


QUESTIONS = {"density": Question(DensityQuestion, density)}
