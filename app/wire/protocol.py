"""The live channel's messages: what a page asks and what the server answers, as bytes.

All numbers are little endian. A question is a header of eight bytes and float32 values::

    u8 kind   u8 projection   u8 x dimension   u8 y dimension   u32 number   f32 values ...

    kind 1  DECODE  values: z                     what does this code look like?
    kind 2  PEEK    values: x, y, z               what lies at this place of the map? (z: the current code)
    kind 3  PATH    values: z of n codes          what do these codes look like, in one batch?
    kind 4  DRAW    values: none                  what does a code drawn like those of the data look like?

The answer carries the question's number, then for each of n codes its place on the map and its values, then
the pictures, row by row with channels innermost. A map that was fitted anew (REFIT) is named by its `RefitId`, which
takes the place of the two dimensions: its higher byte that of x, its lower byte that of y::

    u32 number   u32 n   n x (f32 x, f32 y)   n x latent f32   n x height x width x channel u8
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float, UInt8

from vae_core.errors import InputError
from vae_core.latent.codes import check_finite

__all__ = [
    "ANSWER_HEADER",
    "HEADER",
    "MAX_PATH",
    "Kind",
    "ProjectionKind",
    "Question",
    "RefitId",
    "pack_answer",
    "unpack_question",
]

HEADER = struct.Struct("<BBBBI")
ANSWER_HEADER = struct.Struct("<II")
MAX_PATH = 256  # codes in one PATH question


class RefitId(int):
    """The number of a map that was fitted anew, 1 to `LARGEST`: what travels in the two bytes of an axes map."""

    LARGEST: ClassVar[int] = 0xFFFF

    @classmethod
    def of_axes(cls, axes: tuple[int, int]) -> Self:
        """The number whose higher byte stands where an axes map's x does, and its lower one where y does."""
        return cls(axes[0] << 8 | axes[1])

    @property
    def axes(self) -> tuple[int, int]:
        """Its higher and its lower byte."""
        return self >> 8, self & 0xFF


class Kind(IntEnum):
    """What a question asks."""

    DECODE = 1
    PEEK = 2
    PATH = 3
    DRAW = 4


class ProjectionKind(IntEnum):
    """Which map the places belong to."""

    UMAP = 0
    PCA = 1
    AXES = 2
    REFIT = 3


@dataclass(frozen=True, eq=False)
class Question:
    """One checked question.

    Attributes:
        kind: What is asked.
        projection: The map that places belong to.
        axes: The two raw dimensions of an AXES map, from 0; of a REFIT the two bytes of its `RefitId`.
        number: Comes back with the answer.
        codes: z, [n, latent]; one row unless the kind is PATH, or DRAW, which has none.
        place: On the map, for PEEK; else None.
    """

    kind: Kind
    projection: ProjectionKind
    axes: tuple[int, int]
    number: int
    codes: Float[np.ndarray, "n d"]
    place: Float[np.ndarray, " 2"] | None


def unpack_question(message: bytes, latent_dim: int) -> Question:
    """Check and read one question.

    Raises:
        InputError: Its kind, projection or length is wrong, a dimension does not exist, or a value is not finite.
    """
    if len(message) < HEADER.size or (len(message) - HEADER.size) % 4:
        raise InputError(f"a question has {HEADER.size} bytes and whole float32 values, got {len(message)} bytes")
    kind, projection, x, y, number = HEADER.unpack_from(message)
    if kind not in set(Kind) or projection not in set(ProjectionKind):
        raise InputError(f"kind must be 1 to 4 and projection 0 to 3, got {kind} and {projection}")
    if projection == ProjectionKind.AXES and max(x, y) >= latent_dim:
        raise InputError(f"this model has dimensions 0 to {latent_dim - 1}, got {x} and {y}")
    values = np.frombuffer(message, "<f4", offset=HEADER.size)
    _check_values(Kind(kind), values, latent_dim)
    place, codes = (values[:2], values[2:]) if kind == Kind.PEEK else (None, values)
    return Question(Kind(kind), ProjectionKind(projection), (x, y), number, codes.reshape(-1, latent_dim), place)


def _check_values(kind: Kind, values: Float[np.ndarray, " n"], latent_dim: int) -> None:
    expected = {Kind.DECODE: latent_dim, Kind.PEEK: latent_dim + 2, Kind.DRAW: 0}.get(kind)
    if expected is not None and len(values) != expected:
        raise InputError(f"{kind.name} takes {expected} values for this model, got {len(values)}")
    count, rest = divmod(len(values), latent_dim)
    if kind == Kind.PATH and (rest or not 1 <= count <= MAX_PATH):
        raise InputError(f"PATH takes 1 to {MAX_PATH} codes of {latent_dim} values, got {len(values)} values")
    check_finite("a question's values", values)


def pack_answer(
    number: int,
    places: Float[np.ndarray, "n 2"],
    codes: Float[np.ndarray, "n d"],
    pictures: UInt8[np.ndarray, "n height width channel"],
) -> bytes:
    """The answer to question `number`, as bytes."""
    head = ANSWER_HEADER.pack(number, len(codes))
    return b"".join([head, places.astype("<f4").tobytes(), codes.astype("<f4").tobytes(), pictures.tobytes()])
