"""The negative log-likelihood by importance sampling: what -ELBO bounds from above, and the tighter bound to train on.

log p(x) = log E_q(z|x)[p(x|z) p(z) / q(z|x)] is estimated by the log-mean-exp over S samples (Burda, Grosse and
Salakhutdinov 2016, arXiv:1509.00519, equation 8). Its expectation lies below log p(x) and rises with S, so a figure
says its S. At 5,000 samples an image costs seconds: what is estimated so is the gap between -ELBO and the negative
log-likelihood on some of the images, and taken off -ELBO's mean over all of them.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.models.config import Precision
from vae_core.models.objective import Terms, terms_at
from vae_core.models.posterior import Posterior
from vae_core.models.vae import VAE

__all__ = ["importance_bound", "log_density_ratio"]


def importance_bound(
    model: VAE,
    images: Float[Tensor, "batch c h w"],
    posterior: Posterior,
    generator: torch.Generator,
    *,
    samples: int,
    precision: Precision = "float32",
) -> tuple[Float[Tensor, " batch"], Terms]:
    """Minus the importance-weighted bound of each image, nats, [batch], and both terms of -ELBO of the same samples.

    -log 1/S sum_s p(x|z_s) p(z_s) / q(z_s|x), with gradients (Burda et al. 2016, arXiv:1509.00519, equation 8). With
    one sample it is an estimate of -ELBO; with more it lies nearer to -log p(x).

    Args:
        model: Variational network.
        images: [batch, channel, height, width] in [0, 1].
        posterior: Posterior of the images.
        generator: Source of the samples.
        samples: S, the samples of z for each image.
        precision: Precision of the decoder's products.
    """
    many = Posterior(posterior.mean.repeat(samples, 1), posterior.logvar.repeat(samples, 1))  # [sample * batch, latent]
    eps = torch.randn(many.mean.shape, generator=generator, device=generator.device).to(many.mean.device)
    z = many.mean + many.std * eps
    terms = terms_at(model, images.repeat(samples, 1, 1, 1), many, z, precision)
    log_weights = log_density_ratio(z, eps, many.logvar) - terms.reconstruction
    bound = math.log(samples) - log_weights.unflatten(0, (samples, -1)).logsumexp(dim=0)
    return bound, Terms(terms.reconstruction.unflatten(0, (samples, -1)).mean(dim=0), posterior.kl())


def log_density_ratio(
    z: Float[Tensor, "n d"], eps: Float[Tensor, "n d"], logvar: Float[Tensor, "m d"]
) -> Float[Tensor, " n"]:
    """log p(z) - log q(z|x) at z = mu + sigma * eps: the constants of 2 pi cancel, and (z - mu) / sigma is eps."""
    return 0.5 * (eps.square() - z.square() + logvar).sum(dim=1)
