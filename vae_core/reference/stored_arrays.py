"""The arrays of an npz file from outside: what the archive declares is checked before any array is read.

A file of a few kilobytes can declare arrays of terabytes. Each array's header says its size, and the archive says how
many bytes there are to unpack; both are read first, and nothing larger than they say is ever unpacked.
"""

import math
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

__all__ = ["DeclaredArray", "read_arrays"]

MAX_FILE_BYTES = 2**29
MAX_ARRAY_BYTES = 2**28  # of all arrays together
MAX_MEMBERS = 64
MAX_DIRECTORY_BYTES = 2**16  # of the list of members at the end of the file
MAX_HEADER = 4_096  # characters of an array's header
END_BYTES, END_SIGNATURE = 22, b"PK\x05\x06"  # of the archive's last record, without a comment
LOCATOR_BYTES, LOCATOR_SIGNATURE = 20, b"PK\x06\x07"  # before it: where a list of members of another size lies
HEADERS: dict[tuple[int, int], Callable[..., tuple[tuple[int, ...], bool, np.dtype]]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class DeclaredArray:
    """What an array's header says of it.

    Attributes:
        shape: Sizes of its axes.
        dtype: Kind of its numbers.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array in memory."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_arrays(
    path: Path,
    names: Iterable[str],
    check: Callable[[Mapping[str, DeclaredArray]], None],
    *,
    where_there: Iterable[str] = (),
) -> dict[str, np.ndarray]:
    """The named arrays of an npz file.

    Args:
        path: The file.
        names: Names of the arrays that are wanted; others in the file are passed over.
        where_there: names of arrays that are wanted too, but need not be there.
        check: Raises a ValueError where shapes or kinds of numbers are not as needed; asked before any array is read.

    Raises:
        OSError: The file cannot be read.
        KeyError: One of the arrays is not there.
        ValueError: The archive is damaged, or holds more than there is room for.
    """
    wanted = list(names)
    with path.open("rb") as file:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            wanted += [name for name in where_there if f"{name}.npy" in archive.namelist()]
            declared = {name: _declared(archive, name) for name in wanted}
        total = sum(array.nbytes for array in declared.values())
        if total > MAX_ARRAY_BYTES:
            raise ValueError(f"all arrays together have at most {MAX_ARRAY_BYTES:,} bytes, got {total:,}")
        check(declared)
        file.seek(0)
        with np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in wanted}


def _check_directory(file: IO[bytes]) -> None:
    """Let an archive pass whose list of members is short: zipfile reads all of it at once."""
    size = file.seek(0, 2)
    if size > MAX_FILE_BYTES:
        raise ValueError(f"the file has at most {MAX_FILE_BYTES:,} bytes, got {size:,}")
    file.seek(max(0, size - END_BYTES - LOCATOR_BYTES))
    tail = file.read()
    end, locator = tail[-END_BYTES:], tail[:-END_BYTES]
    if not end.startswith(END_SIGNATURE) or locator.startswith(LOCATOR_SIGNATURE):
        raise ValueError("it does not end as a file of numpy's does")
    members, directory = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if members > MAX_MEMBERS or directory > MAX_DIRECTORY_BYTES:
        raise ValueError(f"the archive has at most {MAX_MEMBERS} members, got {members} in {directory:,} bytes")
    file.seek(0)


def _declared(archive: zipfile.ZipFile, name: str) -> DeclaredArray:
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed in a way that numpy does not pack arrays")
    try:
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            shape, _, dtype = HEADERS[version](file, max_header_size=MAX_HEADER)
            header = file.tell()
    except Exception as error:  # numpy has Python's own parser read the text, which raises whatever it likes
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{name} has a header that cannot be read ({type(error).__name__}: {reason})") from error
    array = DeclaredArray(shape, dtype)
    if dtype.hasobject or min(shape, default=1) < 0:
        raise ValueError(f"{name} must be an array of numbers, truths or text")
    if header + array.nbytes != member.file_size:
        raise ValueError(f"{name} must have as many bytes as its shape asks for, got {member.file_size - header:,}")
    return array
