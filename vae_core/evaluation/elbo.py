"""Figures of a stored model on its data set's test part, each with its definition."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.latent.neighbours import NeighbourIndex
from vae_core.models.objective import EVALUATION_BATCH, sampled_terms
from vae_core.models.posterior import Posterior
from vae_core.models.vae import VAE
from vae_core.projection.projections import NeighbourMap

__all__ = ["ACTIVE_VARIANCE", "Evaluation", "evaluate_elbo", "placement_agreement", "posteriors"]

ACTIVE_VARIANCE = 0.01  # Burda et al. 2016 (arXiv:1509.00519), section 5.2
COMPARED_NEIGHBOURS = 15


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Per-image terms of -ELBO, in nats, from one posterior sample an image.

    Attributes:
        posterior: Posterior of every image.
        reconstruction: -log p(x|z), [image].
        kl: KL of each dimension, [image, latent]; zero for a plain autoencoder.
    """

    posterior: Posterior
    reconstruction: Float[Tensor, " n"]
    kl: Float[Tensor, "n d"]

    @property
    def negative_elbo(self) -> Float[Tensor, " n"]:
        """Reconstruction + KL, nats, [image]; of a plain autoencoder the reconstruction."""
        return self.reconstruction + self.kl.sum(dim=1)

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds: means in nats, the standard error of -ELBO (None of one image), active units."""
        negative_elbo = self.negative_elbo
        count = len(negative_elbo)
        return {
            "images": count,
            "negative_elbo": negative_elbo.mean().item(),
            "negative_elbo_standard_error": (negative_elbo.std() / count**0.5).item() if count > 1 else None,
            "reconstruction": self.reconstruction.mean().item(),
            "kl": self.kl.sum(dim=1).mean().item(),
            "kl_per_dimension": self.kl.mean(dim=0).tolist(),
            "active_units": int((self.posterior.mean.var(dim=0, correction=0) > ACTIVE_VARIANCE).sum()),
        }


@torch.inference_mode()
def evaluate_elbo(model: VAE, images: Float[Tensor, "n c h w"], *, seed: int = 0) -> Evaluation:
    """Both terms of -ELBO for each image, at one posterior sample drawn with a fixed seed, on the processor.

    Args:
        model: Network in evaluation mode, on any device.
        images: Images from `model_input`.
        seed: Seed of the posterior samples.
    """
    noise = torch.Generator("cpu").manual_seed(seed)
    means, logvars, reconstructions, kls = [], [], [], []
    for batch in images.split(EVALUATION_BATCH):
        terms, posterior = sampled_terms(model, batch.to(model.device), noise)
        means.append(posterior.mean.cpu())
        logvars.append(posterior.logvar.cpu())
        reconstructions.append(terms.reconstruction.cpu())
        kls.append(terms.kl.cpu())
    posterior = Posterior(torch.cat(means), torch.cat(logvars))
    return Evaluation(posterior, torch.cat(reconstructions), torch.cat(kls))


@torch.inference_mode()
def posteriors(model: VAE, pictures: Float[Tensor, "n c h w"]) -> Posterior:
    """The posterior of each picture, as `evaluate_elbo` has it, for where nothing needs to be decoded.

    Args:
        model: Network in evaluation mode, on any device.
        pictures: Images from `model_input`.
    """
    batches = [model.encode(batch.to(model.device)) for batch in pictures.split(EVALUATION_BATCH)]
    means, logvars = [batch.mean.cpu() for batch in batches], [batch.logvar.cpu() for batch in batches]
    return Posterior(torch.cat(means), torch.cat(logvars))


def placement_agreement(placing: NeighbourMap, reducer: Any, codes: Float[np.ndarray, "n d"]) -> dict[str, float | int]:
    """How near our placement of unseen codes comes to umap-learn's own transform, one by one.

    Distances are in percent of the map's diagonal. Kept neighbours: the share of a code's 15 nearest references
    in latent space that are also among the 15 nearest on the map.

    Args:
        placing: The map under test.
        reducer: The fitted umap-learn reducer that laid out the map.
        codes: Unseen ones, [code, latent].
    """
    ours = placing.project(codes)
    compared = placing.references.scaled(codes).astype(np.float32)  # as the reducer was fitted
    theirs = np.concatenate([reducer.transform(code[None]) for code in compared])
    diagonal = float(np.linalg.norm(np.ptp(placing.places, axis=0)))
    distances = 100 * np.linalg.norm(ours - theirs, axis=1) / diagonal
    return {
        "codes": len(codes),
        "distance_median_percent": float(np.median(distances)),
        "distance_p90_percent": float(np.quantile(distances, 0.9)),
        "neighbours_kept": _kept(placing, codes, ours),
        "neighbours_kept_by_umap": _kept(placing, codes, theirs),
    }


def _kept(placing: NeighbourMap, codes: Float[np.ndarray, "n d"], places: Float[np.ndarray, "n 2"]) -> float:
    near, _ = placing.references.nearest(codes, COMPARED_NEIGHBOURS)
    near_on_map, _ = NeighbourIndex(placing.places).nearest(places, COMPARED_NEIGHBOURS)
    shared = [len(set(one) & set(other)) for one, other in zip(near.tolist(), near_on_map.tolist(), strict=True)]
    return float(np.mean(shared) / COMPARED_NEIGHBOURS)
