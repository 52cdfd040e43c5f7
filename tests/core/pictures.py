"""Pictures that tests make."""

from io import BytesIO

import numpy as np
from PIL import Image

ORANGE = (240, 120, 40)


def encode(picture, file_format, **options):
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def solid(mode, colour, size=(20, 12)):
    return Image.new(mode, size, colour)


def from_values(values, dtype):
    return Image.fromarray(np.array(values, dtype=dtype))
