"""The routes by which a page asks for news of a job that it began, stops it, and fetches what it made."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.live.downloads import as_attachment
from app.live.refusals import refusing
from app.queries.base import File
from app.services.jobs import jobs

__all__ = ["job_routes"]

NOT_KEPT = {"Cache-Control": "no-store"}  # the next answer under the same address is another


# Plain functions: Starlette runs them in threads of its own, so that no socket waits for them.


@refusing
def job_state(request: Request) -> Response:
    """How far the job is."""
    return JSONResponse(asdict(jobs().state(request.path_params["job"])), headers=NOT_KEPT)


@refusing
def job_stop(request: Request) -> Response:
    """Give the job up, and say how far it came."""
    return JSONResponse(asdict(jobs().stop(request.path_params["job"])), headers=NOT_KEPT)


@refusing
def job_result(request: Request) -> Response:
    """What the job made: a file, or JSON."""
    result = jobs().result(request.path_params["job"])
    if isinstance(result, File):
        return as_attachment(result)
    if isinstance(result, bytes):  # JSON already
        return Response(result, headers=NOT_KEPT, media_type="application/json")
    return JSONResponse(result, headers=NOT_KEPT)


def job_routes(live: str) -> list[BaseRoute]:
    """All of them, below the address `live`."""
    return [
        Route(f"{live}/jobs/{{job}}", job_state),
        Route(f"{live}/jobs/{{job}}/stop", job_stop, methods=["POST"]),
        Route(f"{live}/jobs/{{job}}/result", job_result),
    ]
