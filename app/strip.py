"""A strip: some of what a model decodes, side by side."""

from io import BytesIO

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from vae_core.images import image_to_pillow

__all__ = ["PICTURES", "side_by_side"]

PICTURES = 8  # in a strip
HEIGHT = 64  # pixels, at least: twice what the page shows, for fine screens
GAP = 1 / 14  # of a picture's width


def side_by_side(pictures: Float[Tensor, "n channel height width"]) -> bytes:
    """Pictures in a row on a clear ground, enlarged to at least `HEIGHT`, as a PNG file."""
    scale = -(-HEIGHT // pictures.shape[2])  # rounded up
    height, width = scale * pictures.shape[2], scale * pictures.shape[3]
    step = width + round(GAP * width)
    strip = Image.new("RGBA", (step * (len(pictures) - 1) + width, height))
    for place, picture in enumerate(pictures):
        large = image_to_pillow(picture).resize((width, height), Image.Resampling.NEAREST)
        strip.paste(large, (place * step, 0))
    file = BytesIO()
    strip.save(file, "PNG")
    return file.getvalue()
