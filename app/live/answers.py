"""Answers the questions of the live channel with the engine; knows neither sockets nor pages."""

import numpy as np
from jaxtyping import Float

from app.services.draws import draw_code
from app.services.refits import refits
from app.wire.protocol import Kind, ProjectionKind, Question, RefitId, pack_answer
from vae_core.images.pixels import pixels_of
from vae_core.inference.engine import Engine
from vae_core.projection.projections import AxesMap, LatentMap
from vae_core.store.opening import StoredModel

__all__ = ["answer", "latent_map", "project_everywhere"]


def answer(engine: Engine, loaded: StoredModel, question: Question) -> bytes:
    """Decode what the question asks for and say where it lies on the map.

    Raises:
        GoneError: The question's map was fitted anew, and is not remembered any more.
        ModelError: The question's map, or a draw, needs a reference set and the model has none.
        BusyError: Too many requests wait.
    """
    projection = latent_map(loaded, question.projection, question.axes)
    codes = question.codes
    if question.place is not None:
        codes = projection.unproject(question.place, codes[0])[None]
    elif question.kind == Kind.DRAW:
        codes = draw_code(loaded)[None]
    pictures = engine.decode(loaded, codes, live=question.kind != Kind.PATH)
    return pack_answer(question.number, projection.project(codes), codes, pixels_of(pictures))


def latent_map(loaded: StoredModel, kind: ProjectionKind, axes: tuple[int, int]) -> LatentMap:
    """The model's map of that kind.

    Raises:
        GoneError: It was fitted anew, and is not remembered any more.
        ModelError: It needs a reference set and the model has none.
    """
    if kind == ProjectionKind.REFIT:
        return refits().find(loaded, RefitId.of_axes(axes))
    if kind == ProjectionKind.AXES:
        return AxesMap(*axes)
    reference = loaded.need_reference()
    return reference.umap_map if kind == ProjectionKind.UMAP else reference.pca_map


def project_everywhere(loaded: StoredModel, code: Float[np.ndarray, " d"]) -> dict[str, list[float]]:
    """Where a code lies on each fitted map of the model, as [x, y] by the map's name."""
    kinds = (ProjectionKind.UMAP, ProjectionKind.PCA)
    return {kind.name.lower(): latent_map(loaded, kind, (0, 0)).project(code[None])[0].tolist() for kind in kinds}
