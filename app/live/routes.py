"""The routes that the server adds to Streamlit's own: the live socket, questions, jobs and the page's files."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from app.live import asset_files
from app.live.ask import ask
from app.live.job_routes import job_routes
from app.live.map_charts import MapView, map_json, maps_version, reference_in
from app.live.refusals import refusing
from app.live.shown_models import ShownModel
from app.live.socket import live_socket
from app.services.examples import decoded_strip
from vae_core.inference.engine import engine

__all__ = ["live_routes"]

ONE_YEAR = "public, max-age=31536000, immutable"  # the address changes with the content

# Binary frames of noise-like pixels do not shrink, so the socket answers without compression.


async def asset(request: Request) -> Response:
    """One of the page's own modules or style sheets."""
    assets, name = asset_files.page_assets(), request.path_params["name"]
    path = assets.path(name)
    if path is None:
        raise HTTPException(404)
    current = assets.is_of_version(name, request.path_params["version"])
    return FileResponse(path, media_type=asset_files.media_type(path), headers=_caching(current))


async def plotly_script(_request: Request) -> Response:
    """plotly.js from the installed package."""
    return FileResponse(asset_files.PLOTLY_SCRIPT, media_type="text/javascript", headers={"Cache-Control": ONE_YEAR})


# Plain functions: Starlette runs them in threads of its own, so that no socket waits for them.


@refusing
def figure(request: Request) -> Response:
    """A model's map as a Plotly figure in JSON, made for the asked projection and colour."""
    version = request.path_params["version"]
    loaded = ShownModel(request.path_params["model"], reference=reference_in(version)).load(engine())
    content = map_json(loaded, MapView.from_query(request.query_params))
    current = version == maps_version(loaded)
    return Response(content, media_type="application/json", headers=_caching(current))


@refusing
def strip(request: Request) -> Response:
    """What a model decodes from typical codes, side by side, as PNG."""
    loaded = engine().load(request.path_params["model"])
    content = decoded_strip(loaded)
    current = request.path_params["version"] == asset_files.strip_version(loaded)
    return Response(content, media_type="image/png", headers=_caching(current))


def _caching(current: bool) -> dict[str, str]:
    """For ever where the address names the present content; else, for a page from before an update, not at all."""
    return {"Cache-Control": ONE_YEAR if current else "no-store"}


def live_routes(prefix: str) -> list[BaseRoute]:
    """All of them below `prefix`: Streamlit puts server.baseUrlPath in front of its own routes only."""
    live = f"/{prefix.strip('/')}/live".replace("//", "/")
    return [
        WebSocketRoute(f"{live}/models/{{model}}/socket", live_socket),
        Route(f"{live}/models/{{model}}/ask/{{what}}", ask, methods=["POST"]),
        Route(f"{live}/models/{{model}}/{{version}}/map", figure),
        Route(f"{live}/models/{{model}}/{{version}}/strip.png", strip),
        Route(f"{live}/assets/{{version}}/{{name:path}}", asset),
        Route(f"{live}/plotly/{{version}}/plotly.min.js", plotly_script),
        *job_routes(live),
    ]
