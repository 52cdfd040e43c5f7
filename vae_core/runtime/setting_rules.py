"""What the fields of a pydantic dataclass say of themselves: their rule in words, unit, choices, default."""

import types
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

__all__ = ["Rule", "Setting", "json_schema", "rule_at", "settings_of"]


@dataclass(frozen=True)
class Setting:
    """One field that may be chosen.

    Attributes:
        name: Name of the field.
        kind: Type of one value: bool, int, float or str; for a list of values that of the list's entries.
        is_list: Whether the field holds several values.
        choices: All values that there are to choose from; empty where others will do.
        default: Value where none is chosen; `dataclasses.MISSING` where one has to be.
        bounds: Range in words, such as "1 to 512"; empty where every value of the type will do.
        unit: Unit of the value, such as "pixels"; empty where it has none.
        description: Meaning of the field in a phrase.
    """

    name: str
    kind: type
    is_list: bool
    choices: tuple[Any, ...]
    default: Any
    bounds: str
    unit: str
    description: str


def settings_of(kind: type) -> Iterator[Setting]:
    """The settings of a pydantic dataclass, in its order; fields that hold a class of their own are left out."""
    for name, field in _fields(kind).items():
        parts = get_args(field.annotation)
        is_list = get_origin(field.annotation) is tuple
        is_choice = get_origin(field.annotation) is Literal
        value: Any = parts[0] if is_list else type(parts[0]) if is_choice else field.annotation
        value = get_args(value)[0] if get_origin(value) is Annotated else value
        if value not in (bool, int, float, str):
            continue
        yield Setting(
            name=name,
            kind=value,
            is_list=is_list,
            choices=parts if is_choice else (),
            default=_default(field),
            bounds="" if is_list else _bounds(field.metadata),
            unit=_unit(field),
            description=field.description or "",
        )


def json_schema(kind: type) -> dict[str, Any]:
    """The JSON schema of a pydantic dataclass, with each field's range, description, unit and default."""
    return TypeAdapter(kind).json_schema(by_alias=False)


class Rule(NamedTuple):
    """What a value must be.

    Attributes:
        words: Rule as it goes on after "must be", such as "a whole number from 1 to 512 (pixels)".
        example: Value that keeps the rule, as text; empty where none is known.
    """

    words: str
    example: str = ""


def rule_at(kind: Any, place: tuple[str | int, ...]) -> Rule | None:
    """The rule for the value at a place within a pydantic dataclass; None where its fields say none.

    Args:
        kind: The class.
        place: Names of fields and numbers of entries that lead to the value.
    """
    field = _fields(kind).get(str(place[0])) if place else None
    if field is None:
        return None
    if len(place) > 1:
        return _rule_within(field.annotation, place[1:])
    words, unit = _words(field.annotation, field.metadata), _unit(field)
    if words is None:
        return None
    has_example = field.annotation is not bool and field.default is not PydanticUndefined
    example = str(field.default) if has_example else ""
    return Rule(f"{words} ({unit})" if unit else words, example)


def _rule_within(annotation: Any, place: tuple[str | int, ...]) -> Rule | None:
    """The rule for a part of a field: an entry of its list, or a field of its own class."""
    for part in _unwrapped(annotation):
        if get_origin(part) is tuple and len(place) == 1:
            entry = FieldInfo.from_annotation(get_args(part)[0])
            words = _words(entry.annotation, entry.metadata)
            return Rule(words) if words else None
        if found := rule_at(part, place):
            return found
    return None


def _unwrapped(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union; of any other type that type."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _words(annotation: Any, metadata: list[Any]) -> str | None:
    """The rule of a value in words; None of a class, which has rules of its own."""
    if get_origin(annotation) is Literal:
        *others, last = map(str, get_args(annotation))
        return f"{', '.join(others)} or {last}" if others else last
    if get_origin(annotation) is tuple:
        return f"a list of {lengths} values" if (lengths := _lengths(metadata)) else "a list"
    if annotation is str:
        return f"text of {lengths} characters" if (lengths := _lengths(metadata)) else "text"
    if annotation is bool:
        return "true or false"
    if annotation not in (int, float):
        return None
    noun, bounds = "a whole number" if annotation is int else "a finite number", _bounds(metadata)
    return f"{noun} {'from ' if ' to ' in bounds else ''}{bounds}".strip()


def _bounds(metadata: list[Any]) -> str:
    """A number's range in words: "1 to 512", "of at least 1", "above 0"; empty where it has none."""
    low, high, above = (_first(metadata, kind) for kind in (Ge, Le, Gt))
    if low is not None and high is not None:
        return f"{_shown(low.ge)} to {_shown(high.le)}"
    if low is not None:
        return f"of at least {_shown(low.ge)}"
    return f"above {_shown(above.gt)}" if above is not None else ""


def _lengths(metadata: list[Any]) -> str:
    """How long a text or list may be, in words; empty where it may have any length."""
    fewest, most = _first(metadata, MinLen), _first(metadata, MaxLen)
    low, high = fewest.min_length if fewest else 0, most.max_length if most else None
    if high is None:
        return f"at least {low}" if low else ""
    if not low:
        return f"at most {high:,}"
    return f"{low} to {high:,}" if low < high else f"{low}"


def _shown(bound: float) -> str:
    """A bound as people write it: 16,384, 2^63 - 1, 0.99."""
    if isinstance(bound, int):
        is_mask = bound >= 2**31 and (bound + 1).bit_count() == 1
        return f"2^{bound.bit_length()} - 1" if is_mask else f"{bound:,}"
    return f"{bound:g}"


def _fields(kind: Any) -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = getattr(kind, "__pydantic_fields__", {})
    return found


def _first(metadata: list[Any], kind: type) -> Any:
    return next((each for each in metadata if isinstance(each, kind)), None)


def _unit(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _default(field: FieldInfo) -> Any:
    return MISSING if field.default is PydanticUndefined else field.default
