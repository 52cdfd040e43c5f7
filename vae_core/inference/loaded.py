"""A stored model in memory."""

from dataclasses import dataclass
from pathlib import Path

from vae_core.errors import ModelError
from vae_core.models.config import ModelConfig
from vae_core.models.vae import VAE
from vae_core.reference.reference_set import Reference

__all__ = ["LoadedModel"]


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A stored model in memory.

    Attributes:
        name: Its name.
        folder: Where it is stored.
        digest: 32 hexadecimal digits of what the network computes (see `vae_core.store.identity`): codes are of it.
        reference_digest: 32 hexadecimal digits of the reference set, of which indices and places on maps are; empty
            when none is stored.
        model: The network, in evaluation mode.
        reference: Its reference set; None when none is stored.
    """

    name: str
    folder: Path
    digest: str
    reference_digest: str
    model: VAE
    reference: Reference | None

    @property
    def config(self) -> ModelConfig:
        """The model's configuration."""
        return self.model.config

    def need_reference(self) -> Reference:
        """The reference set.

        Raises:
            ModelError: None is stored.
        """
        if self.reference is None:
            raise ModelError(
                f"{self.name} has no reference set, so no map; run `python -m vae_core evaluate {self.name}`."
            )
        return self.reference
