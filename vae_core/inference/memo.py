"""What depends on a stored model alone and takes a while to compute: made once, kept for all visitors with the model.

Where the engine lets a model go, what was kept of it goes as well.
"""

import functools
import threading
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from vae_core.latent.directions import Direction, principal_directions
from vae_core.latent.graph import CodeGraph, build_graph
from vae_core.reference.groups import values_of
from vae_core.runtime.memo import Memo
from vae_core.store.opening import StoredModel

__all__ = ["data_graph", "once_a_model", "principal_component", "reference_values"]

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")
OfModel = Callable[[StoredModel, *Arguments], Result]


def once_a_model(size: int) -> Callable[[OfModel[*Arguments, Result]], OfModel[*Arguments, Result]]:
    """Keep a function's results for each model and its other arguments, which can be hashed; errors are not kept.

    Of several threads that ask for one result at the same time, one makes it. A result must not hold the model: it
    would never be let go.

    Args:
        size: Results that are kept of each model, the last used ones.
    """

    def decorate(make: OfModel[*Arguments, Result]) -> OfModel[*Arguments, Result]:
        memos: WeakKeyDictionary[StoredModel, Memo[Result]] = WeakKeyDictionary()
        choosing = threading.Lock()

        @functools.wraps(make)
        def of_model(loaded: StoredModel, /, *args: *Arguments) -> Result:
            with choosing:
                memo = memos.setdefault(loaded, Memo(size))
            return memo.get(args, lambda: make(loaded, *args))

        return of_model

    return decorate


@once_a_model(16)
def reference_values(loaded: StoredModel, what: str) -> Float[np.ndarray, " n"]:
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


@once_a_model(16)
def principal_component(loaded: StoredModel, index: int) -> Direction:
    """One of the reference codes' principal components in posterior deviations, the largest variance first, from 0.

    Raises:
        InputError: The codes vary along no more than `index` directions.
        ModelError: The model has no reference set.
    """
    reference = loaded.need_reference()
    return principal_directions(reference.means, index + 1, scale=reference.scale)[index]


@once_a_model(1)
def data_graph(loaded: StoredModel) -> CodeGraph:
    """The graph of the model's reference codes that paths through the data follow; the first call takes seconds.

    Raises:
        ModelError: The model has no reference set.
        InputError: All its reference codes are the same.
    """
    reference = loaded.need_reference()
    return build_graph(reference.means, reference.scale)
