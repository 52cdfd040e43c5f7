"""Questions of animations: paths through keyframes, grids between four corners, and files of both."""

from typing import Annotated, Any, get_args

import numpy as np
from jaxtyping import Float32
from pydantic import Field
from pydantic.dataclasses import dataclass

from app.queries.base import Answer, File, Question, as_code
from app.services.exports import FILE_TYPES, Export, ExportRequest, Format, check_request
from app.services.work import JobRequest
from app.wire.limits import STRIP_COLUMNS
from app.wire.numbers import WIRE, Numbers
from app.wire.packing import floats_base64, floats_of
from vae_core.errors import InputError
from vae_core.images.animation import MAX_FRAMES
from vae_core.inference.engine import Engine
from vae_core.inference.memo import data_graph
from vae_core.latent.codes import check_finite
from vae_core.latent.paths import Path
from vae_core.latent.timeline import Easing, animation_path, bilinear_grid
from vae_core.reference.path_statistics import PathStatistics, path_statistics
from vae_core.store.opening import StoredModel

__all__ = ["QUESTIONS"]

LONGEST_FILE_NAME = 200  # characters of a file's name


@dataclass(frozen=True, config=WIRE)
class TraceQuestion:
    """What lies on the way from keyframe to keyframe?

    Attributes:
        keyframes: Codes of the keyframes, in order.
        kinds: Kinds of path, each one from keyframe to keyframe.
        frames_per_leg: Frames from a keyframe to the next, both included.
        easing: How time turns into way within each leg.
        loop: Whether another leg leads back to the first keyframe.
    """

    keyframes: tuple[Numbers, ...]
    kinds: Annotated[tuple[Path, ...], Field(min_length=1, max_length=len(get_args(Path)))]
    frames_per_leg: int
    easing: Easing
    loop: bool


@dataclass(frozen=True, config=WIRE)
class GridQuestion:
    """What lies between four corners?

    Attributes:
        corners: Codes at the top left, top right, bottom left, bottom right.
        rows: Rows of codes from the top edge to the bottom edge, both included.
        columns: Codes in a row from the left edge to the right edge, both included.
        spherical: Whether edges and rows are arcs.
    """

    corners: tuple[Numbers, Numbers, Numbers, Numbers]
    rows: int
    columns: int
    spherical: bool


@dataclass(frozen=True, config=WIRE)
class ExportQuestion:
    """Would you make a file of these? See `app.services.exports.ExportRequest`.

    Attributes:
        codes: Codes of the frames, base64 of little-endian float32 [frame, latent].
        format: Format of the file.
        fps: Frames a second.
        scale: Side in pixels of the square that each of the model's pixels becomes.
        loop: Whether a GIF or WebP plays for ever.
        name: Name of the file, without its ending.
        positions: The frames that are keyframes, for ``"npz"``.
        columns: Pictures in a row, for ``"strip"``; null puts all in one.
    """

    codes: str
    format: Format
    fps: float
    scale: int
    loop: bool
    name: Annotated[str, Field(max_length=LONGEST_FILE_NAME)]
    positions: tuple[Annotated[int, Field(ge=0, lt=MAX_FRAMES)], ...] = ()
    columns: Annotated[int, Field(ge=1, le=STRIP_COLUMNS)] | None = None


def animation(_engine: Engine, loaded: StoredModel, body: TraceQuestion) -> Answer:
    """The frames of each kind of path, and what they are like."""
    reference = loaded.need_reference()
    keyframes = _as_codes(loaded, body.keyframes, "a keyframe")
    _check_frames(len(keyframes), body)
    graph = data_graph(loaded) if "data" in body.kinds else None  # takes seconds to build
    kinds: dict[str, Any] = {}
    for kind in dict.fromkeys(body.kinds):  # each once
        traced = animation_path(
            keyframes,
            kind=kind,
            frames_per_leg=body.frames_per_leg,
            easing=body.easing,
            graph=graph,
            loop=body.loop,
        )
        with np.errstate(over="ignore"):  # codes at the edge of single precision have figures beyond it
            along = path_statistics(traced.codes, reference)
            kinds[kind] = {"codes": floats_base64(traced.codes), **_figures(along)}
    return {
        "kinds": kinds,  # all of as many frames, with keyframes at the same ones
        "expectedNorm": along.expected_norm,
        "positions": traced.keyframe_positions.tolist(),
        "frames": len(traced.codes),
    }


def grid(_engine: Engine, loaded: StoredModel, body: GridQuestion) -> Answer:
    """The codes row by row."""
    corners = _as_codes(loaded, body.corners, "a corner")
    return {"codes": floats_base64(bilinear_grid(corners, body.rows, body.columns, spherical=body.spherical))}


def export(engine: Engine, loaded: StoredModel, body: ExportQuestion) -> Answer:
    """The file, made in the background."""
    codes, positions = _unpacked(loaded, body.codes), np.array(body.positions, np.int64)
    request = ExportRequest(codes, body.format, body.fps, body.scale, body.loop, positions, body.columns)
    check_request(request, loaded)
    ending, media_type = FILE_TYPES[body.format]

    def as_file(content: bytes) -> File:
        return File(content, media_type, body.name + ending)

    return JobRequest("export", request.key(loaded), Export(engine, loaded, request), as_file)


def _check_frames(keyframes: int, body: TraceQuestion) -> None:
    legs = keyframes if body.loop else keyframes - 1
    if (frames := legs * (body.frames_per_leg - 1) + 1) > MAX_FRAMES:
        raise InputError(
            f"an animation has at most {MAX_FRAMES:,} frames, got {frames:,}; take fewer keyframes or fewer frames "
            "from each to the next."
        )


def _as_codes(loaded: StoredModel, many: tuple[tuple[float, ...], ...], what: str) -> Float32[np.ndarray, "n d"]:
    codes = [as_code(loaded, values, what) for values in many]
    return np.reshape(codes, (-1, loaded.spec.latent_dim)).astype(np.float32)


def _unpacked(loaded: StoredModel, text: str) -> Float32[np.ndarray, "n d"]:
    latent = loaded.spec.latent_dim
    try:
        values = floats_of(text)
    except ValueError as error:
        raise InputError(f"codes must be base64 of float32 values, got {text[:40]!r} ({error}).") from error
    if not len(values) or len(values) % latent:
        raise InputError(f"codes must be whole codes of {latent} float32 values, got {len(values)} values.")
    codes = values.reshape(-1, latent)
    check_finite("codes", codes)
    return codes


def _figures(along: PathStatistics) -> dict[str, str]:
    measured = {
        "norm": along.norm,
        "logDensity": along.log_density,
        "nearest": along.nearest,
        "percentile": along.percentile,
        "speed": along.speed,  # from each frame to the next: one fewer
    }
    return {name: floats_base64(values) for name, values in measured.items()}


QUESTIONS = {
    "trace": Question(TraceQuestion, animation),
    "grid": Question(GridQuestion, grid),
    "export": Question(ExportQuestion, export),
}
