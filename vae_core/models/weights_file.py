"""A file of weights (safetensors): what its header declares is checked before any tensor is read."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vae_core.errors import ModelError

__all__ = ["StoredTensor", "read_header", "read_weights"]

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


def read_weights(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The tensors of a safetensors file, which must be those of a network.

    Args:
        path: The file.
        shapes: Shape of each of the network's weights, by name.

    Raises:
        ModelError: The file cannot be read, its tensors are not those of the network, or hold a number that is not
            finite.
    """
    header = read_header(path)
    try:
        _check_fit({name: tensor.shape for name, tensor in header.items()}, shapes)
        weights = load_file(path)
        _check_finite(weights)
    except ValueError as error:
        raise ModelError(f"{path} does not fit its configuration: {error}.") from error
    except (OSError, SafetensorError, MemoryError, RuntimeError) as error:  # torch says with the last what others do
        reason = " ".join(str(error).split()) or "there is not enough memory"
        raise ModelError(f"{path} cannot be read as weights ({reason}); fetch or train the model again.") from error
    return weights


def _check_fit(stored: Mapping[str, tuple[int, ...]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    missing, unknown = sorted(shapes.keys() - stored.keys()), sorted(stored.keys() - shapes.keys())
    prefix = _prefix(stored, shapes)
    if prefix:
        raise ValueError(
            f"all names in it begin with {prefix!r}, as of a network inside another one (DataParallel, torch.compile, "
            f"Lightning); store the weights under their own names, without {prefix!r}"
        )
    if missing or unknown:
        lacks = f"it lacks {_some(missing)}" if missing else ""
        has = f"it has {_some(unknown)}, which the network has not" if unknown else ""
        raise ValueError("; ".join(filter(None, (lacks, has))))
    for name, shape in shapes.items():
        if stored[name] != shape:
            raise ValueError(f"{name} must be {list(shape)}, got {list(stored[name])}")


def _prefix(stored: Mapping[str, object], shapes: Mapping[str, object]) -> str:
    """What stands before the network's own names throughout; empty where that is not what is wrong."""
    own = next(iter(shapes))
    prefixes = {name.removesuffix(own) for name in stored if name.endswith("." + own)}
    return next((prefix for prefix in prefixes if {prefix + name for name in shapes} == stored.keys()), "")


def _some(names: list[str]) -> str:
    shown = ", ".join(name[:80] for name in names[:2])
    return shown if len(names) <= 2 else f"{shown} and {len(names) - 2} more"


def _check_finite(weights: Mapping[str, Tensor]) -> None:
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds numbers that are not finite, as after a training that went wrong")


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
