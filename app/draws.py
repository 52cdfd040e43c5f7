"""Fresh draws of codes, of two kinds: what a model was meant to be fed, and what its codes look like."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from vae_core.inference import LoadedModel
from vae_core.latent import sample_prior

__all__ = ["Source", "draw_code"]

Source = Literal["prior", "data"]


def draw_code(loaded: LoadedModel, source: Source) -> Float[np.ndarray, " d"]:
    """One code, drawn anew each time.

    Args:
        loaded: The model.
        source: ``"prior"`` draws from N(0, I), ``"data"`` from the mixture fitted to codes of training images.

    Raises:
        ModelError: The mixture is asked for and the model has no reference set, which holds it.
    """
    if source == "prior":
        codes = sample_prior(1, loaded.config.latent_dim, np.random.default_rng())
    else:
        generator = torch.Generator()
        generator.seed()  # one of its own: torch's shared one is no business of several threads
        codes = loaded.need_reference().mixture.sample(1, generator).numpy()
    code: np.ndarray = codes[0]
    return code
