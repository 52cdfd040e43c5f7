"""Who asks: the sessions that are open now, known by the random token that each one's page was given.

A place in a queue belongs to a visitor. Whoever asks without the token of an open session, a program for instance,
shares the one place of all who do.
"""

import weakref

__all__ = ["ANONYMOUS", "VISITOR_HEADER", "Visitors", "visitors"]

ANONYMOUS = ""
VISITOR_HEADER = "x-visitor"  # of a question: the session's token


class Visitors:
    """The open sessions by their tokens; one that ended is forgotten with its memory."""

    def __init__(self) -> None:
        self._sessions: weakref.WeakValueDictionary[str, object] = weakref.WeakValueDictionary()

    def welcome(self, token: str, session: object) -> None:
        """Know the token for as long as the session's memory is held by somebody else."""
        self._sessions[token] = session

    def known(self, token: str | None) -> str:
        """The token, when it is that of an open session; else `ANONYMOUS`."""
        return token if token is not None and token in self._sessions else ANONYMOUS


_VISITORS = Visitors()


def visitors() -> Visitors:
    """The process's one book of visitors."""
    return _VISITORS
