"""Work for clients who may leave before it is their turn."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from starlette.types import Message

__all__ = ["ClientLeft", "unless_left"]

Made = TypeVar("Made")


class ClientLeft(Exception):  # noqa: N818 -- no error: nobody is there to answer
    """The client left before the answer was there."""


async def unless_left(executor: Executor, work: Callable[[], Made], coming: "asyncio.Future[Message]") -> Made:
    """What some work makes in an executor's thread; work that has not begun when the client leaves never does.

    Args:
        executor: Has the thread.
        work: What to do.
        coming: The next message of the client, which may be that it left; taken as it is, never cancelled.

    Raises:
        ClientLeft: The client is gone.
    """
    made = asyncio.wrap_future(executor.submit(work))
    both: set[asyncio.Future[Any]] = {made, coming}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if not made.done() and coming.result()["type"].endswith(".disconnect"):
        made.cancel()  # and with it the work, unless it has begun
        raise ClientLeft
    return await made
