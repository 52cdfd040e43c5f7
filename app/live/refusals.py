"""What a route answers when it cannot do what it is asked: a code for the page, and one sentence for the person.

``{"code": "busy", "message": "the server is busy: ..."}`` with the status that fits. Codes are those of
`vae_core.errors`, and ``"origin"`` for a page of another server.
"""

import functools
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.live.guards import is_same_origin
from vae_core.errors import BusyError, GoneError, InternalError, VAEExplorerError
from vae_core.runtime.failures import for_the_person

__all__ = ["foreign_page", "refusal", "refusing"]

STATUSES: dict[type[VAEExplorerError], int] = {BusyError: 503, GoneError: 404, InternalError: 500}
WRONG = 400  # of all others: what was asked cannot be
NOT_KEPT = {"Cache-Control": "no-store"}  # asked again, the answer may be another


def refusal(error: VAEExplorerError, status: int | None = None) -> Response:
    """The error as an answer.

    Args:
        error: What went wrong.
        status: That of HTTP, where the error's class does not decide it.
    """
    return _refusal(error.code, str(error), status or STATUSES.get(type(error), WRONG))


def foreign_page() -> Response:
    """The answer to a page of another server."""
    return _refusal("origin", "this is answered to pages of this server alone.", 403)


def _refusal(code: str, message: str, status: int) -> Response:
    return JSONResponse({"code": code, "message": message}, status, NOT_KEPT)


def refusing(route: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Make a route, a plain function, answer our own pages alone, and answer for whatever it raises.

    What nobody foresaw is logged.
    """

    @functools.wraps(route)
    def answered(request: Request) -> Response:
        if not is_same_origin(request.headers.get("origin"), request.headers.get("host")):
            return foreign_page()
        try:
            return route(request)
        except Exception as error:  # noqa: BLE001 - the page must hear that no answer comes
            return refusal(for_the_person(error, request.url.path))

    return answered
