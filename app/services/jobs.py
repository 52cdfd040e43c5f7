"""Jobs that go on in the background of a page: a queue for each kind, fair to every visitor, and what was made for all.

Who asks for a job gets a ticket, a random id, and asks by it for news and the result. Equal jobs are one: the work is
done once for all who ask, and what it made is there at once for those who come later. Work that nobody wants any more,
since all who asked stopped it or ask for no news, is ended.
"""

import atexit
import functools
import itertools
import secrets
import threading
import time
from collections.abc import Callable

from app.services.work import JobKind, JobRequest, JobsLimits, Ticket, Work, fair_order, given_up_first
from vae_core.errors import BusyError, GoneError, VAEExplorerError
from vae_core.inference.engine import engine
from vae_core.runtime.jobs import JobState

__all__ = ["Jobs", "jobs"]


class Jobs:
    """All jobs of the process.

    Args:
        clock: Seconds that never go back.
        limits: How much is done and kept.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, limits: JobsLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or JobsLimits()
        self._changing = threading.RLock()
        self._tickets: dict[str, Ticket] = {}  # by id, in the order of asking
        self._shared: dict[tuple[JobKind, str], Work] = {}  # what new tickets may join, the longest unused first
        self._at_work: list[Work] = []  # whose threads run, stopped ones included
        self._served = itertools.count(1)  # turns
        self._turns: dict[JobKind, dict[str, int]] = {kind: {} for kind in self._limits.at_work}

    def begin(self, request: JobRequest, visitor: str) -> str:
        """Queue a job, or join an equal one; gives the id by which the visitor asks for news and the result.

        Args:
            request: The job.
            visitor: Who asks; each visitor has a fair place.

        Raises:
            BusyError: The visitor has as many jobs of the kind in the queue as one may have, or the queue is full.
        """
        with self._changing:
            self._tidy()
            work = self._shared.get((request.kind, request.key)) or self._new_work(request, visitor)
            self._use(work)
            ticket = Ticket(visitor, work, request.present, self._clock())
            work.tickets.append(ticket)
            name = secrets.token_urlsafe()
            self._tickets[name] = ticket
            self._forget_old(visitor)
            self._start_next(request.kind)
        return name

    def state(self, name: str) -> JobState:
        """How far a job is.

        Raises:
            GoneError: No job has this id, or its time is over.
        """
        with self._changing:
            return self._state_of(self._find(name))

    def stop(self, name: str) -> JobState:
        """Give a job up, and say how far it came; it ends unless somebody else wants it as well.

        Raises:
            GoneError: No job has this id, or its time is over.
        """
        with self._changing:
            ticket = self._find(name)
            if not self._state_of(ticket).ended:
                ticket.stopped = True
                self._end_unwanted(ticket.work)
            return self._state_of(ticket)

    def result(self, name: str) -> object:
        """What a job made, as it is presented.

        Raises:
            GoneError: No job has this id, or its time is over.
            BusyError: It is still at work.
            VAEExplorerError: It failed or was stopped.
        """
        with self._changing:
            ticket = self._find(name)
            state, work = self._state_of(ticket), ticket.work
            if not state.ended:
                raise BusyError(f"the result is there once the job is done, now it is {state.phase}; ask again later.")
            if state.phase != "done":
                raise VAEExplorerError(f"a job that {state.phase} has no result ({state.message}); start it again.")
            self._use(work)
            made = work.made if work.job is None else work.job.result()
        return ticket.present(made)

    def close(self) -> None:
        """End all jobs, wait until nothing of them is left, and forget them."""
        with self._changing:
            under_way = [work.job for work in self._at_work if work.job is not None]
            self._tickets, self._shared = {}, {}
            for job in under_way:
                job.stop()  # all at once, before any is waited for
        for job in under_way:
            job.close()

    # -- the queue -------------------------------------------------------------------------------------------------

    def _new_work(self, request: JobRequest, visitor: str) -> Work:
        queued = [work for work in self._shared.values() if work.kind == request.kind and not work.is_over]
        if sum(visitor in self._wanting(work) for work in queued) >= self._limits.own:
            raise BusyError(
                f"one visitor has at most {self._limits.own} jobs of kind {request.kind} under way; wait for one of "
                "yours or stop it."
            )
        if len(queued) >= self._limits.queued:
            raise BusyError(f"{len(queued)} jobs of kind {request.kind} wait already; try again in a few minutes.")
        work = Work(request.kind, request.key, visitor, request.job, self._clock())
        request.job.on_news = functools.partial(self._look_after, work)
        request.job.on_end = functools.partial(self._ended, work)
        self._shared[request.kind, request.key] = work
        return work

    def _start_next(self, kind: JobKind) -> None:
        """Start what may start now, in its fair order."""
        for work in self._waiting(kind):
            busy = [each for each in self._at_work if each.kind == kind]
            if len(busy) >= self._limits.at_work[kind]:
                return
            served = {visitor for each in busy for visitor in self._wanting(each)}
            if work.job is not None and not self._wanting(work) <= served:
                work.began = True
                self._turns[kind] |= dict.fromkeys(self._wanting(work), next(self._served))
                self._at_work.append(work)
                work.job.start()

    def _waiting(self, kind: JobKind) -> list[Work]:
        """What waits, in its fair order."""
        waiting = [each for each in self._tickets.values() if each.work.kind == kind and each.work.waits]
        return fair_order(filter(self._wants, waiting), self._turns[kind])

    def _ended(self, work: Work) -> None:
        """Called by a job's thread as the last thing that it does."""
        with self._changing:
            self._at_work.remove(work)
            self._close_work(work)
            self._start_next(work.kind)

    def _close_work(self, work: Work) -> None:
        """Keep how the job ended and what it made, not the job."""
        if work.job is None:
            return
        work.state = work.job.state()
        if work.state.phase == "done":
            work.made = work.job.result()
            self._use(work)
            self._make_room(work)
        else:
            self._part_with(work)
        work.job = None

    # -- who wants what --------------------------------------------------------------------------------------------

    def _wants(self, ticket: Ticket) -> bool:
        return not ticket.stopped and self._clock() - ticket.asked < self._limits.left_after

    def _wanting(self, work: Work) -> set[str]:
        """The visitors who want it."""
        return {ticket.visitor for ticket in work.tickets if self._wants(ticket)}

    def _look_after(self, work: Work) -> None:
        """Called by a job's thread after each step."""
        with self._changing:
            self._end_unwanted(work)

    def _end_unwanted(self, work: Work) -> None:
        if work.job is None or self._wanting(work):
            return
        work.job.stop()
        self._part_with(work)
        if not work.began:
            self._close_work(work)

    def _part_with(self, work: Work) -> None:
        """Let nobody join it any more: who asks for the same gets new work."""
        if self._shared.get((work.kind, work.key)) is work:
            del self._shared[work.kind, work.key]

    def _use(self, work: Work) -> None:
        """Note that it was asked for: it is given up last."""
        work.used = self._clock()
        if self._shared.get((work.kind, work.key)) is work:
            self._shared[work.kind, work.key] = self._shared.pop((work.kind, work.key))

    # -- tickets and results -----------------------------------------------------------------------------------------

    def _find(self, name: str) -> Ticket:
        ticket = self._tickets.get(name)
        if ticket is None or self._is_old(ticket):
            raise GoneError("the server has forgotten this work; start it again.")
        ticket.asked = self._clock()
        return ticket

    def _state_of(self, ticket: Ticket) -> JobState:
        work = ticket.work
        state = work.state if work.job is None else work.job.state()
        if ticket.stopped:
            return JobState("stopped", state.share, "stopped")
        if not work.waits:
            return state
        before = self._waiting(work.kind).index(work) + sum(each.kind == work.kind for each in self._at_work)
        return JobState("starting", 0.0, f"waiting: {before} before this one")

    def _tidy(self) -> None:
        """End what nobody wants any more, and forget what was not asked for in a long time."""
        now = self._clock()
        for work in list(self._shared.values()):
            self._end_unwanted(work)
            if work.is_over and now - work.used >= self._limits.kept:
                self._give_up(work)
        for name in [name for name, ticket in self._tickets.items() if self._is_old(ticket)]:
            self._forget(name)
        present = {ticket.visitor for ticket in self._tickets.values()}
        for turns in self._turns.values():
            for visitor in turns.keys() - present:
                del turns[visitor]

    def _is_old(self, ticket: Ticket) -> bool:
        return ticket.work.is_over and self._clock() - ticket.asked >= self._limits.kept

    def _make_room(self, newest: Work) -> None:
        done = [work for work in self._shared.values() if work.state.phase == "done"]
        for work in given_up_first(done, newest, self._limits):
            self._give_up(work)

    def _give_up(self, work: Work) -> None:
        """Forget a result and all tickets for it."""
        self._part_with(work)
        for name in [name for name, ticket in self._tickets.items() if ticket.work is work]:
            self._forget(name)

    def _forget_old(self, visitor: str) -> None:
        """Let a visitor have no more tickets than one may have."""
        own = [name for name, ticket in self._tickets.items() if ticket.visitor == visitor]
        for name in own[: max(0, len(own) - self._limits.tickets)]:
            self._forget(name)

    def _forget(self, name: str) -> None:
        ticket = self._tickets.pop(name)
        ticket.work.tickets.remove(ticket)
        self._end_unwanted(ticket.work)


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
