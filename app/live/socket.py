"""The live socket: one page's questions about one model, answered in order until the page leaves."""

import asyncio
import functools
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.live.answers import answer
from app.live.guards import is_same_origin
from app.live.pools import pool
from app.live.presence import ClientLeft, unless_left
from app.live.shown_models import ShownModel
from app.wire.protocol import Kind, Question, unpack_question
from vae_core.errors import BusyError, InputError, VAEExplorerError
from vae_core.inference.engine import engine
from vae_core.runtime.failures import unforeseen

__all__ = ["LIVE_THREADS", "live_socket"]

LIVE_THREADS = 16  # they mostly wait for the engine; enough for a class room's pages
PATH_THREADS = 4  # of their own, so that one code never waits behind hundreds
REFUSED = 1008  # policy violation: the page must not send the same question again
TRY_LATER = 1013
MAX_REASON = 123  # bytes that a close frame holds beside its number


async def live_socket(socket: WebSocket) -> None:
    """Answer one page's questions about one model, in order, until it leaves."""
    if not is_same_origin(socket.headers.get("origin"), socket.headers.get("host")):
        await socket.close()  # before accepting: the browser sees HTTP 403
        return
    await socket.accept()
    try:
        await _answer_all(socket, ShownModel.of_request(socket.path_params, socket.query_params))
    except (WebSocketDisconnect, ClientLeft):
        return
    except BusyError as error:
        await socket.close(TRY_LATER, _reason(error))
    except VAEExplorerError as error:
        await socket.close(REFUSED, _reason(error))
    except Exception as error:  # noqa: BLE001 - the page must hear that no answer comes, and not ask again
        await socket.close(REFUSED, _reason(unforeseen(error, f"a live question about {socket.path_params['model']}")))


async def _answer_all(socket: WebSocket, asked: ShownModel) -> None:
    loop, threads = asyncio.get_running_loop(), pool("vae-live-answer", LIVE_THREADS)
    first = await run_in_threadpool(asked.load, engine())  # takes a while where the model is new
    shown, latent_dim = ShownModel.of(first), first.spec.latent_dim
    del first  # where there is no room for it, this page does not keep it
    following: asyncio.Task[Message] | None = None  # that came while a path was waited for
    while True:
        message = await (following or socket.receive())
        following = None
        if message["type"] == "websocket.disconnect":
            return
        if message.get("bytes") is None:
            raise InputError("a question is a binary message, got text")
        question = unpack_question(message["bytes"], latent_dim)
        work = functools.partial(_answer, shown, question)
        if question.kind == Kind.PATH:
            following = asyncio.ensure_future(socket.receive())
            await socket.send_bytes(await _path_answer(work, following))
        else:
            await socket.send_bytes(await loop.run_in_executor(threads, work))


def _answer(shown: ShownModel, question: Question) -> bytes:
    return answer(engine(), shown.load(engine()), question)


async def _path_answer(work: Callable[[], bytes], following: "asyncio.Task[Message]") -> bytes:
    """The answer to a path, which may wait for its turn: until then the page may leave."""
    try:
        return await unless_left(pool("vae-path-answer", PATH_THREADS), work, following)
    except BaseException:
        following.cancel()
        raise


def _reason(error: VAEExplorerError) -> str:
    """The error's code, a space, and as much of its sentence as a close frame holds."""
    return f"{error.code} {error}".encode()[:MAX_REASON].decode(errors="ignore")
