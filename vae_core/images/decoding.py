"""Picture files from strangers, opened in processes of their own with a clock and a limit of memory.

A few kilobytes can keep a decoder busy for minutes or fill the memory, and no thread that decodes can be stopped. So
pictures are decoded elsewhere, a few at a time for everybody together, and come back as a reduced copy.
"""

import atexit
import functools
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vae_core.errors import BusyError, ImageError
from vae_core.images.decoding_worker import REFUSED, pack_request
from vae_core.runtime.failures import unforeseen
from vae_core.runtime.processes import HelperEndedError, HelperProcess

__all__ = ["Decoders", "decoders"]

HELPERS = 2  # at a time: while one is busy with a hostile picture, the other goes on
SECONDS = 20.0  # for one picture: the largest takes 2 to 5 on a busy core
# Of address space for one: the largest in the deepest mode takes 1,120 MiB.
MEMORY = 1280 * 2**20
WAITING, WAIT_SECONDS = 64, 120.0  # pictures that wait, and how long one does

COMMAND = (sys.executable, "-W", "ignore", "-m", "vae_core.images.decoding_worker", str(MEMORY))


class Decoders:
    """Processes that open pictures.

    Args:
        command: Starts one.
        helpers: How many there are at the most; one starts when it is needed.
        seconds: That one picture has.
    """

    def __init__(self, command: Sequence[str] = COMMAND, *, helpers: int = HELPERS, seconds: float = SECONDS) -> None:
        self._helpers = [HelperProcess(command) for _ in range(helpers)]
        self._idle: queue.LifoQueue[HelperProcess] = queue.LifoQueue()  # the one that runs already comes first
        for helper in self._helpers:
            self._idle.put(helper)
        self._places = threading.BoundedSemaphore(helpers + WAITING)
        self._seconds = seconds

    def warm_up(self) -> None:
        """Start one process, so that the first picture need not wait for that."""
        with self._helper() as helper:
            helper.start()

    def reduced_copy(self, data: bytes, *, name: str = "the picture") -> bytes:
        """A copy of the picture in a file from outside, as `vae_core.images.copies.reduced_copy` makes it.

        Args:
            data: The file's content.
            name: What an error message calls the picture.

        Raises:
            ImageError: The file is none that `vae_core.images.files.open_picture` opens, or it takes too much time or
                memory.
            BusyError: Too many pictures wait.
            InternalError: No process can be started.
        """
        with self._helper() as helper:
            try:
                answer = helper.ask(pack_request(name, data), self._seconds)
            except TimeoutError as error:
                raise ImageError(
                    f"{name} must be a picture that is decoded in {self._seconds:.0f} s, got one that takes longer; "
                    "save it again as PNG or JPEG."
                ) from error
            except HelperEndedError as error:
                raise ImageError(
                    f"{name} must be an intact picture, got one that ended its decoder ({error}); save it again as PNG "
                    "or JPEG."
                ) from error
            except OSError as error:
                raise unforeseen(error, "starting a decoder of pictures") from error
        if answer[:1] == REFUSED:
            raise ImageError(answer[1:].decode())
        return answer[1:]

    def close(self) -> None:
        """End the processes."""
        for helper in self._helpers:
            helper.close()

    @contextmanager
    def _helper(self) -> Iterator[HelperProcess]:
        if not self._places.acquire(blocking=False):
            raise BusyError(f"the server is busy: {WAITING} pictures wait already; add this one again shortly.")
        try:
            helper = self._idle.get(timeout=WAIT_SECONDS)
        except queue.Empty as error:
            raise BusyError("the server is busy with other pictures; add this one again shortly.") from error
        else:
            try:
                yield helper
            finally:
                self._idle.put(helper)
        finally:
            self._places.release()


@functools.cache
def decoders() -> Decoders:
    """The process's one set of decoders."""
    made = Decoders()
    atexit.register(made.close)
    return made
