"""What is asked for in the background, and by whom: pieces of work, and visitors' tickets for them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from vae_core.runtime.jobs import BackgroundJob, JobState

__all__ = ["JobKind", "JobRequest", "JobsLimits", "Ticket", "Work", "fair_order", "fingerprint", "given_up_first"]

JobKind = Literal["export", "refit", "training"]


@dataclass(frozen=True)
class JobsLimits:
    """How much the server does and keeps.

    Attributes:
        at_work: Jobs of a kind that are done at a time; of one visitor only one, so that two long ones block nobody.
        own: Jobs of a kind that one visitor may have in the queue, the one at work included.
        queued: Jobs of a kind that all visitors together may have in the queue.
        left_after: Seconds without a question for news after which a visitor counts as gone; a browser lets a page in
            the background ask once a minute.
        kept: Seconds for which a result is kept after it was last asked for.
        result_bytes: Bytes of all results together.
        least_bytes: Bytes that a small result counts for, so that the number of results is bounded as well.
        tickets: Tickets that one visitor may hold, those of jobs that have ended included.
    """

    at_work: Mapping[JobKind, int] = field(default_factory=lambda: {"export": 2, "refit": 1, "training": 1})
    own: int = 4
    queued: int = 64
    left_after: float = 150.0
    kept: float = 600.0
    result_bytes: int = 256 * 2**20
    least_bytes: int = 4 * 2**20
    tickets: int = 100


@dataclass(frozen=True, eq=False)
class JobRequest:
    """A job that somebody asks for.

    Attributes:
        kind: Queue in which the job waits.
        key: What the result depends on (see `fingerprint`): jobs of a kind with equal keys are one.
        job: The job, not started yet; it makes bytes or an array.
        present: Makes of the result what the page is answered, each time that the page asks for it.
    """

    kind: JobKind
    key: str
    job: BackgroundJob[Any]
    present: Callable[[Any], object]


@dataclass(eq=False)
class Work:
    """What is done once for all who hold a ticket for it.

    Attributes:
        kind: Queue in which the work waits.
        key: What the result depends on.
        owner: Visitor who asked first, for whom the result counts.
        job: The job; None once its thread has ended, since a job holds what it was made from.
        used: When somebody last asked for the work or its result.
        tickets: Those who want it, or wanted it.
        began: Whether the job was started.
        state: How the job ended; before that, how far it was when last looked at.
        made: The result.
    """

    kind: JobKind
    key: str
    owner: str
    job: BackgroundJob[Any] | None
    used: float
    tickets: list["Ticket"] = field(default_factory=list)
    began: bool = False
    state: JobState = field(default_factory=lambda: JobState("starting", 0.0, "starting"))
    made: Any = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.job is None

    @property
    def waits(self) -> bool:
        """Whether it is in its queue still."""
        return not self.began and not self.is_over


@dataclass(eq=False)
class Ticket:
    """One visitor's claim to a piece of work.

    Attributes:
        visitor: Who asked.
        work: What for.
        present: Makes of the result what this page is answered.
        asked: When the visitor last asked for news.
        stopped: Whether the visitor gave it up.
    """

    visitor: str
    work: Work
    present: Callable[[Any], object]
    asked: float
    stopped: bool = False


def fair_order(tickets: Iterable[Ticket], turns: Mapping[str, int]) -> list[Work]:
    """The works of some tickets: the first of each visitor, then the second of each, and so on.

    Within a round those come first who were not served for longest, then who asked first.

    Args:
        tickets: In the order of asking.
        turns: Number of the turn in which a visitor was last served; of those who never were there is none.
    """
    rank: dict[Work, tuple[int, int]] = {}  # round, last turn
    rounds: Counter[str] = Counter()
    for ticket in tickets:
        own = (rounds[ticket.visitor], turns.get(ticket.visitor, 0))
        rank[ticket.work] = min(rank.get(ticket.work, own), own)
        rounds[ticket.visitor] += 1
    return sorted(rank, key=rank.__getitem__)  # works of one rank stay in their order


def given_up_first(done: Collection[Work], newest: Work, limits: JobsLimits) -> list[Work]:
    """Which results to give up so that all others fit: of the visitor whose results take most, the longest unused.

    Args:
        done: Works with results, the longest unused first.
        newest: Stays, since somebody waits for it, though it may be too large alone.
        limits: How much may be kept.
    """
    cost = {work: max(_size(work.made), limits.least_bytes) for work in done}
    given_up = []
    while sum(cost.values()) > limits.result_bytes and cost.keys() - {newest}:
        owned: Counter[str] = Counter()
        for work, size in cost.items():
            owned[work.owner] += size
        spare = [work for work in cost if work is not newest]
        victim = max(spare, key=lambda work: owned[work.owner])  # the first of equals
        given_up.append(victim)
        del cost[victim]
    return given_up


def _size(made: Any) -> int:
    return made.nbytes if isinstance(made, np.ndarray) else len(made)


def fingerprint(*parts: object) -> str:
    """A text that two lists of parts share only when they are equal: arrays by their values, all others by repr."""
    digest = hashlib.sha256()
    for part in parts:
        told = repr((part.dtype.str, part.shape) if isinstance(part, np.ndarray) else part).encode()
        values = part.tobytes() if isinstance(part, np.ndarray) else b""
        digest.update(b"%d %d " % (len(told), len(values)) + told + values)
    return digest.hexdigest()
