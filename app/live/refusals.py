"""What a route answers when it cannot do what it is asked: one sentence with the status that fits."""

import functools
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vae_core.errors import BusyError, InternalError, VAEExplorerError
from vae_core.runtime.failures import unforeseen

__all__ = ["refusal", "refusing"]

STATUSES: dict[type[VAEExplorerError], int] = {BusyError: 503, InternalError: 500}
WRONG = 400  # of all others: what was asked cannot be
NOT_KEPT = {"Cache-Control": "no-store"}  # asked again, the answer may be another


def refusal(error: VAEExplorerError) -> Response:
    """The error's sentence as an answer."""
    return Response(str(error), STATUSES.get(type(error), WRONG), NOT_KEPT, media_type="text/plain")


def refusing(route: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Make a route, a plain function, answer with a sentence for whatever it raises; what nobody foresaw is logged."""

    @functools.wraps(route)
    def answered(request: Request) -> Response:
        try:
            return route(request)
        except HTTPException:  # Starlette's own way to answer
            raise
        except VAEExplorerError as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001 - the page must hear that no answer comes
            return refusal(unforeseen(error, request.url.path))

    return answered
