"""What arrays of codes must be: of the shape that is needed, and finite."""

from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, Float32
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from vae_core.errors import InputError

__all__ = ["FLOAT32_MAX", "Vector", "check_finite", "check_same_dimensions"]

FLOAT32_MAX = float(np.finfo(np.float32).max)  # networks compute in single precision


class _AsNumbers:
    """How pydantic reads and writes an array: in JSON it is a list of numbers that float32 can hold."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.float_schema(strict=True, allow_inf_nan=False, ge=-FLOAT32_MAX, le=FLOAT32_MAX)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(
                lambda numbers: np.array(numbers, np.float32), core_schema.list_schema(number)
            ),
            python_schema=core_schema.is_instance_schema(np.ndarray),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda vector: vector.tolist()),
        )


Vector = Annotated[Float32[np.ndarray, " d"], _AsNumbers]  # a field of a pydantic dataclass


def check_finite(
    what: str,
    values: Float[np.ndarray, "..."],
    shape: tuple[int | None, ...] | None = None,
    *,
    fewest: int = 0,
    remedy: str = f"give numbers within ±{FLOAT32_MAX:.1e}",
) -> None:
    """Let an array pass that has the needed shape and holds nothing but numbers that float32 can hold.

    Args:
        what: Name of the array, which begins the sentence that refuses it, such as "z" or "the scale".
        values: The array.
        shape: Size of each axis, None for an axis of any size; without a shape every one will do.
        fewest: Rows that the array has at the least.
        remedy: What to do about a number that is not finite; ends the sentence that refuses it.

    Raises:
        InputError: The array has another shape, too few rows, or a number that is infinite, not a number or too large.
    """
    needed = shape or (None, *values.shape[1:])
    fits = len(needed) == values.ndim and all(map(_is_size, needed, values.shape))
    if not fits or (fewest and len(values) < fewest):
        raise InputError(f"{what} must be {_shown(needed, fewest)}, got {list(values.shape)}.")
    finite = np.abs(values) <= np.float32(FLOAT32_MAX)  # false for NaN as well
    if not finite.all():
        place = np.argwhere(~finite)[0].tolist()
        raise InputError(f"{what} must be finite, got {values[tuple(place)]} at {place}; {remedy}.")


def check_same_dimensions(what: str, one: Float[np.ndarray, "... d"], other: Float[np.ndarray, "... e"]) -> None:
    """Let codes pass whose last axes are as long; `what` begins the sentence that refuses them.

    Raises:
        InputError: They are not.
    """
    if one.shape[-1] != other.shape[-1]:
        raise InputError(f"{what} need the same number of dimensions, got {one.shape[-1]} and {other.shape[-1]}.")


def _is_size(needed: int | None, size: int) -> bool:
    return needed is None or needed == size


def _shown(shape: tuple[int | None, ...], fewest: int) -> str:
    """The shape in words: [n, 16], or [at least 1, 16]."""
    sizes = ["any" if size is None else str(size) for size in shape]
    if shape[0] is None:
        sizes[0] = f"at least {fewest}" if fewest else "n"
    return f"[{', '.join(sizes)}]"
