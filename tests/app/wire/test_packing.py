"""Arrays and pictures as text, byte by byte."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.wire.packing import (
    file_address,
    flags_base64,
    floats_base64,
    floats_of,
    halves_base64,
    members_base64,
    members_of,
    picture_address,
    picture_base64,
    whole_base64,
)
from tests.contracts import contract
from vae_core.errors import InputError


def test_numbers_are_little_endian_in_their_own_order():
    assert base64.b64decode(whole_base64(np.array([1, -2]))).hex() == "01000000feffffff"
    assert base64.b64decode(floats_base64(np.array([[1.0], [-2.5]]))).hex() == "0000803f000020c0"
    assert base64.b64decode(halves_base64(np.array([1.0, -2.5]))).hex() == "003c00c1"
    assert base64.b64decode(flags_base64(np.array([True, False]))).hex() == "0100"
    rows = np.arange(6, dtype=np.float64).reshape(2, 3)
    assert np.frombuffer(base64.b64decode(floats_base64(rows.T)), "<f4").tolist() == [0, 3, 1, 4, 2, 5]


def test_packed_numbers_come_back():
    values = np.random.default_rng(0).standard_normal(7).astype(np.float32)
    np.testing.assert_array_equal(floats_of(floats_base64(values)), values)


@pytest.mark.parametrize("text", ["?", "é", "AAA=A", base64.b64encode(b"123").decode()])
def test_what_are_no_packed_numbers_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - each of numpy and base64 says it in its own words
        floats_of(text)


@pytest.mark.parametrize("case", contract("members"), ids=lambda case: f"{len(case['indices'])} members")
def test_members_are_packed_as_on_the_page_and_come_back_ascending(case: dict[str, Any]):
    assert members_base64(reversed(case["indices"])) == case["packed"]
    assert members_of(case["packed"]) == tuple(case["indices"])


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_keep_each_pixel(channels: int, scale: int):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, channels), dtype=np.uint8)
    text = picture_base64(pixels, scale=scale)
    with Image.open(BytesIO(base64.b64decode(text))) as picture:
        assert (picture.format, picture.size) == ("PNG", (5 * scale, 3 * scale))
        assert picture.mode == {1: "L", 3: "RGB"}[channels]
        shown = np.asarray(picture).reshape(3 * scale, 5 * scale, channels)
    np.testing.assert_array_equal(shown, pixels.repeat(scale, axis=0).repeat(scale, axis=1))
    assert picture_address(pixels, scale=scale) == f"data:image/png;base64,{text}"


def test_pictures_are_twice_as_large_where_nothing_else_is_asked():
    pixels = np.zeros((3, 5, 1), np.uint8)
    assert picture_base64(pixels) == picture_base64(pixels, scale=2)
    with pytest.raises(InputError, match="scale must be at least 1, got 0"):
        picture_base64(pixels, scale=0)


def test_a_file_is_its_own_address():
    assert file_address(b"abc", "image/webp") == "data:image/webp;base64,YWJj"
