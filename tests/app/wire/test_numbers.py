"""How strictly a class that `strict` made is read."""

from dataclasses import FrozenInstanceError, field, replace

import pytest
from pydantic import TypeAdapter, ValidationError

from app.wire.numbers import Number, strict
from vae_core.latent.codes import FLOAT32_MAX


@strict
class Sample:
    """What is read here."""

    count: int
    share: Number = 0
    names: dict[int, str] = field(default_factory=dict)
    packed: bytes = b""


READ = TypeAdapter(Sample)


def test_what_fits_is_read_from_json():
    read = READ.validate_json(f'{{"count": 3, "share": {-FLOAT32_MAX}, "names": {{"1": "a"}}, "packed": "AQI="}}')
    assert read == Sample(3, share=-FLOAT32_MAX, names={1: "a"}, packed=b"\x01\x02")
    assert Sample.__doc__ == "What is read here."


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"count": "3"}',
        '{"count": 3.5}',
        '{"count": true}',
        '{"count": 3, "more": 1}',
        '{"count": 3, "share": Infinity}',
        '{"count": 3, "share": 1e39}',
        '{"count": 3, "packed": "?"}',
    ],
)
def test_nothing_is_converted_left_over_infinite_or_beyond_single_precision(text: str):
    with pytest.raises(ValidationError):
        READ.validate_json(text)


def test_it_is_frozen_and_can_be_replaced_in_parts():
    with pytest.raises(FrozenInstanceError):
        Sample(1).count = 2
    assert replace(Sample(1), count=2) == Sample(2)
