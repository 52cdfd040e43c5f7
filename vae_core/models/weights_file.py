"""A file of weights (safetensors): what its header declares, read and checked before any tensor is."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vae_core.errors import ModelError

__all__ = ["StoredTensor", "read_header"]

LENGTH_BYTES = 8  # of the header's own length, at the start of the file
MAX_HEADER_BYTES = 2 * 2**20  # 4,000 tensors with long names take a fifth of it
ITEM_BYTES = {"F16": 2, "BF16": 2, "F32": 4}  # kinds of numbers that weights are stored in, and their sizes


@dataclass(frozen=True)
class StoredTensor:
    """Where one tensor of a file lies, and what it is.

    Attributes:
        dtype: Kind of its numbers as safetensors names it, such as ``"F16"``.
        shape: Sizes of its axes.
        start: Place of its first byte, counted from the start of the file.
        stop: Place behind its last byte.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_header(path: Path) -> dict[str, StoredTensor]:
    """The tensors that a safetensors file declares, by name; nothing but its header is read.

    Raises:
        ModelError: The file cannot be read, is no safetensors file, or declares tensors that do not fill it exactly.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            length = int.from_bytes(file.read(LENGTH_BYTES), "little")
            text = file.read(min(length, MAX_HEADER_BYTES))
        return _checked(text, length, size)
    except (OSError, ValueError, RecursionError) as error:  # the last is a header of nothing but brackets
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelError(f"{path} cannot be read as weights ({reason}); fetch or train the model again.") from error


def _checked(text: bytes, length: int, size: int) -> dict[str, StoredTensor]:
    """The header's entries in the order of their bytes; a ValueError says which rule one breaks."""
    if not 2 <= length <= MAX_HEADER_BYTES or LENGTH_BYTES + length > size:
        raise ValueError(f"its header must have 2 to {MAX_HEADER_BYTES:,} bytes within the file, got {length:,}")
    entries = json.loads(text, object_pairs_hook=_without_repetition)
    if not isinstance(entries, dict):
        raise ValueError("its header must be one JSON object")
    entries.pop("__metadata__", None)
    first = LENGTH_BYTES + length
    tensors = {name: _tensor(name, entry, first) for name, entry in entries.items()}
    end = first
    for name, tensor in sorted(tensors.items(), key=lambda each: (each[1].start, each[1].stop)):
        if tensor.start != end:
            raise ValueError(f"its tensors must lie one behind another, got a gap or an overlap at {name!r}")
        end = tensor.stop
    if end != size:
        raise ValueError(f"its tensors must fill the file of {size:,} bytes, got {end:,}")
    return tensors


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("each name in its header must stand there once")
    return entries


def _tensor(name: str, entry: object, first: int) -> StoredTensor:
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(start), int(stop)]} if (
            all(type(side) is int and side >= 0 for side in shape) and 0 <= start <= stop
        ):
            if dtype not in ITEM_BYTES:
                raise ValueError(
                    f"numbers must be of kind {', '.join(ITEM_BYTES)}, got {dtype[:20]!r} in {name[:80]!r}"
                )
            if stop - start != math.prod(shape) * ITEM_BYTES[dtype]:
                raise ValueError(f"{name[:80]!r} must have as many bytes as its shape asks for, got {stop - start:,}")
            return StoredTensor(dtype, tuple(shape), first + start, first + stop)
    raise ValueError(f"{name[:80]!r} must have a dtype, a shape and data_offsets of whole numbers")
