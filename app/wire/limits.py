"""How large what crosses to the server may be, as data: the one place that decides it, for the server and the page."""

from app.wire.protocol import HEADER, MAX_PATH
from vae_core.images.animation import MAX_FRAMES
from vae_core.models.config import MAX_LATENT_DIM

__all__ = ["LIVE_QUESTION_BYTES", "PICTURES", "PICTURES_BYTES", "PICTURES_KEPT_BYTES", "QUESTION_BYTES"]

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
