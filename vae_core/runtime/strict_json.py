"""Settings and what else is written as JSON: an unknown key, a wrong type or a broken rule is a `ConfigError`."""

import functools
from dataclasses import field
from typing import Any, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from vae_core.errors import ConfigError
from vae_core.runtime.setting_rules import rule_at

__all__ = ["CAMEL", "STRICT", "config_from_json", "config_to_json", "first_problem", "settings"]

LONGEST_SHOWN = 80  # characters of a wrong value that a message repeats

ConfigT = TypeVar("ConfigT")

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

# Of a class that a page knows as well: Python and files have a field's own name, JavaScript its camelCase alias.
CAMEL = ConfigDict(**STRICT, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)

# Fields are called by their names where a problem is told, also where a page has another name for them.
SETTINGS = ConfigDict(**STRICT, validate_by_name=True, validate_by_alias=True, loc_by_alias=False)

MISSING, UNKNOWN = ("missing", "missing_argument"), "unexpected_keyword_argument"  # problems that are no value's


@dataclass_transform(frozen_default=True, field_specifiers=(field, Field))
def settings(kind: type[ConfigT]) -> type[ConfigT]:
    """Make a frozen dataclass of settings: each field says its rule once, by pydantic's `Field`, and is checked by it.

    A value that breaks a rule is a `ConfigError`, from Python as from JSON.
    """
    made: Any = dataclass(frozen=True, config=SETTINGS)(kind)
    check = made.__init__

    @functools.wraps(check)
    def initialise(self: Any, *args: Any, **values: Any) -> None:
        try:
            check(self, *args, **values)
        except ValidationError as error:
            raise ConfigError(first_problem(error, made.__name__, made)) from error

    made.__init__ = initialise
    return cast("type[ConfigT]", made)


def config_to_json(config: object) -> str:
    """The configuration as indented JSON text, ending in a newline."""
    return TypeAdapter(type(config)).dump_json(config, indent=2).decode() + "\n"


def config_from_json(kind: type[ConfigT], text: str | bytes) -> ConfigT:
    """Read a configuration of the given kind.

    Raises:
        ConfigError: The text is not JSON, has an unknown key, lacks a required one, or holds a
            value of the wrong type or outside its range.
    """
    try:
        return TypeAdapter(kind).validate_json(text, by_alias=False, by_name=True)
    except ValidationError as error:
        raise ConfigError(first_problem(error, "the file", kind)) from error


def first_problem(error: ValidationError, whole: str, kind: Any = None) -> str:
    """The first rule that is broken, by which value, in one sentence.

    Args:
        error: What pydantic found.
        whole: What to call the place where it is not a part that is wrong, such as "the file".
        kind: The class that was read, whose fields say their rules.
    """
    problem: Any = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"]) or whole
    received = repr(problem["input"])
    shown = received if len(received) <= LONGEST_SHOWN else received[: LONGEST_SHOWN - 3] + "..."
    if problem["type"] in MISSING:
        return f"{place}: it is missing; give one."
    rule = None if problem["type"] == UNKNOWN else rule_at(kind, problem["loc"])
    if rule is None:
        return f"{place}: {problem['msg']}, got {shown}."
    return f"{place} must be {rule.words}, got {shown}{f'; try {rule.example}' if rule.example else ''}."
