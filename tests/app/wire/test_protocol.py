"""The live channel's messages, byte by byte."""

import struct
from typing import Any

import numpy as np
import pytest

from app.wire.protocol import MAX_PATH, Kind, ProjectionKind, RefitId, pack_answer, unpack_question
from tests.contracts import contract
from vae_core.errors import InputError

NAN, INFINITY = float("nan"), float("inf")


def message(kind: int, values: list[float], *, projection: int = 0, x: int = 0, y: int = 1, number: int = 7) -> bytes:
    return struct.pack(f"<BBBBI{len(values)}f", kind, projection, x, y, number, *values)


MESSAGES = contract("messages")


@pytest.mark.parametrize("case", MESSAGES["questions"], ids=lambda case: case["kind"])
def test_questions_are_read_as_the_page_writes_them(case: dict[str, Any]):
    question = unpack_question(bytes.fromhex(case["bytes"]), case["latentDim"])
    view, values = case["view"], case["values"]
    assert (question.kind.name, int(question.kind)) == (case["kind"], case["code"])
    assert (question.projection.name.lower(), question.axes) == (view["projection"], (view["x"], view["y"]))
    assert question.number == case["number"]
    place = [] if question.place is None else question.place.tolist()
    assert [*place, *question.codes.ravel().tolist()] == values


@pytest.mark.parametrize("case", MESSAGES["answers"], ids=lambda case: f"{len(case['codes'])} codes")
def test_answers_are_written_as_the_page_reads_them(case: dict[str, Any]):
    channels, height, width = case["shape"]
    pictures = np.array(case["frames"], np.uint8).reshape(-1, height, width, channels)
    places, codes = np.array(case["places"]), np.array(case["codes"])
    assert pack_answer(case["number"], places, codes, pictures).hex() == case["bytes"]


@pytest.mark.parametrize(("number", "axes"), [(1, (0, 1)), (0x1234, (0x12, 0x34)), (RefitId.LARGEST, (255, 255))])
def test_a_refits_number_is_the_two_bytes_of_an_axes_map(number: int, axes: tuple[int, int]):
    assert RefitId(number).axes == axes
    assert RefitId.of_axes(axes) == number


def test_decode_is_read_from_its_bytes():
    question = unpack_question(b"\x01\x02\x01\x00\x04\x03\x02\x01" + b"\x00\x00\x80\x3f" + b"\x00\x00\x00\xc0", 2)
    assert (question.kind, question.projection, question.axes) == (Kind.DECODE, ProjectionKind.AXES, (1, 0))
    assert question.number == 0x01020304
    assert question.codes.tolist() == [[1, -2]]
    assert question.place is None


def test_peek_is_read_from_its_bytes():
    floats = b"\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40"  # 1, 2, 3
    question = unpack_question(b"\x02\x01\x00\x00\xff\xff\xff\xff" + floats, 1)
    assert (question.kind, question.projection, question.number) == (Kind.PEEK, ProjectionKind.PCA, 2**32 - 1)
    assert question.place is not None
    assert question.place.tolist() == [1, 2]
    assert question.codes.tolist() == [[3]]


def test_path_is_read_from_its_bytes():
    floats = b"\x00\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40"  # 0, 1, 2, 3
    question = unpack_question(b"\x03\x00\x00\x00\x00\x00\x00\x00" + floats, 2)
    assert (question.kind, question.projection, question.number) == (Kind.PATH, ProjectionKind.UMAP, 0)
    assert question.codes.tolist() == [[0, 1], [2, 3]]
    assert question.place is None


def test_draw_has_no_values():
    question = unpack_question(b"\x04\x00\x00\x00\x07\x00\x00\x00", 3)
    assert (question.kind, question.number) == (Kind.DRAW, 7)
    assert question.codes.shape == (0, 3)
    assert question.place is None


@pytest.mark.parametrize("count", [1, MAX_PATH])
def test_a_path_has_1_to_256_codes(count: int):
    assert unpack_question(message(3, [0.5] * 3 * count), 3).codes.shape == (count, 3)


def test_dimensions_of_other_maps_than_axes_are_not_looked_at():
    assert unpack_question(message(1, [0.0] * 3, projection=0, x=255, y=255), 3).axes == (255, 255)


