"""What depends on a stored model alone and takes a while to compute: made once and kept for all visitors."""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, TypeVarTuple

import numpy as np
from jaxtyping import Float

from vae_core.inference.loaded import LoadedModel
from vae_core.latent.directions import Direction, principal_directions
from vae_core.models.vae import WEIGHTS_FILE
from vae_core.reference.groups import values_of

__all__ = ["once_a_model", "principal_component", "reference_values", "weights_digest"]

KEPT = 64  # results of each function

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


@dataclass(unsafe_hash=True)
class _Key:
    """A model as a part of a key: two are the same when their files are. What is kept holds no model."""

    digest: str
    loaded: LoadedModel | None = field(compare=False)  # while the result is made


def once_a_model(
    make: Callable[[LoadedModel, *Arguments], Result],
) -> Callable[[LoadedModel, *Arguments], Result]:
    """Keep the last results of a function of a model and of arguments that can be hashed; errors are not kept."""
    kept: Callable[..., Result] = functools.lru_cache(maxsize=KEPT)(lambda key, *args: make(key.loaded, *args))

    @functools.wraps(make)
    def of_model(loaded: LoadedModel, /, *args: *Arguments) -> Result:
        key = _Key(loaded.digest, loaded)
        try:
            return kept(key, *args)
        finally:
            key.loaded = None

    return of_model


@once_a_model
def reference_values(loaded: LoadedModel, what: str) -> Float[np.ndarray, " n"]:
    """One number for each reference image, [image]; read-only.

    Args:
        loaded: The model.
        what: One of `vae_core.reference.groups.VALUES`, or a dimension's number from 0 as text.

    Raises:
        InputError: There is no such value, or it is the KL of a plain autoencoder.
        ModelError: The model has no reference set.
    """
    reference = loaded.need_reference()
    is_dimension = what in map(str, range(reference.latent_dim))
    values = values_of(reference, int(what) if is_dimension else what)
    values.setflags(write=False)
    return values


@once_a_model
def principal_component(loaded: LoadedModel, index: int) -> Direction:
    """One of the reference codes' principal components in posterior deviations, the largest variance first, from 0.

    Raises:
        InputError: The codes vary along no more than `index` directions.
        ModelError: The model has no reference set.
    """
    reference = loaded.need_reference()
    return principal_directions(reference.means, index + 1, scale=reference.scale)[index]


@once_a_model
def weights_digest(loaded: LoadedModel) -> str:
    """32 hexadecimal digits that change with the model's weights alone, wherever its files lie."""
    return hashlib.sha256((loaded.folder / WEIGHTS_FILE).read_bytes()).hexdigest()[:32]
