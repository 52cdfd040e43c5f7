"""What settings say of themselves: in words, as options and as a JSON schema."""

import dataclasses
from dataclasses import field
from typing import Annotated, Literal

import pytest
from pydantic import Field

from vae_core.errors import ConfigError
from vae_core.runtime.setting_rules import Setting, json_schema, rule_at, settings_of
from vae_core.runtime.strict_json import config_from_json, config_to_json, settings


@settings
class Inner:
    """A class within another."""

    share: Annotated[float, Field(ge=0, le=1)] = 0.5


@settings
class Sample:
    """One setting of each kind."""

    needed: Annotated[str, Field(min_length=1, description="a word")]
    count: Annotated[int, Field(ge=1, le=20_000, description="how many", json_schema_extra={"unit": "images"})] = 7
    rate: Annotated[float, Field(gt=0)] = 0.25
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    kind: Literal["one", "two", "three"] = "two"
    side: Literal[1, 3] = 1
    switch: bool = False
    sizes: Annotated[tuple[Annotated[int, Field(ge=1, le=9)], ...], Field(min_length=1, max_length=4)] = (3, 4)
    pair: Annotated[tuple[float, ...], Field(min_length=2, max_length=2)] = (0.0, 1.0)
    word: Annotated[str, Field(max_length=5, alias="pageWord")] = "abc"
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"count": 0}, "count must be a whole number from 1 to 20,000 (images), got 0; try 7."),
        ({"count": 1.5}, "count must be a whole number from 1 to 20,000 (images), got 1.5; try 7."),
        ({"count": True}, "count must be a whole number from 1 to 20,000 (images), got True; try 7."),
        ({"rate": 0.0}, "rate must be a finite number above 0, got 0.0; try 0.25."),
        ({"rate": float("nan")}, "rate must be a finite number above 0, got nan; try 0.25."),
        ({"rate": float("inf")}, "rate must be a finite number above 0, got inf; try 0.25."),
        ({"seed": 2**63}, "seed must be a whole number from 0 to 2^63 - 1, got 9223372036854775808; try 0."),
        ({"kind": "four"}, "kind must be one, two or three, got 'four'; try two."),
        ({"side": 2}, "side must be 1 or 3, got 2; try 1."),
        ({"switch": 1}, "switch must be true or false, got 1."),
        ({"sizes": ()}, "sizes must be a list of 1 to 4 values, got (); try (3, 4)."),
        ({"sizes": (3, 10)}, "sizes.1 must be a whole number from 1 to 9, got 10."),
        ({"pair": (1.0,)}, "pair must be a list of 2 values, got (1.0,); try (0.0, 1.0)."),
        ({"word": "abcdef"}, "word must be text of at most 5 characters, got 'abcdef'; try abc."),
        ({"needed": ""}, "needed must be text of at least 1 characters, got ''."),
        ({"other": 1}, "other: Unexpected keyword argument, got 1."),
        ({"count": "x" * 200}, f"count must be a whole number from 1 to 20,000 (images), got '{'x' * 76}...; try 7."),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused_with_rule_value_and_what_to_do(values: dict[str, object], sentence: str):
    with pytest.raises(ConfigError) as caught:
        Sample(**{"needed": "yes", **values})  # type: ignore[arg-type]
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"needed": "a", "count": 0}', "count must be a whole number from 1 to 20,000 (images), got 0; try 7."),
        ('{"needed": "a", "inner": {"share": 2}}', "inner.share must be a finite number from 0 to 1, got 2; try 0.5."),
        ('{"needed": "a", "maybe": {"share": 2}}', "maybe.share must be a finite number from 0 to 1, got 2; try 0.5."),
        ('{"needed": "a", "inner": {"part": 2}}', "inner.part: Unexpected keyword argument, got 2."),
        ('{"needed": "a", "pageWord": "b"}', "pageWord: Unexpected keyword argument, got 'b'."),
        ("{}", "needed: it is missing; give one."),
        ('{"needed": "a"', "the file: Invalid JSON: EOF while parsing an object at line 1 column 14, got"),
    ],
)
def test_from_json_the_sentence_is_the_same_with_the_place(text: str, sentence: str):
    with pytest.raises(ConfigError) as caught:
        config_from_json(Sample, text)
    assert str(caught.value).startswith(sentence)


def test_settings_are_frozen_equal_by_value_hashable_and_come_back_from_json():
    sample = Sample("yes", count=9, word="page")
    assert sample == Sample("yes", count=9, word="page") != Sample("yes")
    assert hash(sample) == hash(Sample("yes", count=9, word="page"))
    assert config_from_json(Sample, config_to_json(sample)) == sample
    assert '"word": "page"' in config_to_json(sample)
    assert dataclasses.replace(sample, count=10).count == 10
    with pytest.raises(ConfigError, match="count must be"):
        dataclasses.replace(sample, count=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        sample.count = 3  # type: ignore[misc]


def test_each_setting_says_how_it_is_chosen():
    found = {each.name: each for each in settings_of(Sample)}
    assert list(found) == ["needed", "count", "rate", "seed", "kind", "side", "switch", "sizes", "pair", "word"]
    assert found["needed"] == Setting("needed", str, False, (), dataclasses.MISSING, "", "", "a word")
    assert found["count"] == Setting("count", int, False, (), 7, "1 to 20,000", "images", "how many")
    assert found["rate"] == Setting("rate", float, False, (), 0.25, "above 0", "", "")
    assert found["kind"] == Setting("kind", str, False, ("one", "two", "three"), "two", "", "", "")
    assert found["side"] == Setting("side", int, False, (1, 3), 1, "", "", "")
    assert found["switch"] == Setting("switch", bool, False, (), False, "", "", "")
    assert found["sizes"] == Setting("sizes", int, True, (), (3, 4), "", "", "")


def test_the_schema_has_each_range_unit_description_and_default():
    count = json_schema(Sample)["properties"]["count"]
    assert (count["minimum"], count["maximum"], count["default"]) == (1, 20_000, 7)
    assert (count["description"], count["unit"]) == ("how many", "images")
    assert json_schema(Sample)["properties"]["kind"]["enum"] == ["one", "two", "three"]
    assert "word" in json_schema(Sample)["properties"]


def test_of_what_has_no_rule_none_is_told():
    assert rule_at(Sample, ("nosuch",)) is None
    assert rule_at(Sample, ("inner",)) is None
    assert rule_at(Sample, ()) is None
    assert rule_at(int, ("count",)) is None
