"""Limits agree with each other and with the settings of the server."""

import tomllib
from pathlib import Path

import app
from app.wire.limits import LIMITS, LIVE_QUESTION_BYTES, PICTURES_BYTES
from app.wire.protocol import HEADER, MAX_PATH
from tests.contracts import check_contract
from vae_core.images.files import MAX_BYTES
from vae_core.models.config import MAX_LATENT_DIM

SETTINGS = tomllib.loads((Path(app.__file__).parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
MEGABYTE, MEBIBYTE = 10**6, 2**20  # as Streamlit counts messages, and uploads
BESIDE = MEGABYTE  # what else a page tells in the same message


def test_pictures_that_are_added_together_fit_a_message_of_streamlits_socket():
    server = SETTINGS["server"]
    in_base64 = 4 * -(-PICTURES_BYTES // 3)
    assert in_base64 + BESIDE <= server["maxWidgetStateSize"] * MEGABYTE <= server["maxMessageSize"] * MEGABYTE


def test_the_largest_picture_may_be_added_on_every_page():
    assert MAX_BYTES <= PICTURES_BYTES
    assert SETTINGS["server"]["maxUploadSize"] * MEBIBYTE == MAX_BYTES


def test_the_longest_live_question_is_the_longest_path_of_the_largest_model():
    assert LIVE_QUESTION_BYTES == HEADER.size + 4 * MAX_PATH * MAX_LATENT_DIM == 262_152


def test_the_limits_are_those_of_the_contract() -> None:
    check_contract("limits", LIMITS)
