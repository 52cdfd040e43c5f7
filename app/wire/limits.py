"""What the server takes at the most: the one place that decides it, for its checks and for the page as data."""

from typing import Any

from pydantic import TypeAdapter

from app.wire.protocol import HEADER, MAX_PATH
from vae_core.images.animation import GIF_DELAYS, MAX_FPS, MAX_FRAME_SIDE, MAX_FRAMES
from vae_core.images.files import MAX_BYTES
from vae_core.latent.names import NAME_LIMIT
from vae_core.latent.timeline import FRAMES_PER_LEG, GRID_SIDE, KEYFRAMES
from vae_core.models.config import MAX_LATENT_DIM
from vae_core.projection.refit_settings import UmapSettings

__all__ = [
    "KEYFRAME_NAME",
    "LIMITS",
    "LINK_LETTERS",
    "LINK_NAME",
    "LIVE_QUESTION_BYTES",
    "MAX_DIRECTIONS",
    "MAX_GROUPS",
    "MAX_NEAREST",
    "PICTURES",
    "PICTURES_BYTES",
    "PICTURES_KEPT_BYTES",
    "PLANE_SIDE",
    "QUESTION_BYTES",
    "STRIP_COLUMNS",
]

MAX_GROUPS, MAX_DIRECTIONS = 50, 50  # that a visitor may keep for a model
MAX_NEAREST = 60  # neighbours in one answer
PLANE_SIDE = 40  # pictures a side of a plane
KEYFRAME_NAME = 200  # characters
STRIP_COLUMNS = 1_000  # pictures in a row
LINK_LETTERS = 8_000  # of a view; browsers and servers begin to refuse addresses not far beyond
LINK_NAME = 40  # characters of a keyframe's name in a link

FLOAT_BYTES = 4

# The longest question of the live socket: as many codes as a path may have, of as many dimensions as a model may have.
LIVE_QUESTION_BYTES = HEADER.size + FLOAT_BYTES * MAX_PATH * MAX_LATENT_DIM

# The longest other question: an export of as many frames as there may be, in base64, and what stands beside them.
_CODES = FLOAT_BYTES * MAX_FRAMES * MAX_LATENT_DIM
_BESIDE = 2**18
QUESTION_BYTES = 4 * -(-_CODES // 3) + _BESIDE

# Pictures that a page adds in one go: in base64 they fit a message of Streamlit's own socket (maxWidgetStateSize), and
# one of the largest fits alone.
PICTURES_BYTES = 22 * 2**20

# What one visit keeps: pictures, and bytes of their copies together (a photograph's has 0.7 MB).
PICTURES, PICTURES_KEPT_BYTES = 200, 128 * 2**20


def _refit_limits() -> dict[str, Any]:
    """What a UMAP that is fitted anew may be given, as its settings declare it."""
    declared = TypeAdapter(UmapSettings).json_schema()["properties"]
    ends = {name: [declared[name]["minimum"], declared[name]["maximum"]] for name in ("neighbors", "minDist", "seed")}
    stored = {name: each["default"] for name, each in declared.items()}  # of the models' own maps
    return {**ends, "metrics": declared["metric"]["enum"], "stored": stored}


# By the page's names; app/live/assets/engine/payloads.js says what each one is. A pair is the lowest and the highest.
LIMITS: dict[str, Any] = {
    "nameLength": NAME_LIMIT,
    "groups": MAX_GROUPS,
    "directions": MAX_DIRECTIONS,
    "pathCodes": MAX_PATH,
    "neighbours": MAX_NEAREST,
    "planeSide": PLANE_SIDE,
    "keyframes": list(KEYFRAMES),
    "keyframeName": KEYFRAME_NAME,
    "framesPerLeg": list(FRAMES_PER_LEG),
    "frames": MAX_FRAMES,
    "fps": MAX_FPS,
    "gifDelays": [GIF_DELAYS[0], GIF_DELAYS[-1]],
    "exportSide": MAX_FRAME_SIDE,
    "stripColumns": STRIP_COLUMNS,
    "gridSide": list(GRID_SIDE),
    "linkLetters": LINK_LETTERS,
    "linkName": LINK_NAME,
    "pictureBytes": MAX_BYTES,
    "picturesBytes": PICTURES_BYTES,
    "refit": _refit_limits(),
}
