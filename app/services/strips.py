"""A strip: some of what a model decodes, side by side."""

from jaxtyping import Float
from torch import Tensor

from vae_core.images.mosaic import CLEAR, montage
from vae_core.images.pixels import enlarge, pixels_of, to_png

__all__ = ["PICTURES", "side_by_side"]

PICTURES = 8  # in a strip
HEIGHT = 64  # pixels, at least: twice what the page shows, for fine screens
GAP = 1 / 14  # of a picture's width


def side_by_side(pictures: Float[Tensor, "n channel height width"]) -> bytes:
    """Pictures in a row on a clear ground, enlarged to at least `HEIGHT`, as a PNG file."""
    large = enlarge(pixels_of(pictures), -(-HEIGHT // pictures.shape[2]))  # rounded up
    gap = round(GAP * large.shape[2])
    return to_png(montage(large, columns=len(pictures), gap=gap, background=CLEAR))
