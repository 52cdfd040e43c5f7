"""Processes of our own modules: how they are started, how they ended, and one that answers requests."""

import os
import struct
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

__all__ = [
    "PACKAGE_ROOT",
    "HelperEndedError",
    "HelperProcess",
    "manner_of_end",
    "read_frame",
    "start_process",
    "write_frame",
]

PACKAGE_ROOT = Path(__file__).resolve().parents[2]  # where `python -m vae_core...` finds the package
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
LENGTH = struct.Struct("<Q")


def start_process(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a command that finds the package, computes with one thread, and is talked to over its input and output.

    Raises:
        OSError: It cannot be started.
    """
    return subprocess.Popen(  # noqa: S603 - our own modules
        command,
        cwd=PACKAGE_ROOT,
        env={**os.environ, **ONE_THREAD},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def manner_of_end(status: int) -> str:
    """How a process ended, in words."""
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def write_frame(channel: IO[bytes], content: bytes) -> None:
    """Write bytes with their number before them."""
    channel.write(LENGTH.pack(len(content)))
    channel.write(content)
    channel.flush()


def read_frame(channel: IO[bytes]) -> bytes | None:
    """The bytes that `write_frame` wrote; None where the channel ended."""
    head = channel.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    content = channel.read(size)
    return content if len(content) == size else None


class HelperEndedError(Exception):
    """A helper ended before it answered; the text says how."""


class HelperProcess:
    """A process that answers one request at a time; it starts with the first one, and again after it ended.

    Args:
        command: Starts it; it reads requests from its standard input and writes answers to its standard output, each as
            `write_frame` does, and ends where its input does.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process unless it runs.

        Raises:
            OSError: It cannot be started.
        """
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = start_process(self._command)

    def ask(self, request: bytes, seconds: float) -> bytes:
        """The answer to a request; asked by one thread at a time.

        Args:
            request: What the process reads.
            seconds: That it has; then it is ended.

        Raises:
            TimeoutError: It took longer.
            HelperEndedError: It ended by itself.
            OSError: It cannot be started.
        """
        self.start()
        process, late = self._process, threading.Event()
        assert process is not None  # noqa: S101 - it was started

        def end() -> None:
            late.set()
            process.kill()

        clock = threading.Timer(seconds, end)
        clock.daemon = True
        clock.start()
        try:
            answer = _exchange(process, request)
        finally:
            clock.cancel()
        if answer is not None and not late.is_set():
            return answer
        process.kill()
        status = process.wait()
        self.close()
        if late.is_set():
            raise TimeoutError(f"no answer within {seconds:.0f} s")
        raise HelperEndedError(manner_of_end(status))

    def close(self) -> None:
        """End the process, and wait until nothing of it is left."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(OSError):  # what was not written yet is written by nobody
                process.communicate()


def _exchange(process: "subprocess.Popen[bytes]", request: bytes) -> bytes | None:
    """What the process answers; None where it ended."""
    assert process.stdin is not None  # noqa: S101 - both were asked for
    assert process.stdout is not None  # noqa: S101
    with suppress(OSError):  # it ended: reading says so
        write_frame(process.stdin, request)
    return read_frame(process.stdout)
