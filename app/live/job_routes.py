"""The routes by which a page asks for news of a job that it began, stops it, and fetches what it made."""

from dataclasses import asdict

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.live.downloads import as_attachment
from app.live.guards import is_same_origin
from app.live.refusals import refusing
from app.queries.base import File
from app.services.jobs import jobs
from vae_core.runtime.jobs import JobState

__all__ = ["job_routes"]

NOT_KEPT = {"Cache-Control": "no-store"}  # the next answer under the same address is another


# Plain functions: Starlette runs them in threads of its own, so that no socket waits for them.


@refusing
def job_state(request: Request) -> Response:
    """How far the job is."""
    return _told(jobs().state(_asked(request)))


@refusing
def job_stop(request: Request) -> Response:
    """End the job, and say how far it came."""
    return _told(jobs().stop(_asked(request)))


@refusing
def job_result(request: Request) -> Response:
    """What the job made: a file, or JSON."""
    result = jobs().result(_asked(request))
    if result is None:
        raise HTTPException(404)
    return as_attachment(result) if isinstance(result, File) else JSONResponse(result, headers=NOT_KEPT)


def _asked(request: Request) -> str:
    """The job's id, of a request by our own page."""
    if not is_same_origin(request.headers.get("origin"), request.headers.get("host")):
        raise HTTPException(403)
    name: str = request.path_params["job"]
    return name


def _told(state: JobState | None) -> Response:
    if state is None:
        raise HTTPException(404)
    return JSONResponse(asdict(state), headers=NOT_KEPT)


def job_routes(live: str) -> list[BaseRoute]:
    """All of them, below the address `live`."""
    return [
        Route(f"{live}/jobs/{{job}}", job_state),
        Route(f"{live}/jobs/{{job}}/stop", job_stop, methods=["POST"]),
        Route(f"{live}/jobs/{{job}}/result", job_result),
    ]
