"""The route by which pages ask what takes more than a decoded picture: `app.queries` answers.

What a question needs comes in its body; nothing of a visitor is kept but jobs, refitted maps and saved directions.
"""

import asyncio
import functools
import importlib
import json
import threading
from collections.abc import Callable
from types import ModuleType

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from threadpoolctl import threadpool_limits

from app.live.admission import Admission
from app.live.downloads import as_attachment
from app.live.guards import is_same_origin
from app.live.pools import pool
from app.live.presence import ClientLeft, unless_left
from app.live.refusals import foreign_page, refusal
from app.live.shown_models import ShownModel
from app.queries import density, directions, groups, interpolate, map_jobs, neighbours, places, traversals
from app.queries.base import Answer, File, Question
from app.services.jobs import jobs
from app.services.visitors import VISITOR_HEADER, visitors
from app.services.work import JobRequest
from app.wire.limits import QUESTION_BYTES
from vae_core.errors import InputError, ModelError, VAEExplorerError
from vae_core.inference.engine import engine
from vae_core.runtime.failures import for_the_person
from vae_core.store.stored_models import model_folder

__all__ = ["QUESTIONS", "ask", "import_measuring"]

MODULES: tuple[ModuleType, ...] = (groups, directions, neighbours, places, traversals, density, interpolate, map_jobs)
QUESTIONS: dict[str, Question] = {what: each for module in MODULES for what, each in module.QUESTIONS.items()}

THREADS = 4  # of their own, so that a slow question never makes live pictures wait
PLACES, OWN_PLACES = 64, 24  # of all and of one visitor, for questions under way; a page asks ten at the most
READ_SECONDS = 20.0  # from the first byte of a body to its last
TOO_LONG = f"a question has at most {QUESTION_BYTES:,} bytes; ask about fewer images or frames."
JSON = "application/json"

MEASURING = ("sklearn.metrics", "sklearn.neighbors", "sklearn.model_selection")

_admission = Admission(PLACES, OWN_PLACES)
_importing = threading.Lock()


class _RefusedError(Exception):
    """What is no question, with the status of its refusal."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


async def ask(request: Request) -> Response:
    """Answer one question about one model."""
    if not is_same_origin(request.headers.get("origin"), request.headers.get("host")):
        return foreign_page()
    visitor = visitors().known(request.headers.get(VISITOR_HEADER))
    try:
        question = _question(request)
        with _admission.place(visitor):  # before anything of the body is kept
            body = await _read(request)
            return await _answered(request, functools.partial(_answer, question, body, visitor))
    except (ClientDisconnect, ClientLeft):
        return Response(status_code=400)  # nobody reads it
    except _RefusedError as error:
        return _unread(str(error), error.status)
    except VAEExplorerError as error:
        return refusal(error)


def _question(request: Request) -> Question:
    """What is asked, as far as that is known before the body."""
    what = request.path_params["what"]
    if what not in QUESTIONS:
        names = ", ".join(sorted(QUESTIONS))
        raise _RefusedError(f"there is no question named {what[:40]!r}; there are: {names}.", 404)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != JSON:
        raise _RefusedError(f"a question is sent as {JSON}.", 400)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > QUESTION_BYTES:
        raise _RefusedError(TOO_LONG, 413)
    return QUESTIONS[what]


async def _read(request: Request) -> bytes:
    """The body; of one that is too long no more is read than shows that."""
    content = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in request.stream():
                content += part
                if len(content) > QUESTION_BYTES:
                    raise _RefusedError(TOO_LONG, 413)
    except TimeoutError as error:
        raise _RefusedError(f"a question must arrive within {READ_SECONDS:.0f} s; send it again.", 408) from error
    return bytes(content)


async def _answered(request: Request, work: Callable[[ShownModel], Response]) -> Response:
    """Have a thread do it, unless the client leaves before its turn."""
    leaving = asyncio.ensure_future(request.receive())  # all of the body is read: what comes is the end
    try:
        shown = ShownModel.of_request(request.path_params, request.query_params)
        return await unless_left(pool("vae-question", THREADS), functools.partial(work, shown), leaving)
    finally:
        leaving.cancel()


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


def _answer(question: Question, body: bytes, visitor: str, shown: ShownModel) -> Response:
    try:
        model_folder(shown.name)
    except ModelError as error:
        return refusal(error, 404)
    try:
        import_measuring()
        return _packed(question.answer(engine(), shown.load(engine()), question.read(body)), visitor)
    except Exception as error:  # noqa: BLE001 - the page must hear that no answer comes
        return refusal(for_the_person(error, f"a question about {shown.name}"))


def _packed(answer: Answer, visitor: str) -> Response:
    if isinstance(answer, File):
        return as_attachment(answer)
    if isinstance(answer, JobRequest):
        answer = {"job": jobs().begin(answer, visitor)}
    try:
        return Response(json.dumps(answer, allow_nan=False), media_type=JSON)
    except ValueError as error:  # JSON knows neither infinity nor NaN
        raise InputError("the answer must be finite numbers, got others; ask with smaller ones.") from error


def _unread(sentence: str, status: int) -> Response:
    """The answer to a request whose body may not have been read; then the connection is of no use any more."""
    answer = refusal(InputError(sentence), status)
    answer.headers["Connection"] = "close"
    return answer
