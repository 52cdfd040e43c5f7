"""Draws of codes from the mixture that was fitted to a model's codes."""

import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.errors import InputError
from vae_core.latent.mixture import Mixture

__all__ = ["draw_codes"]


def draw_codes(mixture: Mixture, count: int, generator: torch.Generator) -> Float[Tensor, "n d"]:
    """Codes drawn from a mixture, float32 [count, latent]; the randomness comes from `generator` alone.

    Args:
        mixture: Density of the codes.
        count: Number of codes to draw.
        generator: Source of the randomness.

    Raises:
        InputError: `count` is below 1.
    """
    if count < 1:
        raise InputError(f"at least 1 code is drawn from a mixture, got a count of {count}.")
    components = torch.multinomial(torch.from_numpy(mixture.weights), count, replacement=True, generator=generator)
    z = torch.randn(count, mixture.means.shape[1], generator=generator, device=generator.device)
    for component in components.unique().tolist():  # one by one: a factor for each draw would fill the memory
        rows = components == component
        factor, mean = torch.from_numpy(mixture.factors[component]), torch.from_numpy(mixture.means[component])
        z[rows] = mean + z[rows] @ factor.T
    return z
