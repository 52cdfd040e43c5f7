"""How strictly what comes from outside is read: nothing is converted, left over or infinite."""

from pydantic import ConfigDict

__all__ = ["STRICT"]

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
