"""The model that a page shows: what the page asks about is answered by that one or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from vae_core.errors import ChangedError
from vae_core.inference.engine import Engine
from vae_core.store.opening import StoredModel

__all__ = ["ShownModel"]


@dataclass(frozen=True)
class ShownModel:
    """What a page says of the model that it shows.

    Attributes:
        name: Name of the model.
        digest: Digest of its weights, of which the page's codes are; empty where the page does not say.
        reference: Digest of its reference set, of which the page's map is; empty where the page does not say.
    """

    name: str
    digest: str = ""
    reference: str = ""

    @classmethod
    def of_request(cls, path: Mapping[str, str], query: Mapping[str, str]) -> Self:
        """Read it from a request's address."""
        return cls(path["model"], query.get("digest", ""), query.get("reference", ""))

    @classmethod
    def of(cls, loaded: StoredModel) -> Self:
        """What a page says that shows this model."""
        return cls(loaded.name, loaded.digest, loaded.reference_digest)

    def load(self, engine: Engine) -> StoredModel:
        """The model, which is what the page takes it for.

        Raises:
            ChangedError: It was trained or evaluated anew: codes would be placed on a map that they do not belong to.
            ModelError: There is none of that name, or its files are damaged.
            ConfigError: Its config.json breaks a rule.
        """
        loaded = engine.load(self.name)
        if self.digest not in ("", loaded.digest) or self.reference not in ("", loaded.reference_digest):
            how = "evaluated" if self.digest in ("", loaded.digest) else "trained"
            raise ChangedError(f"{self.name} was {how} anew; the page shows the new one shortly.")
        return loaded
