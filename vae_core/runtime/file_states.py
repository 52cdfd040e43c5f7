"""Whether files are still the ones that were read: the key under which what was made of them is kept."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["FileState", "file_states"]

FileState = tuple[str, int, int, int]  # path, bytes, time of the last change in ns, number in the file system


def file_states(paths: Iterable[Path]) -> tuple[FileState, ...]:
    """Path, size, time of change and inode of each file that is there, in the order given.

    A key for what is kept in memory, never an identity: a copy or a `touch` changes it, the content stays.
    """
    states = []
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue  # it is missing, or cannot be looked at: reading it says so
        states.append((str(path), found.st_size, found.st_mtime_ns, found.st_ino))
    return tuple(states)
