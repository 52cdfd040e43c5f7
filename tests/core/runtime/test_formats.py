"""The number of a file's format."""

import pytest

from vae_core.errors import ConfigError
from vae_core.runtime.formats import check_format, number_in


def test_a_known_number_passes() -> None:
    assert check_format(None, newest=3, where="x.json") == 0
    assert check_format(3, newest=3, where="x.json") == 3


def test_a_newer_one_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"^x\.json was made by a newer version .*format 4, .* up to 3\); install"):
        check_format(4, newest=3, where="x.json")


@pytest.mark.parametrize("number", [0, -1, 2.0, "2", True, [], {"a": 1}, "x" * 5000])
def test_what_is_no_number_is_one_short_sentence(number: object) -> None:
    with pytest.raises(ConfigError, match=r"^x\.json: format must be a whole number of at least 1") as caught:
        check_format(number, newest=3, where="x.json")
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("content", "number"),
    [(b'{"format": 2}', 2), (b'{"a": 1}', None), (b"[1]", None), (b"{", None), (b"", None), (b"[" * 100_000, None)],
)
def test_the_number_is_found_without_reading_the_rest(content: bytes, number: object) -> None:
    assert number_in(content) == number
