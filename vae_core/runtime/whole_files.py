"""Files written whole or not at all: whoever reads the name meanwhile finds the old content or the new one."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["flush_folder", "remove_unfinished", "write_text_whole", "written_whole"]


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield the name of an empty file beside `path`, which takes its place when the block ends without an error.

    The content has reached the disk by then, and the file may be read by whoever may read its neighbours. After an
    error, or when the process is killed, `path` is as it was.

    Args:
        path: the file to write, in a folder that exists.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        temporary.touch(exist_ok=False)
        mode = temporary.stat().st_mode  # some writers make a file of their own that nobody else may read
        yield temporary
        temporary.chmod(mode)
        _flush(temporary)
        temporary.replace(path)
        flush_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text_whole(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all.

    Raises:
        OSError: As for `written_whole`.
    """
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_unfinished(path: Path) -> None:
    """Remove what killed writers of `path` left beside it; only for one who knows that nobody writes it now."""
    rule = re.compile(rf"\.{re.escape(path.name)}\.\d+-[0-9a-f]+\.part")
    for unfinished in [other for other in path.parent.iterdir() if rule.fullmatch(other.name)]:
        with suppress(OSError):
            unfinished.unlink()


def flush_folder(folder: Path) -> None:
    """Let a folder's names reach the disk, where the operating system can be asked for that."""
    if os.name == "posix":
        _flush(folder, os.O_RDONLY)


def _flush(path: Path, flags: int = os.O_RDWR) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
