"""A picture moved, resized and turned: what the first dimensions of a decoder with a place for its object do.

A decoder that draws its object on a canvas and puts the canvas where it belongs has position, size and angle built in
as dimensions of their own (spatial-VAE: Bepler et al. 2019, arXiv:1909.11663; moving windows in generative models:
Jaderberg et al. 2015, arXiv:1506.02025).
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

__all__ = ["POSE_DIMENSIONS", "place"]

POSE_DIMENSIONS = 4  # right, down, larger, clockwise
# What a step of 1 does: with codes of unit variance most pictures' objects stay inside.
SHIFT = 0.3  # of half a side
GROWTH = 0.25  # of the logarithm of the size
TURN = 1.0  # radians


def place(
    canvas: Float[Tensor, "batch channel height width"], pose: Float[Tensor, "batch 4"]
) -> Float[Tensor, "batch channel height width"]:
    """The canvas moved right and down, enlarged and turned clockwise about its middle, by pose's four columns.

    Places are sampled bilinearly; beyond the canvas its border goes on.

    Args:
        canvas: What is drawn, such as logits.
        pose: In steps, [batch, 4]; all zero leaves the canvas as it is.
    """
    with torch.autocast("cpu", enabled=False):
        right, down = SHIFT * pose[:, 0].float(), SHIFT * pose[:, 1].float()
        shrink, angle = torch.exp(-GROWTH * pose[:, 2].float()), TURN * pose[:, 3].float()
        cos, sin = shrink * angle.cos(), shrink * angle.sin()
        # From a place of the picture to that of the canvas which it shows: back, then turned the other way.
        first = torch.stack([cos, sin, -(cos * right + sin * down)], dim=1)
        second = torch.stack([-sin, cos, sin * right - cos * down], dim=1)
        grid = functional.affine_grid(torch.stack([first, second], dim=1), list(canvas.shape), align_corners=False)
        return functional.grid_sample(canvas.float(), grid, padding_mode="border", align_corners=False)
