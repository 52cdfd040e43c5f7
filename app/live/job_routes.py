"""The routes by which a page asks for news of a job that it began, stops it, and fetches what it made."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.live.downloads import as_attachment
from app.live.refusals import refusing
from app.queries.base import File
from app.services.jobs import jobs
from vae_core.errors import GoneError
from vae_core.runtime.jobs import JobState

__all__ = ["job_routes"]

NOT_KEPT = {"Cache-Control": "no-store"}  # the next answer under the same address is another


# Plain functions: Starlette runs them in threads of its own, so that no socket waits for them.


@refusing
def job_state(request: Request) -> Response:
    """How far the job is."""
    return _told(jobs().state(request.path_params["job"]))


@refusing
def job_stop(request: Request) -> Response:
    """End the job, and say how far it came."""
    return _told(jobs().stop(request.path_params["job"]))


@refusing
def job_result(request: Request) -> Response:
    """What the job made: a file, or JSON."""
    result = jobs().result(request.path_params["job"])
    if result is None:
        raise _forgotten()
    return as_attachment(result) if isinstance(result, File) else JSONResponse(result, headers=NOT_KEPT)


def _told(state: JobState | None) -> Response:
    if state is None:
        raise _forgotten()
    return JSONResponse(asdict(state), headers=NOT_KEPT)


def _forgotten() -> GoneError:
    return GoneError("the server has forgotten this work; start it again.")


def job_routes(live: str) -> list[BaseRoute]:
    """All of them, below the address `live`."""
    return [
        Route(f"{live}/jobs/{{job}}", job_state),
        Route(f"{live}/jobs/{{job}}/stop", job_stop, methods=["POST"]),
        Route(f"{live}/jobs/{{job}}/result", job_result),
    ]
