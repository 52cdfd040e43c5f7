"""How strictly what a page sends is read, and by which names."""

from dataclasses import FrozenInstanceError, field, replace

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from app.wire.numbers import WIRE, Number, from_page, to_page
from vae_core.latent.codes import FLOAT32_MAX


@dataclass(frozen=True, config=WIRE)
class Sample:
    """What is read here."""

    count: int
    share: Number = 0
    names: dict[int, str] = field(default_factory=dict)
    packed: bytes = b""
    frames_a_leg: int = 90


READ = TypeAdapter(Sample)


def test_what_fits_is_read_from_json():
    read = from_page(READ, f'{{"count": 3, "share": {-FLOAT32_MAX}, "names": {{"1": "a"}}, "packed": "AQI="}}')
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
        from_page(READ, text)


def test_it_is_frozen_and_can_be_replaced_in_parts():
    with pytest.raises(FrozenInstanceError):
        Sample(1).count = 2
    assert replace(Sample(1), count=2) == Sample(2)


def test_a_field_has_javascripts_name_on_the_page_and_its_own_in_python():
    sample = Sample(3, frames_a_leg=7)
    assert from_page(READ, '{"count": 3, "framesALeg": 7}') == sample
    assert to_page(READ, sample) == {"count": 3, "share": 0, "names": {}, "packed": "", "framesALeg": 7}
    with pytest.raises(ValidationError, match="frames_a_leg"):
        from_page(READ, '{"count": 3, "frames_a_leg": 7}')
