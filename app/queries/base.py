"""What a question is: the body it takes and how it is answered, and what the bodies and answers of several share."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import TypeAdapter, ValidationError

from app.services.work import JobRequest
from app.wire.numbers import from_page
from vae_core.errors import InputError
from vae_core.images.pixels import pixels_of
from vae_core.inference.engine import Engine
from vae_core.latent.codes import check_finite
from vae_core.runtime.strict_json import first_problem
from vae_core.store.opening import StoredModel

__all__ = ["Answer", "File", "Question", "as_code", "check_index", "decode_pixels"]

BATCH = 64  # codes decoded at a time, which is what others' requests wait for at the most


@dataclass(frozen=True)
class File:
    """An answer that is a file.

    Attributes:
        content: Bytes of the file.
        media_type: Type of the file as HTTP names it.
        name: Name under which the file is saved.
    """

    content: bytes
    media_type: str
    name: str


Answer = dict[str, Any] | File | JobRequest  # a dictionary is sent as JSON, of a job its id


@dataclass(frozen=True, eq=False)
class Question:
    """One kind of question.

    Attributes:
        body: Class of what comes with the question: a pydantic dataclass whose fields a page knows, or a union of such.
        answer: Answers a checked body; what cannot be answered is a VAEExplorerError.
    """

    body: Any
    answer: Callable[[Engine, StoredModel, Any], Answer]

    def read(self, text: bytes) -> Any:
        """The body from JSON.

        Raises:
            InputError: It is no JSON, or not what the question takes.
        """
        try:
            return from_page(self._adapter, text)
        except ValidationError as error:
            raise InputError(first_problem(error, "the question", self.body)) from error

    @functools.cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.body)


def as_code(loaded: StoredModel, values: Sequence[float], what: str = "z") -> Float32[np.ndarray, " d"]:
    """A code or a direction's vector that came with a question, [latent].

    Raises:
        InputError: It has other dimensions than the model.
    """
    code = np.array(values, np.float32)
    check_finite(what, code, (loaded.spec.latent_dim,))
    return code


def check_index(loaded: StoredModel, index: int) -> int:
    """The index of a reference image.

    Raises:
        InputError: There is no such image.
        ModelError: The model has no reference set.
    """
    count = len(loaded.need_reference())
    if not 0 <= index < count:
        raise InputError(f"images of this model's map are from 0 to {count - 1}, got {index}.")
    return index


def decode_pixels(
    engine: Engine, loaded: StoredModel, codes: Float[np.ndarray, "n d"]
) -> UInt8[np.ndarray, "n height width channel"]:
    """What the model decodes, as pictures; batch by batch, so that others' requests come in between.

    Raises:
        BusyError: Too many requests wait.
    """
    batches = [codes[start : start + BATCH] for start in range(0, len(codes), BATCH)]
    return np.concatenate([pixels_of(engine.decode(loaded, batch)) for batch in batches])
