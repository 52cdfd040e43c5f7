"""The route by which pages ask what takes more than a decoded picture: `app.queries` answers.

What a question needs comes in its body; nothing of a visitor is kept but jobs, refitted maps and saved directions.
"""

import asyncio
import functools
import importlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import ModuleType

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from threadpoolctl import threadpool_limits

from app.live.downloads import as_attachment
from app.live.guards import is_same_origin
from app.live.refusals import foreign_page, refusal
from app.queries import density, directions, groups, interpolate, map_jobs, neighbours, places, traversals
from app.queries.base import Answer, File, Question
from app.services.jobs import jobs
from app.services.visitors import VISITOR_HEADER, visitors
from app.services.work import JobRequest
from vae_core.errors import BusyError, InputError, ModelError, VAEExplorerError
from vae_core.inference.engine import engine
from vae_core.runtime.failures import unforeseen
from vae_core.store.stored_models import model_folder

__all__ = ["BODY_LIMIT", "QUESTIONS", "ask", "import_measuring"]

MODULES: tuple[ModuleType, ...] = (groups, directions, neighbours, places, traversals, density, interpolate, map_jobs)
QUESTIONS: dict[str, Question] = {what: each for module in MODULES for what, each in module.QUESTIONS.items()}

BODY_LIMIT = 4 * 2**20  # bytes
THREADS = 4  # of their own, so that a slow question never makes live pictures wait
WAITING = 64  # questions, those being answered included; a page asks a few at a time
JSON = "application/json"

MEASURING = ("sklearn.metrics", "sklearn.neighbors", "sklearn.model_selection")

_places = threading.BoundedSemaphore(WAITING)
_importing = threading.Lock()


@functools.cache
def _answering() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="vae-question")


async def ask(request: Request) -> Response:
    """Answer one question about one model."""
    if not is_same_origin(request.headers.get("origin"), request.headers.get("host")):
        return foreign_page()
    what = request.path_params["what"]
    if what not in QUESTIONS:
        return _wrong(f"there is no question named {what[:40]!r}; there are: {', '.join(sorted(QUESTIONS))}.", 404)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != JSON:
        return _wrong(f"a question is sent as {JSON}.", 400)
    try:
        body = await _read(request)
    except ClientDisconnect:
        return Response(status_code=400)
    if body is None:
        return _wrong(f"a question has at most {BODY_LIMIT:,} bytes; ask about fewer images or frames.", 413)
    visitor = visitors().known(request.headers.get(VISITOR_HEADER))
    return await _respond(request.path_params["model"], QUESTIONS[what], body, visitor)


async def _read(request: Request) -> bytes | None:
    """The body; None for one that is too long, of which no more is read than shows that."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > BODY_LIMIT:
        return None
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > BODY_LIMIT:
            return None
    return bytes(content)


async def _respond(model: str, question: Question, body: bytes, visitor: str) -> Response:
    try:
        with _taking_a_place():
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(_answering(), _answer, model, question, body, visitor)
    except VAEExplorerError as error:
        return refusal(error)
    except Exception as error:  # noqa: BLE001 - the page must hear that no answer comes
        return refusal(unforeseen(error, f"a question about {model}"))


@contextmanager
def _taking_a_place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise BusyError(f"the server is busy: {WAITING} questions wait already; try again shortly.")
    try:
        yield
    finally:
        _places.release()


def import_measuring() -> None:
    """Import what questions measure with, in seconds; at once when that is done.

    Its parts import each other: two threads that began with different ones would wait for each other, and Python would
    end that with an error.

    From then on a product of matrices takes one thread. scikit-learn sees to that itself while its own threads
    multiply, but for the whole process: of two searches at the same time the one that ends first would give the other
    two levels of threads, in which OpenBLAS may hang.
    """
    with _importing:
        for module in MEASURING:
            importlib.import_module(module)
        _limit_products()


@functools.cache
def _limit_products() -> None:
    threadpool_limits(limits=1, user_api="blas")


def _answer(model: str, question: Question, body: bytes, visitor: str) -> Response:
    try:
        model_folder(model)
    except ModelError as error:
        return refusal(error, 404)
    import_measuring()
    return _packed(question.answer(engine(), engine().load(model), question.read(body)), visitor)


def _packed(answer: Answer, visitor: str) -> Response:
    if isinstance(answer, File):
        return as_attachment(answer)
    if isinstance(answer, JobRequest):
        answer = {"job": jobs().begin(answer, visitor)}
    try:
        return Response(json.dumps(answer, allow_nan=False), media_type=JSON)
    except ValueError as error:  # JSON knows neither infinity nor NaN
        raise InputError("the answer must be finite numbers, got others; ask with smaller ones.") from error


def _wrong(text: str, status: int) -> Response:
    return refusal(InputError(text), status)
