"""Jobs that do what a test says, on a clock that goes when it says so."""

import itertools
import threading
from collections.abc import Callable

from app.services.work import JobKind, JobRequest
from vae_core.runtime.jobs import BackgroundJob

__all__ = ["Clock", "Stubborn", "Waiting", "request"]

SECONDS = 30  # that a thread is waited for at the most

_keys = itertools.count()


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Waiting(BackgroundJob[str]):
    """A job that takes a step, or ends, when it is told to; with an error it fails."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("work")
        self.error = error
        self.was_started = False
        self._told = threading.Semaphore(0)  # to go on
        self._done = threading.Semaphore(0)  # one more step
        self._working = threading.Event()
        self._finishing = False

    @property
    def is_at_work(self) -> bool:
        """Whether it is under way; it has said so by then."""
        if not self._thread.is_alive():
            return False
        assert self._working.wait(SECONDS)
        return True

    def start(self) -> "Waiting":
        self.was_started = True
        return super().start()

    def step(self) -> None:
        """Take one more step, after which it says how far it is."""
        self._told.release()
        assert self._done.acquire(timeout=SECONDS)

    def finish(self) -> None:
        self._finishing = True
        self._told.release()
        self.join()

    def join(self) -> None:
        """Wait until nothing of it is left."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    def _work(self) -> str | None:
        self._say("encoding", 0.25, "working")
        self._working.set()
        while True:
            self._told.acquire()
            if self._stopping.is_set():
                return None
            if self._finishing:
                break
            self._say("encoding", 0.25, "working")
            self._done.release()
        if self.error:
            raise self.error
        return "made"

    def _interrupt(self) -> None:
        self._told.release()


class Stubborn(Waiting):
    """A job that is in the middle of a long step when it is stopped."""

    def _interrupt(self) -> None:
        """Nothing ends it."""


def request(
    work: BackgroundJob[str],
    kind: JobKind = "export",
    key: str | None = None,
    present: Callable[[str], object] = str.upper,
) -> JobRequest:
    """A request for a job, unlike all others unless a key is given."""
    return JobRequest(kind, f"its own {next(_keys)}" if key is None else key, work, present)
