"""The process that `decoding` starts: a picture file on its standard input, a reduced copy on its standard output.

It imports Pillow and NumPy alone, so that it starts in a quarter of a second.
"""

import contextlib
import os
import struct
import sys

from vae_core.errors import ImageError
from vae_core.images.copies import reduced_copy
from vae_core.images.files import open_picture
from vae_core.runtime.processes import read_frame, write_frame

__all__ = ["COPIED", "REFUSED", "main", "pack_request"]

COPIED, REFUSED = b"\x00", b"\x01"  # first byte of an answer: then comes a file, or a sentence
NICENESS = 5  # of 19: live pictures come first
NAME = struct.Struct("<I")


def pack_request(name: str, data: bytes) -> bytes:
    """A picture as the process reads it.

    Args:
        name: What messages call the picture.
        data: The file's content.
    """
    written = name.encode(errors="replace")
    return NAME.pack(len(written)) + written + data


def main() -> None:
    """Answer requests until there are no more."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)
    limit_memory(int(sys.argv[1]))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a decoder prints is no answer
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        while (request := read_frame(sys.stdin.buffer)) is not None:
            write_frame(answers, answer(request))


def limit_memory(size: int) -> None:
    """Let this process have so many bytes of address space, where the system can be told so."""
    try:
        import resource
    except ImportError:  # on Windows the clock is all there is
        return
    with contextlib.suppress(ValueError, OSError):  # a lower limit is set already, or the system takes none
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def answer(request: bytes) -> bytes:
    """The copy of a picture, or why there is none."""
    (length,) = NAME.unpack_from(request)
    end = NAME.size + length
    name = request[NAME.size : end].decode()
    try:
        return COPIED + reduced_copy(open_picture(request[end:], name=name))
    except ImageError as error:
        return REFUSED + str(error).encode(errors="replace")
    except MemoryError:
        return REFUSED + f"{name} must fit the memory, got a picture that does not; make it smaller.".encode()


if __name__ == "__main__":
    main()
