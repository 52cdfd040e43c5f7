"""The terms of the objective: pure functions, one value per image, in nats.

ELBO = E_q[log p(x|z)] - KL(q(z|x) || N(0, I)). Sums run over pixels and latent dimensions, and the
loss is the mean over the batch of reconstruction + weight * KL, that is of -ELBO when the weight is 1.
"""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.models.config import Precision
from vae_core.models.pixel_likelihood import LOG_2PI, pixel_nats
from vae_core.models.posterior import Posterior
from vae_core.models.precision import products_in
from vae_core.models.vae import VAE

__all__ = [
    "EVALUATION_BATCH",
    "Terms",
    "encode_in",
    "free_bits_penalty",
    "loss",
    "reconstruction_nats",
    "sampled_terms",
    "terms_at",
    "total_correlation",
]

EVALUATION_BATCH = 500  # images at a time where terms are measured, not learned from


@dataclass(frozen=True, eq=False)
class Terms:
    """The two terms of -ELBO for each image of a batch, in nats.

    Attributes:
        reconstruction: -log p(x|z) at one sampled z, summed over pixels, [batch].
        kl: KL per latent dimension, [batch, latent]; zero for a plain autoencoder, whose objective has no KL term.
    """

    reconstruction: Float[Tensor, " batch"]
    kl: Float[Tensor, "batch latent"]

    @property
    def negative_elbo(self) -> Float[Tensor, " batch"]:
        """Reconstruction + KL, nats, [batch]; an upper bound of -log p(x) in expectation over z."""
        return self.reconstruction + self.kl.sum(dim=1)


def reconstruction_nats(
    model: VAE, logits: Float[Tensor, "batch channel height width"], images: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, " batch"]:
    """-log p(x|z) of each image at the z of its logits, in nats, [batch]; see `pixel_nats`."""
    return pixel_nats(logits, images, model.log_sigma)


def encode_in(model: VAE, images: Float[Tensor, "batch channel height width"], precision: Precision) -> Posterior:
    """The posteriors, in float32, from an encoder whose products are of the given precision."""
    with products_in(precision, model.device):
        posterior = model.encode(images)
    return posterior if precision == "float32" else Posterior(posterior.mean.float(), posterior.logvar.float())


def terms_at(
    model: VAE,
    images: Float[Tensor, "batch channel height width"],
    posterior: Posterior,
    z: Float[Tensor, "batch latent"],
    precision: Precision = "float32",
) -> Terms:
    """Both terms of -ELBO for images whose z, drawn from their posterior, is given."""
    with products_in(precision, model.device):
        logits = model.logits(z)
    logits = logits if precision == "float32" else logits.float()
    kl = posterior.kl() if model.config.variational else torch.zeros_like(posterior.mean)
    return Terms(reconstruction_nats(model, logits, images), kl)


def sampled_terms(
    model: VAE,
    images: Float[Tensor, "batch channel height width"],
    generator: torch.Generator,
) -> tuple[Terms, Posterior]:
    """Encode, draw one z for each image from `generator`, decode, and return both terms with the posterior."""
    posterior = model.encode(images)
    return terms_at(model, images, posterior, posterior.sample(generator)), posterior


def total_correlation(posterior: Posterior, z: Float[Tensor, "batch latent"], count: int) -> Float[Tensor, ""]:
    """KL(q(z) || prod_j q(z_j)) in nats: how far the dimensions of the aggregate posterior depend on each other.

    Minibatch-stratified sampling: Chen et al. 2018 (arXiv:1802.04942), appendix C.2. The logarithm of its unbiased
    estimate of q(z) is biased, less so for larger batches.

    Args:
        posterior: Posterior of a batch drawn without replacement; of a single image the estimate is 0.
        z: Codes drawn from the posterior.
        count: Number of images of the whole set, at least as many as the batch.
    """
    if len(z) < 2:  # nothing to compare with: the last image of an odd set
        return z.new_zeros(())
    at, mean, logvar = z.t()[:, :, None], posterior.mean.t()[:, None, :], posterior.logvar.t()[:, None, :]
    # [latent, batch of z, batch of posteriors], in which every sum but the joint one runs along the memory
    log_density = (at - mean).square() * (-0.5 * torch.exp(-logvar)) - 0.5 * (logvar + LOG_2PI)
    weight = _stratified_log_weights(len(z), count, z.device)  # [batch of z, batch of posteriors]
    joint = torch.logsumexp(weight + log_density.sum(dim=0), dim=1)  # log q(z), [batch]
    # No maximum has to be taken out: a z lies within its own posterior, so that the sum is never rounded to 0.
    apart = (torch.exp(log_density) * weight.exp()).sum(dim=2).log().sum(dim=0)  # sum_j log q(z_j), [batch]
    return (joint - apart).mean()


@functools.lru_cache(maxsize=4)
def _stratified_log_weights(batch: int, count: int, device: torch.device) -> Float[Tensor, "batch batch"]:
    """How much each posterior of a batch stands for in q(z): itself 1 in `count`, the others for all the rest.

    Rows sum to 1: 1/N for the own posterior, 1/(B - 1) for the others but one, whose weight makes up for the two.
    """
    others = batch - 1
    weights = torch.full((batch, batch), 1 / others, device=device)
    weights.fill_diagonal_(1 / count)
    rows = torch.arange(batch, device=device)
    weights[rows, (rows + 1) % batch] = (count - others) / (count * others)
    return weights.log()


def free_bits_penalty(kl: Float[Tensor, "batch latent"], free_bits: float) -> Float[Tensor, ""]:
    """The batch's mean KL in nats, each dimension counted as at least `free_bits` nats.

    Kingma et al. 2016 (arXiv:1606.04934), equation 15, with one dimension a group. Zero gives the plain mean.
    """
    per_dimension = kl.mean(dim=0)  # [latent]
    return per_dimension.clamp_min(free_bits).sum()


def loss(terms: Terms, *, weight: float, free_bits: float = 0.0) -> Float[Tensor, ""]:
    """What training minimises, in nats: mean reconstruction + weight * mean KL."""
    return terms.reconstruction.mean() + weight * free_bits_penalty(terms.kl, free_bits)
