"""How images become pixels and pixels files, level by level."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from vae_core.errors import InputError
from vae_core.images.pixels import FAST, SMALL, enlarge, pixels_of, to_pillow, to_png


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_become_pixels_with_channels_innermost(channels: int) -> None:
    images = torch.rand(5, channels, 4, 6, generator=torch.Generator().manual_seed(0))
    pixels = pixels_of(images.contiguous(memory_format=torch.channels_last))
    assert pixels.shape == (5, 4, 6, channels)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous  # what the live channel sends is the array's memory
    for image, own in zip(images, pixels, strict=True):
        assert np.array_equal(pixels_of(image), own)
        assert np.array_equal(own, (image * 255 + 0.5).floor().permute(1, 2, 0).numpy())


def test_pixels_are_the_nearest_of_256_with_halves_up_and_what_lies_outside_clipped() -> None:
    levels = torch.tensor([0, 0.4 / 255, 0.5 / 255, 1.5 / 255, 126.5 / 255, 254.6 / 255, -0.1, 1.5])
    assert pixels_of(levels.reshape(1, 1, 2, 4)).ravel().tolist() == [0, 0, 1, 2, 127, 255, 0, 255]
    pixels_of(torch.full((1, 1, 2, 2), torch.nan))  # of a code beyond all codes; no warning


def test_images_of_a_network_in_training_become_pixels_too() -> None:
    image = torch.tensor([1, 0.2, 0])[:, None, None].expand(3, 2, 4).requires_grad_()
    assert pixels_of(image)[1, 3].tolist() == [255, 51, 0]
    assert pixels_of(torch.ones(1, 1, 1, dtype=torch.bfloat16)).item() == 255


def test_enlarged_pixels_are_squares() -> None:
    image = np.array([[1, 2], [3, 4]], np.uint8)[:, :, None]
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert enlarge(image, 2)[:, :, 0].tolist() == expected
    assert np.array_equal(enlarge(np.stack([image, image]), 2)[1], enlarge(image, 2))
    with pytest.raises(InputError, match="at least 1, got 0"):
        enlarge(image, 0)


@pytest.mark.parametrize("level", [FAST, SMALL])
@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_a_png_brings_back_every_pixel(channels: int, mode: str, level: int) -> None:
    image = noise(5, 7, channels)
    picture = Image.open(BytesIO(to_png(image, level=level)))
    assert (picture.format, picture.mode) == ("PNG", mode)
    assert np.array_equal(np.asarray(picture).reshape(image.shape), image)
    assert to_pillow(image).mode == mode


@pytest.mark.parametrize("channels", [0, 2, 5])
def test_pixels_that_no_picture_can_hold_are_refused(channels: int) -> None:
    with pytest.raises(InputError, match=f"1, 3 or 4 channels, got {channels}"):
        to_png(noise(2, 2, channels))
