"""Fresh draws of codes that look like those of data."""

import numpy as np
import torch
from jaxtyping import Float

from vae_core.reference.draws import draw_codes
from vae_core.store.opening import StoredModel

__all__ = ["draw_code"]


def draw_code(loaded: StoredModel) -> Float[np.ndarray, " d"]:
    """One code from the mixture fitted to codes of training images, drawn anew each time.

    Raises:
        ModelError: The model has no reference set, which holds the mixture.
    """
    generator = torch.Generator()
    generator.seed()  # one of its own: torch's shared one is no business of several threads
    code: np.ndarray = draw_codes(loaded.need_reference().mixture, 1, generator).numpy()[0]
    return code
