"""Copies of pictures to keep: no larger than any model needs, whatever the file was."""

from io import BytesIO
from math import sqrt

from PIL import Image

__all__ = ["COPY_PIXELS", "COPY_SIDE", "reduced_copy"]

COPY_PIXELS = 2_000_000  # a hundred times what a model of 128 x 128 pixels sees
COPY_SIDE = 16_383  # pixels: WebP's own limit
QUALITY = 95  # of 100, for what is averaged from a larger picture; 2 megapixels take 0.7 MB, without loss 4


def reduced_copy(picture: Image.Image) -> bytes:
    """The picture as a WebP file of at most `COPY_PIXELS` pixels and `COPY_SIDE` on a side.

    One that has no more is kept without loss, under transparent places as well; a larger one is averaged down.

    Args:
        picture: As `vae_core.images.files.open_picture` gives it; left as it is.
    """
    width, height = picture.size
    scale = min(1.0, sqrt(COPY_PIXELS / (width * height)), COPY_SIDE / max(width, height))
    file = BytesIO()
    if scale == 1:
        picture.save(file, "WEBP", lossless=True, quality=0, method=0, exact=True)
    else:
        size = max(1, int(width * scale)), max(1, int(height * scale))
        small = picture.resize(size, Image.Resampling.BOX)
        small.save(file, "WEBP", quality=QUALITY, method=0)
    return file.getvalue()
