"""What groups and directions may be called."""

import pytest

from tests.contracts import contract
from vae_core.errors import InputError
from vae_core.latent.names import NAME_LIMIT, check_name


@pytest.mark.parametrize(
    "name", ["a", "x" * NAME_LIMIT, "rundes Lächeln", "笑顔", "👩‍🦰", "می‌خندد", "a/b\\..", "<b>", "=1+1"]
)
def test_names_may_be_any_text_that_can_be_seen(name: str) -> None:
    check_name(name, "a group")


@pytest.mark.parametrize("name", ["", " ", "\u00a0 ", "\u200d", "\u200d \u200d", "x" * (NAME_LIMIT + 1)])
def test_names_of_no_or_too_many_characters_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"a group's name has 1 to {NAME_LIMIT} characters, got {len(name)}"):
        check_name(name, "a group")


@pytest.mark.parametrize(
    "character", ["\n", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u200b", "\ufeff", "\ud800"]
)
def test_names_with_unseen_characters_are_refused(character: str) -> None:
    with pytest.raises(InputError, match="no control or other unseen characters") as caught:
        check_name(f"a{character}b", "a direction")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("case", contract("names"), ids=lambda case: repr(case["typed"])[:24])
def test_what_the_page_makes_of_a_typed_name_is_a_name(case: dict[str, str]) -> None:
    if case["kept"]:
        check_name(case["kept"], "a group")
    if case["kept"] != case["typed"].strip():  # so the page had to change it
        with pytest.raises(InputError):
            check_name(case["typed"].strip(), "a group")
