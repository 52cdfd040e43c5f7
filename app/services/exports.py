"""Animations, strips and codes as files: each is made in a thread of its own, beside the live pictures."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

from app.services.work import fingerprint
from vae_core.errors import InputError
from vae_core.images.animation import MAX_FRAME_SIDE, MAX_FRAMES, gif_fps, to_gif, to_mp4, to_npz, to_strip, to_webp
from vae_core.images.mosaic import check_size
from vae_core.images.pixels import pixels_of
from vae_core.inference.engine import Engine
from vae_core.runtime.jobs import BackgroundJob
from vae_core.store.opening import StoredModel

__all__ = ["FILE_TYPES", "MAX_EXPORT_PIXELS", "Export", "ExportRequest", "Format", "check_request"]

Format = Literal["gif", "webp", "mp4", "strip", "npz"]

FILE_TYPES: dict[Format, tuple[str, str]] = {  # ending of the name, type as HTTP names it
    "gif": (".gif", "image/gif"),
    "webp": (".webp", "image/webp"),
    "mp4": (".mp4", "video/mp4"),
    "strip": (".png", "image/png"),
    "npz": (".npz", "application/octet-stream"),
}

# Of all frames together, enlarged: 600 of 900 x 900, or the most frames there may be of 360 x 360. Measured on one busy
# core: a GIF takes 20 million a second, an MP4 3 to 5, so that the largest takes some minutes.
MAX_EXPORT_PIXELS = 2**29
CHUNK = 32  # codes decoded at a time: the rows that other requests of the bulk lane wait for at the most


@dataclass(frozen=True, eq=False)
class ExportRequest:
    """What to export, and how.

    Attributes:
        codes: Codes of the frames, [frame, latent].
        format: Format of the file.
        fps: Frames a second.
        scale: Side in pixels of the square that each of the model's pixels becomes.
        loop: Whether a GIF or WebP plays for ever; a player of MP4 files decides that itself.
        positions: The frames that are keyframes, for ``"npz"``, [keyframe].
        columns: Pictures in a row, for ``"strip"``; None puts all in one.
    """

    codes: Float[np.ndarray, "n d"]
    format: Format
    fps: float
    scale: int
    loop: bool
    positions: Int[np.ndarray, " k"]
    columns: int | None = None

    def key(self, loaded: StoredModel) -> str:
        """What the file depends on: equal requests of one model give equal files."""
        return fingerprint(loaded.digest, *(getattr(self, each.name) for each in fields(self)))


class _Stopped(Exception):  # noqa: N818 -- no error: what stops an encoder half way
    """The export was stopped."""


class Export(BackgroundJob[bytes]):
    """A file that is being made.

    Args:
        engine: Decodes the codes.
        loaded: Model that decodes the codes.
        request: File to make, checked.
    """

    def __init__(self, engine: Engine, loaded: StoredModel, request: ExportRequest) -> None:
        super().__init__("export")
        self._engine, self._loaded, self._request = engine, loaded, request

    def _work(self) -> bytes | None:
        try:
            return self._make()
        except _Stopped:
            return None

    def _make(self) -> bytes:
        request = self._request
        if request.format == "npz":
            return _archive(request)
        frames = self._decode()
        return _written(frames, request, lambda frame, count: self._step("writing", frame - 1, count, before=0.5))

    def _decode(self) -> UInt8[np.ndarray, "n height width channel"]:
        """The pictures of all codes, in chunks through the lane that live requests do not wait for."""
        codes, (channels, height, width) = self._request.codes, self._loaded.spec.image_shape
        frames = np.empty((len(codes), height, width, channels), np.uint8)
        for start in range(0, len(codes), CHUNK):
            self._step("decoding", start, len(codes), before=0)
            rows = slice(start, start + CHUNK)
            frames[rows] = pixels_of(self._engine.decode(self._loaded, codes[rows]))
        return frames

    def _step(self, doing: str, done: int, count: int, *, before: float) -> None:
        """Say how far it is, decoding and writing being one half each, or end here when that was asked for."""
        if self._stopping.is_set():
            raise _Stopped
        self._say("encoding", before + 0.5 * done / count, f"{doing}: picture {done:,} of {count:,}")


def check_request(request: ExportRequest, loaded: StoredModel) -> None:
    """Let a request pass that can be made, before anything is decoded.

    Raises:
        InputError: The codes are not of this model's size or too many, the rate is not from 1 to 60 frames a second,
            keyframes are no frames, or the pictures would be too large.
    """
    count, latent = request.codes.shape
    if latent != loaded.spec.latent_dim or not 1 <= count <= MAX_FRAMES:
        raise InputError(
            f"this model exports 1 to {MAX_FRAMES:,} codes of {loaded.spec.latent_dim} values, got {count:,} of "
            f"{latent}; shorten the path."
        )
    if request.format == "npz":
        _archive(request)  # takes no time
    else:
        gif_fps(request.fps)  # every format has the same bounds
        _check_size(request, *loaded.spec.image_shape[1:])


def _check_size(request: ExportRequest, height: int, width: int) -> None:
    count, scale = len(request.codes), request.scale
    if not 1 <= scale <= MAX_FRAME_SIDE // max(height, width):
        raise InputError(
            f"pictures of this model can be enlarged 1 to {MAX_FRAME_SIDE // max(height, width)} times, got {scale}."
        )
    if (pixels := count * height * width * scale**2) > MAX_EXPORT_PIXELS:
        raise InputError(
            f"an export has at most {MAX_EXPORT_PIXELS:,} pixels in all, got {pixels:,}; shorten the path or enlarge "
            "its pictures less."
        )
    if request.format == "strip":
        across = min(request.columns or count, count)
        check_size(-(-count // across) * (height + 1) * scale, across * (width + 1) * scale)


def _archive(request: ExportRequest) -> bytes:
    return to_npz(request.codes, request.positions, fps=request.fps)


def _written(
    frames: UInt8[np.ndarray, "n height width channel"], request: ExportRequest, progress: Callable[[int, int], None]
) -> bytes:
    fps, scale, loop = request.fps, request.scale, request.loop
    match request.format:
        case "gif":
            return to_gif(frames, fps=fps, loop=loop, scale=scale, progress=progress)
        case "webp":
            return to_webp(frames, fps=fps, loop=loop, scale=scale, progress=progress)
        case "mp4":
            return to_mp4(frames, fps=fps, scale=scale, progress=progress)
    return to_strip(frames, columns=request.columns, scale=scale, progress=progress)
