"""What a model makes of one image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.inference.engine import Engine
from vae_core.models.posterior import Posterior
from vae_core.store.opening import StoredModel

__all__ = ["ELBO_SAMPLES", "Analysis", "analyse"]

ELBO_SAMPLES = 64  # posterior samples behind each figure on a page
ELBO_SEED = 0


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the model makes of one image.

    Attributes:
        mean: mu, [latent].
        std: sigma, [latent].
        kl: KL of each dimension in nats, [latent]; zero for a plain autoencoder.
        reconstruction: The image decoded from the mean, [channel, height, width] in [0, 1].
        reconstruction_nats: -log p(x|z), average of `ELBO_SAMPLES` posterior samples.
    """

    mean: Float[np.ndarray, " d"]
    std: Float[np.ndarray, " d"]
    kl: Float[np.ndarray, " d"]
    reconstruction: Float[Tensor, "channel height width"]
    reconstruction_nats: float

    @property
    def kl_nats(self) -> float:
        """KL summed over dimensions, nats."""
        return float(self.kl.sum())

    @property
    def elbo(self) -> float:
        """The evidence lower bound, nats; for a plain autoencoder minus the reconstruction term."""
        return -(self.reconstruction_nats + self.kl_nats)


def analyse(engine: Engine, loaded: StoredModel, images: Sequence[Float[Tensor, "c h w"]]) -> list[Analysis]:
    """Encode and reconstruct images, each on its own, so that its figures never depend on its company.

    Args:
        engine: Runs the model.
        loaded: The model.
        images: [channel, height, width] each, in [0, 1].

    Raises:
        InputError: An image has another shape than the model's.
        BusyError: Too many requests wait.
    """
    return [_analyse_one(engine, loaded, image[None]) for image in images]


def _analyse_one(engine: Engine, loaded: StoredModel, image: Float[Tensor, "1 c h w"]) -> Analysis:
    posterior = engine.encode(loaded, image, alone=True)
    variational = loaded.spec.variational
    kl = posterior.kl() if variational else torch.zeros_like(posterior.mean)
    return Analysis(
        mean=posterior.mean[0].numpy(),
        std=posterior.std[0].numpy(),
        kl=kl[0].numpy(),
        reconstruction=engine.decode(loaded, posterior.mean.numpy(), alone=True)[0],
        reconstruction_nats=_sampled_nats(engine, loaded, image, posterior),
    )


def _sampled_nats(engine: Engine, loaded: StoredModel, image: Float[Tensor, "1 c h w"], posterior: Posterior) -> float:
    many = Posterior(posterior.mean.expand(ELBO_SAMPLES, -1), posterior.logvar.expand(ELBO_SAMPLES, -1))
    z = many.sample(torch.Generator().manual_seed(ELBO_SEED))  # [sample, latent]
    nats = engine.reconstruction_nats(loaded, image.expand(ELBO_SAMPLES, -1, -1, -1), z, alone=True)
    return nats.mean().item()
