"""What a model is to those who use one: `Model`, and `ModelSpec` in which it says what it takes and gives.

A network of ours is one (`vae_core.models.vae.VAE`); whatever else fills these four can be explored as well.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from vae_core.images.preparation_options import Preparation
from vae_core.models.config import ModelConfig
from vae_core.models.pixel_likelihood import describe_pixels
from vae_core.models.posterior import Posterior

__all__ = ["Model", "ModelSpec", "spec_of"]


@dataclass(frozen=True)
class ModelSpec:
    """What a model takes and gives.

    Attributes:
        image_shape: (channel, height, width) of one image; 1 channel is grey, 3 are RGB.
        latent_dim: Number of dimensions of a code z.
        variational: False for a plain autoencoder, whose posteriors are points: it has no KL and no ELBO.
        likelihood: Distribution of a pixel given z: ``"bernoulli"``, or ``"gaussian"`` of one learned variance.
        pixels: What the reconstruction term is of, in words for a person.
        preparation: How pictures from outside are brought to what the model was trained on.
        dataset: Name of the data set that the model was trained on; None where that is not known.
    """

    image_shape: tuple[int, int, int]
    latent_dim: int
    variational: bool
    likelihood: Literal["bernoulli", "gaussian"]
    pixels: str
    preparation: Preparation
    dataset: str | None


def spec_of(config: ModelConfig) -> ModelSpec:
    """What a network of this configuration takes and gives."""
    return ModelSpec(
        image_shape=config.image_shape,
        latent_dim=config.latent_dim,
        variational=config.variational,
        likelihood=config.likelihood,
        pixels=describe_pixels(config),
        preparation=config.preparation,
        dataset=config.training.dataset if config.training else None,
    )


@runtime_checkable
class Model(Protocol):
    """A model of images in evaluation: everything that inference and the app need of a network."""

    @property
    def spec(self) -> ModelSpec:
        """What the model takes and gives."""

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> Posterior:
        """Posteriors of images, float32 [batch, channel, height, width] in [0, 1]; nothing random happens."""

    def decode(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        """The likelihood's mean at codes, float32 [batch, latent]: images in [0, 1]."""

    def reconstruction_nats(
        self, images: Float[Tensor, "batch channel height width"], z: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image at its code, in nats, [batch]."""
