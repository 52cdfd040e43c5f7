"""Copies of pictures to keep: exact where that is small, smaller where it is not."""

import numpy as np
import pytest
from PIL import Image

from tests.core.pictures import ORANGE, solid
from vae_core.images import copies
from vae_core.images.copies import COPY_PIXELS, COPY_SIDE, reduced_copy
from vae_core.images.files import open_picture


def noise(mode: str, width: int = 31, height: int = 17) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze(-1) if channels == 1 else pixels)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_small_picture_is_kept_to_the_last_bit(mode: str) -> None:
    picture = noise(mode)
    kept = open_picture(reduced_copy(picture))
    assert np.array_equal(np.asarray(kept.convert(mode)), np.asarray(picture)), "under transparent places as well"


def test_a_large_one_is_averaged_down_in_its_proportions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "COPY_PIXELS", 200)
    kept = open_picture(reduced_copy(solid("RGB", ORANGE, (60, 30))))
    assert kept.size == (20, 10)
    np.testing.assert_allclose(np.asarray(kept), np.full((10, 20, 3), ORANGE), atol=4)


@pytest.mark.parametrize(("width", "height"), [(65_535, 1), (1, 65_535), (16_384, 3), (1415, 1414)])
def test_a_copy_has_at_most_so_many_pixels_and_sides(width: int, height: int) -> None:
    kept = open_picture(reduced_copy(Image.new("L", (width, height), 77)))
    assert kept.width * kept.height <= COPY_PIXELS
    assert max(kept.size) <= COPY_SIDE
    assert kept.getpixel((0, 0)) in (77, (77, 77, 77))


def test_a_transparent_one_stays_transparent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "COPY_PIXELS", 200)
    kept = open_picture(reduced_copy(solid("RGBA", (*ORANGE, 0), (60, 30))))
    assert kept.mode == "RGBA"
    assert kept.getpixel((5, 5))[3] == 0  # type: ignore[index]