@pytest.mark.parametrize(
    ("wrong", "texts"),
    [
        (b"", ("8 bytes", "got 0 bytes")),
        (message(1, [])[:7], ("8 bytes", "got 7 bytes")),
        (message(1, [0.0] * 3)[:-1], ("whole float32 values", "got 19 bytes")),
        (message(0, [0.0] * 3), ("kind must be 1 to 4", "got 0")),
        (message(5, [0.0] * 3), ("kind must be 1 to 4", "got 5")),
        (message(4, [0.0] * 3), ("DRAW takes 0 values", "got 3")),
        (message(1, [0.0] * 3, projection=4), ("projection 0 to 3", "and 4")),
        (message(1, [0.0] * 3, projection=2, x=3), ("dimensions 0 to 2", "got 3 and 1")),
        (message(1, [0.0] * 3, projection=2, y=255), ("dimensions 0 to 2", "got 0 and 255")),
        (message(1, [0.0] * 2), ("DECODE takes 3 values", "got 2")),
        (message(1, []), ("DECODE takes 3 values", "got 0")),
        (message(1, [0.0] * 6), ("DECODE takes 3 values", "got 6")),
        (message(2, [0.0] * 3), ("PEEK takes 5 values", "got 3")),
        (message(3, []), ("PATH takes 1 to 256 codes", "got 0 values")),
        (message(3, [0.0] * 4), ("PATH takes 1 to 256 codes of 3 values", "got 4 values")),
        (message(3, [0.0] * 3 * 257), ("PATH takes 1 to 256 codes", "got 771 values")),
        (message(1, [0.0, NAN, 0.0]), ("finite", "nan at [1]")),
        (message(1, [0.0, 0.0, -INFINITY]), ("finite", "-inf at [2]")),
        (message(2, [INFINITY, 0.0, 0.0, 0.0, 0.0]), ("finite", "inf at [0]")),
        (message(3, [0.0] * 5 + [NAN]), ("finite", "nan at [5]")),
    ],
)
def test_a_wrong_question_is_refused_with_rule_and_value(wrong: bytes, texts: tuple[str, ...]):
    with pytest.raises(InputError) as refusal:
        unpack_question(wrong, 3)
    for text in texts:
        assert text in str(refusal.value)


def test_an_answer_is_number_count_places_codes_and_pixels():
    places = np.array([[1, -2], [0.5, 4]], np.float32)
    codes = np.array([[3], [-0.5]], np.float64)  # written as float32 whatever comes
    pictures = np.arange(2 * 2 * 1 * 3, dtype=np.uint8).reshape(2, 2, 1, 3)
    assert pack_answer(0x01020304, places, codes, pictures) == bytes.fromhex(
        "04030201 02000000"
        "0000803f 000000c0 0000003f 00008040"  # 1, -2, 0.5, 4
        "00004040 000000bf"  # 3, -0.5
        "000102 030405 060708 090a0b"
    )


def test_pixels_are_written_row_by_row_even_from_a_transposed_array():
    picture = np.array([[[[1], [2]], [[3], [4]]]], np.uint8).transpose(0, 2, 1, 3)
    answer = pack_answer(0, np.zeros((1, 2), np.float32), np.zeros((1, 1), np.float32), picture)
    assert answer[-4:] == bytes([1, 3, 2, 4])


@pytest.mark.parametrize("seed", range(50))
def test_a_random_question_comes_back_as_it_was_sent(seed: int):
    generator = np.random.default_rng(seed)
    latent_dim = int(generator.integers(1, 20))
    kind, projection = Kind(int(generator.integers(1, 5))), ProjectionKind(int(generator.integers(0, 3)))
    x, y = (int(dimension) for dimension in generator.integers(0, latent_dim, 2))
    number = int(generator.integers(0, 2**32))
    count = {Kind.PATH: int(generator.integers(1, MAX_PATH + 1)), Kind.DRAW: 0}.get(kind, 1)
    place = generator.standard_normal(2, dtype=np.float32) if kind == Kind.PEEK else None
    codes = generator.standard_normal((count, latent_dim), dtype=np.float32)
    values = [*(place if place is not None else ()), *codes.ravel()]

    question = unpack_question(message(kind, values, projection=projection, x=x, y=y, number=number), latent_dim)

    assert (question.kind, question.projection, question.axes, question.number) == (kind, projection, (x, y), number)
    np.testing.assert_array_equal(question.codes, codes)
    assert (question.place is None) == (place is None)
    if place is not None:
        np.testing.assert_array_equal(question.place, place)
