"""Who is let in: a bounded number of questions at a time, of which one visitor has a part."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from vae_core.errors import BusyError

__all__ = ["Admission"]


class Admission:
    """Places for what is under way.

    Args:
        total: Places of all visitors together.
        own: Places that one visitor may have.
    """

    def __init__(self, total: int, own: int) -> None:
        self._total, self._own = total, own
        self._changing = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, visitor: str) -> Iterator[None]:
        """A place for as long as the block takes.

        Raises:
            BusyError: All are taken, or the visitor has as many as one may have.
        """
        self._take(visitor)
        try:
            yield
        finally:
            with self._changing:
                self._taken -= Counter([visitor])  # which keeps no zeros

    def _take(self, visitor: str) -> None:
        with self._changing:
            if self._taken[visitor] >= self._own:
                raise BusyError(f"the server is busy with {self._own} of your questions; try again shortly.")
            if self._taken.total() >= self._total:
                raise BusyError(f"the server is busy: {self._total} questions wait already; try again shortly.")
            self._taken[visitor] += 1
