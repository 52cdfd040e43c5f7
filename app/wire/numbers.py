"""How strictly what comes from a page is read: nothing is converted, left over or infinite."""

from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter

from vae_core.latent.codes import FLOAT32_MAX
from vae_core.runtime.strict_json import CAMEL

__all__ = ["WIRE", "Number", "Numbers", "from_page", "to_page"]

# Configuration of a pydantic dataclass that a page sends or is sent.
WIRE = ConfigDict(**CAMEL, val_json_bytes="base64")

Number = Annotated[float, Field(ge=-FLOAT32_MAX, le=FLOAT32_MAX)]  # that float32 can hold
Numbers = tuple[Number, ...]

Read = TypeVar("Read")


def from_page(reader: TypeAdapter[Read], text: str | bytes) -> Read:
    """What a page's JSON says; fields have the names that JavaScript gives them, and no others.

    Raises:
        ValidationError: The text is no JSON, or not what is read.
    """
    return reader.validate_json(text, by_alias=True, by_name=False)


def to_page(writer: TypeAdapter[Read], value: Read) -> Any:
    """The value as JSON has it, with the names that JavaScript gives to fields."""
    return writer.dump_python(value, mode="json", by_alias=True)
