"""How strictly what comes from outside is read: nothing is converted, left over or infinite."""

from dataclasses import dataclass, field
from typing import Annotated, TypeVar, dataclass_transform

from pydantic import ConfigDict, Field

from vae_core.latent.codes import FLOAT32_MAX
from vae_core.runtime import strict_json

__all__ = ["STRICT", "Number", "Numbers", "strict"]

STRICT = ConfigDict(**strict_json.STRICT, val_json_bytes="base64")

Number = Annotated[float, Field(ge=-FLOAT32_MAX, le=FLOAT32_MAX)]  # that float32 can hold
Numbers = tuple[Number, ...]

Read = TypeVar("Read")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def strict(cls: type[Read]) -> type[Read]:
    """Make a frozen dataclass of a class, which pydantic reads by `STRICT`."""
    cls.__pydantic_config__ = STRICT  # type: ignore[attr-defined]  # pydantic's own name for it
    return dataclass(frozen=True)(cls)
