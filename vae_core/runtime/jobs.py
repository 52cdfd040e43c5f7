"""Work that goes on while a person looks at something else: it says how far it is and can be stopped."""

import atexit
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, cast

from vae_core.errors import BusyError, VAEExplorerError
from vae_core.runtime.failures import for_the_person

__all__ = ["BackgroundJob", "JobState", "Phase"]

Phase = Literal["starting", "neighbours", "layout", "encoding", "done", "failed", "stopped"]
LAST_PHASES = ("done", "failed", "stopped")

Result = TypeVar("Result")
Packed = TypeVar("Packed")
Job = TypeVar("Job", bound="BackgroundJob[Any]")


@dataclass(frozen=True)
class JobState:
    """How far a job is.

    Attributes:
        phase: What the job does at present, or how it ended.
        share: Part of the whole job that is done, from 0 to 1; it never falls.
        message: Human-readable progress; the error's sentence if the job failed.
    """

    phase: Phase
    share: float
    message: str

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.phase in LAST_PHASES


class BackgroundJob(ABC, Generic[Result]):
    """A job in a thread of its own.

    A kind of job overrides `_work`, and `_interrupt` where it can be ended sooner than by looking at `_stopping`.

    Args:
        name: Name of the thread.

    Attributes:
        on_news: Called in the job's thread after each report of progress; may stop the job.
        on_end: Called in the job's thread once, as the last thing that it does.
    """

    def __init__(self, name: str) -> None:
        self.on_news: Callable[[], None] = _do_nothing
        self.on_end: Callable[[], None] = _do_nothing
        self._pack: Callable[[Any], Any] | None = None
        self._changing = threading.Lock()
        self._state = JobState("starting", 0.0, "starting")
        self._stopping = threading.Event()
        self._result: Result | None = None
        self._thread = threading.Thread(target=self._run, name=f"vae-{name}", daemon=True)
        _jobs.add(self)

    def start(self: Job) -> Job:
        """Begin, once; returns itself."""
        self._thread.start()
        return self

    def then(self, pack: Callable[[Result], Packed]) -> "BackgroundJob[Packed]":
        """Pass the result through a function in the job's thread before the job is done; call it before `start`."""
        self._pack = pack
        return cast("BackgroundJob[Packed]", self)

    def state(self) -> JobState:
        """How far the job is, without waiting."""
        return self._state

    def stop(self) -> None:
        """Cancel the job: `state` says "stopped" at once, the thread may need until its next step.

        A job that has ended stays as it is.
        """
        if self._end("stopped", "stopped"):
            self._stopping.set()
            self._interrupt()

    def close(self) -> None:
        """Stop, and wait until nothing of it is left."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join()

    def result(self) -> Result:
        """What it made.

        Raises:
            BusyError: It is still at work.
            VAEExplorerError: It failed or was stopped.
        """
        state = self.state()
        if not state.ended:
            raise BusyError(f"the result is there once the job is done, now it is {state.phase}; ask again later.")
        if state.phase != "done" or self._result is None:
            raise VAEExplorerError(f"a job that {state.phase} has no result ({state.message}); start it again.")
        return self._result

    def __enter__(self: Job) -> Job:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def _work(self) -> Result | None:
        """Do it, in the job's thread; None where `_stopping` ended it."""

    def _interrupt(self) -> None:
        """Make `_work` return soon; called once, by the thread that stops."""

    def _say(self, phase: Phase, share: float, message: str) -> None:
        """Report how far the job is; the state of one that has ended stays."""
        with self._changing:
            if self._state.ended:
                return
            self._state = JobState(phase, max(share, self._state.share), message)
        self.on_news()

    def _end(self, phase: Literal["failed", "stopped"], message: str) -> bool:
        """End without a result; false where it had ended."""
        with self._changing:
            if self._state.ended:
                return False
            self._state = JobState(phase, self._state.share, message)
            return True

    def _run(self) -> None:
        try:
            self._try()
        finally:
            self.on_end()

    def _try(self) -> None:
        try:
            result = self._work()
            packed = result if result is None or self._pack is None else self._pack(result)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who ask must hear that nothing comes
            self._end("failed", str(for_the_person(error, self._thread.name)))
        else:
            self._finish(packed)

    def _finish(self, result: Result | None) -> None:
        with self._changing:
            if self._state.ended:
                return
            self._result = result
            share = self._state.share
            self._state = JobState("stopped", share, "stopped") if result is None else JobState("done", 1.0, "done")


def _do_nothing() -> None:
    """What a job calls that nobody listens to."""


_jobs: weakref.WeakSet[BackgroundJob[Any]] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """A thread that computes, or a process that is waited for, must not outlive Python."""
    for job in list(_jobs):
        job.close()
