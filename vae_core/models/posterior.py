"""What an encoder says of images: a Gaussian for each one, from which codes are drawn, and its KL from the prior."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Posterior"]


@dataclass(frozen=True, eq=False)
class Posterior:
    """q(z|x): one Gaussian with diagonal covariance for each image.

    A plain autoencoder's posterior is a point: its log-variance is minus infinity, so `std` is 0,
    `sample` returns the mean and `kl` is infinite.

    Attributes:
        mean: mu, [batch, latent].
        logvar: log sigma^2, [batch, latent].
    """

    mean: Float[Tensor, "batch latent"]
    logvar: Float[Tensor, "batch latent"]

    @property
    def std(self) -> Float[Tensor, "batch latent"]:
        """sigma, [batch, latent]."""
        return torch.exp(0.5 * self.logvar)

    def sample(self, generator: torch.Generator) -> Float[Tensor, "batch latent"]:
        """One z for each image, [batch, latent], by z = mu + sigma * eps (Kingma & Welling 2014, section 2.4).

        The noise comes from `generator` alone, and gradients reach mu and sigma.
        """
        eps = torch.randn(self.mean.shape, generator=generator, device=generator.device, dtype=self.mean.dtype)
        return self.mean + self.std * eps.to(self.mean.device)

    def kl(self) -> Float[Tensor, "batch latent"]:
        """KL(q(z_j|x) || N(0, 1)) for each image and dimension, in nats, never negative.

        -1/2 (1 + log sigma^2 - mu^2 - sigma^2): Kingma & Welling 2014 (arXiv:1312.6114), appendix B.
        """
        # expm1 keeps the digits that 1 - sigma^2 loses for sigma near 1; the clamp removes a last rounding below 0.
        return (0.5 * (self.mean.square() + torch.expm1(self.logvar) - self.logvar)).clamp_min(0.0)
