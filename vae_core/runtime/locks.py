"""Locks between processes, each of them a file; a process that is killed lets go of those that it held."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["locked"]


@contextmanager
def locked(file: Path, *, patience: float) -> Iterator[None]:
    """Hold a lock while the block runs.

    Args:
        file: the lock's file, in a folder that exists; it stays there afterwards.
        patience: seconds to wait for another process, or another thread, that has it.

    Raises:
        TimeoutError: Another has the lock for longer than that.
        OSError: The file cannot be written.
    """
    lock = FileLock(file, timeout=patience)
    try:
        lock.acquire()
    except Timeout as error:
        raise TimeoutError(f"{file} is held by another process") from error
    try:
        yield
    finally:
        lock.release()
