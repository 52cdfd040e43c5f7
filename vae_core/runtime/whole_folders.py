"""Folders replaced as a whole: the new one is written beside the old one and swapped in by two renames.

1. The new content is written into ``.NAME.vae-explorer-new-...``.
2. NAME is renamed to its twin, ``.NAME.vae-explorer-old``.
3. The new folder is renamed to NAME.
4. What the program did not write is moved from the twin to NAME; the rest of the twin is removed.

A process that ends between 2 and 3 leaves no NAME, but the twin: `put_back` gives it its name again. One that ends
later leaves NAME whole and a twin: `settle` does 4. Writers and those who put right hold a lock meanwhile.
"""

import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from vae_core.runtime.locks import locked
from vae_core.runtime.whole_files import flush_folder

__all__ = ["folder_names", "put_back", "read_whole", "replaced_whole", "settle"]

LOCK, NEW, OLD = "vae-explorer-lock", "vae-explorer-new", "vae-explorer-old"
PATIENCE_SECONDS = 30.0  # for another writer of the same folder, which holds the lock while it writes some megabytes
READINGS = 100  # of a folder that is replaced again and again

Read = TypeVar("Read")


@contextmanager
def replaced_whole(folder: Path, *, ours: Collection[str], keep: Collection[str] = ()) -> Iterator[Path]:
    """Yield a new folder beside `folder`, which takes its place when the block ends without an error.

    Args:
        folder: to replace or to make.
        ours: names of the files that the program writes there. What else lies in `folder` is somebody's own: it
            is in the new folder afterwards.
        keep: those of `ours` that are in the new folder from the beginning, as they are in the old one.

    Raises:
        OSError: A folder or file cannot be written, another writer is not done in time, or a folder lies where
            one of `ours` goes. The old folder is then as it was.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder, PATIENCE_SECONDS):
        _settle(folder, ours)
        _check_files(folder, ours)
        new = folder.with_name(f".{folder.name}.{NEW}-{os.getpid()}-{secrets.token_hex(4)}")
        try:
            new.mkdir()
            _take_along(folder, new, keep)
            yield new
            flush_folder(new)
            _swap(folder, new)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        _move_in(_twin(folder), folder, ours)


def settle(folder: Path, ours: Collection[str]) -> None:
    """Put right what a writer left that was killed; does nothing where none was, or another process is at it.

    Args:
        folder: that may have a twin.
        ours: names of the files that the program writes there.
    """
    _put_right(folder, lambda absolute: _settle(absolute, ours))


def put_back(folder: Path) -> None:
    """Give the twin its name again where `folder` is missing, for one who reads and does not know what is whose."""
    if not os.path.exists(folder):  # noqa: PTH110 - Path's own raises where a name is too long or a parent closed
        _put_right(folder, _put_back)


def folder_names(parent: Path) -> set[str]:
    """Names of all that lies in `parent`, with those of folders that are being replaced or were set aside."""
    if not parent.is_dir():
        return set()
    names = {path.name for path in parent.iterdir()}
    rule = re.compile(rf"\.(.+)\.(?:{re.escape(LOCK)}|{re.escape(OLD)})")  # the lock is there before any rename
    return names | {match[1] for match in map(rule.fullmatch, names) if match}


def read_whole(folder: Path, read: Callable[[], Read]) -> Read:
    """What `read` gives of a folder that was not replaced meanwhile: of two states of its files it never sees both.

    Args:
        folder: that is read.
        read: opens files of the folder by their names; called again when the folder was replaced.

    Raises:
        Whatever `read` raises while the folder stays.
    """
    for _ in range(READINGS - 1):
        put_back(folder)
        before = _identity(folder)
        try:
            result = read()
        except Exception:  # whatever it is: a file that was read half before and half after
            if _identity(folder) == before:
                raise
        else:
            if _identity(folder) == before:
                return result
    return read()


def _put_right(folder: Path, repair: Callable[[Path], None]) -> None:
    with suppress(OSError, RuntimeError, ValueError):  # no path at all, or one where the account may only read
        absolute = folder.resolve()
        if _twin(absolute).is_dir():
            # Where the folder is missing a writer may be between its two renames: that takes no time.
            with _locked(absolute, 0 if absolute.exists() else PATIENCE_SECONDS):
                repair(absolute)


def _settle(folder: Path, ours: Collection[str]) -> None:
    _put_back(folder)
    if _twin(folder).is_dir():
        _move_in(_twin(folder), folder, ours)
    rule = re.compile(rf"\.{re.escape(folder.name)}\.{NEW}-\d+-[0-9a-f]+")
    for unfinished in [path for path in folder.parent.iterdir() if rule.fullmatch(path.name)]:
        shutil.rmtree(unfinished, ignore_errors=True)


def _put_back(folder: Path) -> None:
    if _twin(folder).is_dir() and not folder.exists():
        _twin(folder).rename(folder)


def _take_along(folder: Path, new: Path, keep: Collection[str]) -> None:
    for name in keep:
        if (folder / name).is_file():
            try:
                (new / name).hardlink_to(folder / name)  # files are replaced, never written to
            except OSError:  # the file system knows no second names
                shutil.copy2(folder / name, new / name)


def _swap(folder: Path, new: Path) -> None:
    twin = _twin(folder)
    if folder.exists():
        shutil.copymode(folder, new)
        folder.rename(twin)
    try:
        new.rename(folder)
    except OSError:
        _put_back(folder)
        raise
    flush_folder(folder.parent)


def _move_in(twin: Path, folder: Path, ours: Collection[str]) -> None:
    """Move what is somebody's own into the folder, then remove the twin; what cannot be moved stays in it."""
    if not twin.is_dir():
        return
    for path in list(twin.iterdir()):
        if path.name in ours and not path.is_dir():
            path.unlink()
        elif not (folder / path.name).exists():
            path.rename(folder / path.name)
    with suppress(OSError):
        twin.rmdir()


def _check_files(folder: Path, ours: Collection[str]) -> None:
    for name in ours:
        if (folder / name).is_dir():
            raise IsADirectoryError(f"{folder / name} is a folder where a file of the program goes")


@contextmanager
def _locked(folder: Path, patience: float) -> Iterator[None]:
    """Hold the folder's lock.

    Raises:
        OSError: Another process has it for longer than `patience` seconds, or its file cannot be written.
    """
    with locked(folder.with_name(f".{folder.name}.{LOCK}"), patience=patience):
        yield


def _twin(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{OLD}")


def _identity(folder: Path) -> tuple[int, int, int] | None:
    """What tells a folder from the one that took its place: a file system gives a number again at once."""
    try:
        state = folder.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino, state.st_ctime_ns
