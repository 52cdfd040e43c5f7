"""Jobs that go on in the background of a page: who starts one gets a random id, and asks by it for news and the result.

The server knows no visitor: an id is all that a job can be reached by. Results wait for a while and then go, so that
what nobody fetches does not stay.
"""

import atexit
import functools
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from vae_core.errors import BusyError
from vae_core.inference.engine import engine
from vae_core.runtime.jobs import BackgroundJob, JobState

__all__ = ["KEPT", "MAX_JOBS", "MAX_RUNNING", "MAX_WORKING", "JobKind", "Jobs", "jobs"]

KEPT = 600.0  # seconds that a job is remembered after its end
MAX_JOBS = 20  # in all: running, and with results that wait
MAX_RUNNING = 2  # of each kind
# Of each kind, with those that were stopped and whose threads are still at their last step: such as these must not keep
# out who switches off and on again, nor may they pile up.
MAX_WORKING = 2 * MAX_RUNNING
SWEEP_EVERY = 60.0  # seconds

JobKind = Literal["export", "refit", "training"]
Result = TypeVar("Result")


@dataclass
class _Entry:
    """A job that is remembered.

    Attributes:
        kind: Of the job.
        job: Itself; it holds its result.
        present: Makes of the result what the page is answered.
        ended: When it was first seen to have ended; None before that.
        fetched: Whether its result was asked for.
    """

    kind: JobKind
    job: BackgroundJob[Any]
    present: Callable[[Any], object]
    ended: float | None = None
    fetched: bool = False

    @property
    def can_give_way(self) -> bool:
        """Whether nobody is likely to miss it, and nothing of it is left."""
        at_rest = self.ended is not None and not self.job.is_working
        return at_rest and (self.fetched or self.job.state().phase != "done")


class Jobs:
    """All jobs of the process.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changing = threading.RLock()
        self._entries: dict[str, _Entry] = {}  # in the order in which they began
        self._timer: threading.Timer | None = None

    def begin(
        self, kind: JobKind, start: Callable[[], BackgroundJob[Result]], present: Callable[[Result], object]
    ) -> str:
        """Start a job and give the id by which it is asked for.

        Args:
            kind: Of the job.
            start: Starts and gives it; called when it is let in.
            present: Makes of the job's result what `result` gives.

        Raises:
            BusyError: There are as many jobs as there may be.
        """
        with self._changing:
            self._sweep()
            self._make_room(kind)
            entry = _Entry(kind, start(), present)
            name = secrets.token_urlsafe()
            self._entries[name] = entry
            self._watch()
        return name

    def state(self, name: str) -> JobState | None:
        """How far the job is; None where no job has this id, or its time is over."""
        entry = self._find(name)
        return None if entry is None else entry.job.state()

    def stop(self, name: str) -> JobState | None:
        """End the job, if it has not ended, and say how far it came; None where no job has this id."""
        entry = self._find(name)
        if entry is None:
            return None
        entry.job.stop()
        return entry.job.state()

    def result(self, name: str) -> object | None:
        """What the job made, as it is presented; None where no job has this id.

        Raises:
            BusyError: It is still at work.
            VAEExplorerError: It failed or was stopped.
        """
        entry = self._find(name)
        if entry is None:
            return None
        presented = entry.present(entry.job.result())
        entry.fetched = True
        return presented

    def close(self) -> None:
        """End all jobs, wait until nothing of them is left, and forget them."""
        with self._changing:
            entries, self._entries = list(self._entries.values()), {}
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for entry in entries:
            entry.job.stop()  # all at once, before any is waited for
        for entry in entries:
            entry.job.close()

    def _find(self, name: str) -> _Entry | None:
        with self._changing:
            self._sweep()
            return self._entries.get(name)

    def _sweep(self) -> None:
        """Note which jobs have ended, and forget those that did so long ago and of which nothing is left."""
        now = self._clock()
        for name, entry in list(self._entries.items()):
            if entry.ended is None and entry.job.state().ended:
                entry.ended = now
            if entry.ended is not None and now - entry.ended >= KEPT and not entry.job.is_working:
                del self._entries[name]

    def _make_room(self, kind: JobKind) -> None:
        self._check_kind(kind)
        if len(self._entries) < MAX_JOBS:
            return
        spare = next((name for name, entry in self._entries.items() if entry.can_give_way), None)
        if spare is None:
            raise BusyError(
                f"the server keeps at most {MAX_JOBS} jobs, each {KEPT / 60:.0f} minutes, and none of their results "
                "was fetched yet; try again later."
            )
        del self._entries[spare]

    def _check_kind(self, kind: JobKind) -> None:
        same = [entry for entry in self._entries.values() if entry.kind == kind]
        if (running := sum(entry.ended is None for entry in same)) >= MAX_RUNNING:
            raise BusyError(
                f"at most {MAX_RUNNING} jobs of a kind run at a time, and {running} of kind {kind} do; try again later."
            )
        if (working := sum(entry.job.is_working for entry in same)) >= MAX_WORKING:
            raise BusyError(
                f"at most {MAX_WORKING} jobs of a kind are at work, those that were stopped and end their last step "
                f"included, and {working} of kind {kind} are; try again in a few seconds."
            )

    def _watch(self) -> None:
        """See to it that jobs are forgotten even when nobody asks any more."""
        if self._timer is None and self._entries:
            self._timer = threading.Timer(SWEEP_EVERY, self._look_again)
            self._timer.daemon = True
            self._timer.start()

    def _look_again(self) -> None:
        with self._changing:
            self._timer = None
            self._sweep()
            self._watch()


_first_jobs = threading.Lock()


def jobs() -> Jobs:
    """The process's one list of jobs, ended when Python ends."""
    with _first_jobs:  # a cache alone would let two threads that come first make one each
        return _cached_jobs()


@functools.cache
def _cached_jobs() -> Jobs:
    engine()  # made before, it ends after: a job that decodes must not wait for a thread that is gone
    made = Jobs()
    atexit.register(made.close)
    return made
