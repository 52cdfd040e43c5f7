"""A picture moved and resized: what the first dimensions of a decoder with a place for its object do.

A decoder that draws its object on a canvas and puts the canvas where it belongs has position and size built in as
dimensions of their own (spatial-VAE: Bepler et al. 2019, arXiv:1909.11663, which turns the canvas as well; spatial
transformers: Jaderberg et al. 2015, arXiv:1506.02025).
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vae_core.models.precision import products_in

__all__ = ["place"]

# What a step of 1 does: with codes of unit variance most pictures' objects stay inside.
SHIFT = 0.3  # of half a side
GROWTH = 0.25  # of the logarithm of the size


def place(
    canvas: Float[Tensor, "batch channel height width"], pose: Float[Tensor, "batch 3"]
) -> Float[Tensor, "batch channel height width"]:
    """The canvas enlarged about its middle and moved right and down, by pose's three columns.

    Places are sampled bilinearly; beyond the canvas its border goes on. There is no turn: while a model has not yet
    found what an angle is good for, its noise turns whatever is drawn, and nothing but discs can be learned.

    Args:
        canvas: Picture to move, such as logits.
        pose: Steps right, down and larger, [batch, 3]; all zero leaves the canvas as it is.
    """
    with products_in("float32", canvas.device):
        right, down = SHIFT * pose[:, 0].float(), SHIFT * pose[:, 1].float()
        shrink = torch.exp(-GROWTH * pose[:, 2].float())
        none = torch.zeros_like(shrink)
        # From a place of the picture to that of the canvas which it shows.
        rows = [torch.stack(row, dim=1) for row in ((shrink, none, -shrink * right), (none, shrink, -shrink * down))]
        grid = functional.affine_grid(torch.stack(rows, dim=1), list(canvas.shape), align_corners=False)
        return functional.grid_sample(canvas.float(), grid, padding_mode="border", align_corners=False)
