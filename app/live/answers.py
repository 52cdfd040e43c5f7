"""Answers the questions of the live channel with the engine; knows neither sockets nor pages."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from app.live.protocol import Kind, ProjectionKind, Question, pack_answer
from vae_core.errors import InputError
from vae_core.inference import Engine, LoadedModel
from vae_core.projection import AxesMap, LatentMap

__all__ = ["answer", "latent_map", "to_pixels"]


def answer(engine: Engine, name: str, question: Question) -> bytes:
    """Decode what the question asks for and say where it lies on the map.

    Raises:
        InputError: The question's map needs a reference set and the model has none.
        BusyError: Too many requests wait.
    """
    loaded = engine.load(name)
    projection = latent_map(loaded, question.projection, question.axes)
    codes = question.codes
    if question.place is not None:
        codes = projection.lift(question.place, codes[0])[None]
    pictures = engine.decode(name, codes, live=question.kind != Kind.PATH)
    return pack_answer(question.number, projection.place(codes), codes, to_pixels(pictures))


def latent_map(loaded: LoadedModel, kind: ProjectionKind, axes: tuple[int, int]) -> LatentMap:
    """The model's map of that kind.

    Raises:
        InputError: It needs a reference set and the model has none.
    """
    if kind == ProjectionKind.AXES:
        return AxesMap(*axes)
    if loaded.reference is None:
        raise InputError(f"{loaded.name} has no reference set, so no UMAP or PCA; run evaluate {loaded.name} first")
    return loaded.reference.umap_map if kind == ProjectionKind.UMAP else loaded.reference.pca_map


def to_pixels(pictures: Float[Tensor, "n channel height width"]) -> UInt8[np.ndarray, "n height width channel"]:
    """Pictures in [0, 1] as bytes, channels last, rounded to the nearest."""
    rounded = (pictures * 255).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(rounded.permute(0, 2, 3, 1).numpy())
