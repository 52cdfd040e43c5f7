"""Frozen dataclasses as JSON, read strictly: an unknown key, a wrong type or a broken rule is a `ConfigError`."""

from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from vae_core.errors import ConfigError

__all__ = ["STRICT", "config_from_json", "config_to_json"]


ConfigT = TypeVar("ConfigT")


STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


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
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        raise ConfigError(_first_problem(error)) from error


def _first_problem(error: ValidationError) -> str:
    problem: Any = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"]) or "the file"
    received = repr(problem["input"])
    return f"{place}: {problem['msg']}, got {received if len(received) <= 80 else received[:77] + '...'}."
