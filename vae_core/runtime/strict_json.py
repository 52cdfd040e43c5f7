"""Frozen dataclasses as JSON, read strictly: an unknown key, a wrong type or a broken rule is a `ConfigError`."""

from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from vae_core.errors import ConfigError

__all__ = ["CAMEL", "STRICT", "config_from_json", "config_to_json", "first_problem"]

LONGEST_SHOWN = 80  # characters of a wrong value that a message repeats

ConfigT = TypeVar("ConfigT")

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

# Of a class that a page knows as well: Python and files have a field's own name, JavaScript its camelCase alias.
CAMEL = ConfigDict(**STRICT, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


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
        raise ConfigError(first_problem(error, "the file")) from error


def first_problem(error: ValidationError, whole: str) -> str:
    """The first rule that is broken, by which value, in one sentence.

    Args:
        error: What pydantic found.
        whole: What to call the place where it is not a part that is wrong, such as "the file".
    """
    problem: Any = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"]) or whole
    received = repr(problem["input"])
    shown = received if len(received) <= LONGEST_SHOWN else received[: LONGEST_SHOWN - 3] + "..."
    return f"{place}: {problem['msg']}, got {shown}."
