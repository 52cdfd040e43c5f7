import itertools

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from tests.core.pictures import ORANGE, encode, from_values, solid
from vae_core.errors import InputError
from vae_core.images.files import open_picture
from vae_core.images.pixels import pixels_of, to_pillow, to_png
from vae_core.images.preparation import error_map, prepare_picture
from vae_core.images.preparation_options import Preparation

GREY = (1, 28, 28)
RGB = (3, 28, 28)
LIKE_MNIST = Preparation(invert="auto", centre=True)


# --- preparing: every step by itself ---


def prepare(picture, shape=GREY, **preparation):
    return prepare_picture(picture, shape=shape, preparation=Preparation(**preparation))


def gradient(size=(28, 28), mode="L"):
    """Every pixel another value, as far as 8 bits go."""
    width, height = size
    values = (np.arange(width * height * len(mode)) * 7 % 256).astype(np.uint8)
    return Image.fromarray(values.reshape((height, width, 3) if mode == "RGB" else (height, width)))


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize(("mode", "shape"), [("L", GREY), ("RGB", RGB), ("L", (1, 20, 44)), ("RGB", (3, 1, 5))])
def test_a_picture_of_the_models_own_size_passes_bit_for_bit(mode, shape, fit):
    channels, height, width = shape
    picture = gradient((width, height), mode)
    image = prepare(picture, shape, fit=fit)
    expected = np.asarray(picture, dtype=np.float32).reshape(height, width, channels) / np.float32(255)
    assert image.dtype == torch.float32
    assert np.array_equal(image.permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize(("background", "expected"), [("white", 0.5 + 0.5 * 0.2), ("black", 0.5 * 0.2)])
def test_transparent_places_show_the_background(background, expected):
    picture = solid("RGBA", (51, 51, 51, 128))  # 20 % grey, half transparent
    assert prepare(picture, background=background) == pytest.approx(expected, abs=0.005)


def test_colours_become_grey_by_their_luma():
    assert prepare(solid("RGB", (255, 0, 0))) == pytest.approx(0.299, abs=0.003)
    assert prepare(solid("RGB", (0, 255, 0))) == pytest.approx(0.587, abs=0.003)


def test_colours_keep_their_channels_and_grey_fills_all_three():
    assert prepare(solid("RGB", (255, 51, 0)), RGB).mean(dim=(1, 2)).tolist() == pytest.approx([1, 0.2, 0])
    assert prepare(solid("L", 51), RGB).mean(dim=(1, 2)).tolist() == pytest.approx([0.2, 0.2, 0.2])


def banded():
    """Black, white and black thirds, 84 x 28 pixels."""
    picture = Image.new("L", (84, 28))
    picture.paste(255, (28, 0, 56, 28))
    return picture


def test_crop_takes_the_middle():
    assert torch.equal(prepare(banded(), fit="crop"), torch.ones(GREY))


def test_pad_keeps_the_whole():
    image = prepare(banded(), fit="pad")[0]
    assert image[14].round().sum() == pytest.approx(28 / 3, abs=1)  # the white third of the width
    assert image.mean() == pytest.approx(1 / 9, abs=0.01)


@pytest.mark.parametrize("size", [(40, 10), (10, 40)])
def test_padding_has_the_colour_of_the_border(size):
    picture = Image.new("RGB", size, ORANGE)
    picture.paste("navy", (3, 3, 7, 7))
    image = prepare(picture, RGB, fit="pad")
    for row, column in itertools.product((0, -1), (0, -1)):
        assert (image[:, row, column] * 255).tolist() == pytest.approx(ORANGE, abs=1)


def test_padding_has_the_background_where_the_border_is_transparent():
    picture = Image.new("RGBA", (40, 10), (0, 0, 0, 0))
    picture.paste(ORANGE, (15, 3, 25, 7))
    assert prepare(picture, fit="pad", background="white")[0, 0].tolist() == pytest.approx([1] * 28)
    assert prepare(picture, fit="pad", background="black")[0, 0].tolist() == pytest.approx([0] * 28)


def test_shrinking_averages_what_a_pixel_covers():
    checkerboard = Image.fromarray((np.indices((280, 280)).sum(axis=0) % 2 * 255).astype(np.uint8))
    assert prepare(checkerboard) == pytest.approx(0.5, abs=0.01)


def framed(border, middle):
    """A picture of one value with a square of another in its middle."""
    picture = Image.new("L", (28, 28), border)
    picture.paste(middle, (8, 8, 20, 20))
    return picture


INVERTED = [
    # border, middle, invert, border and middle expected
    (255, 0, "never", 1, 0),
    (255, 0, "always", 0, 1),
    (255, 0, "auto", 0, 1),
    (0, 255, "never", 0, 1),
    (0, 255, "always", 1, 0),
    (0, 255, "auto", 0, 1),
    (204, 51, "always", 0.2, 0.8),  # a plain swap
    (204, 51, "auto", 0, 0.75),  # divided by the paper's brightness
    (102, 20, "auto", 0, 1 - 20 / 102),  # paper in dim light
    (153, 255, "auto", 0.6, 1),  # light strokes on a light ground
    (255, 255, "auto", 0, 0),
    (0, 0, "auto", 0, 0),
]


@pytest.mark.parametrize(("border", "middle", "invert", "border_expected", "middle_expected"), INVERTED)
def test_inversion(border, middle, invert, border_expected, middle_expected):
    image = prepare(framed(border, middle), invert=invert)[0]
    assert image[0] == pytest.approx(border_expected, abs=0.005)
    assert image[14, 14] == pytest.approx(middle_expected, abs=0.005)


def test_automatic_inversion_blackens_unevenly_lit_paper():
    light = np.linspace(230, 120, 28)[:, None] * np.ones(28)
    paper = light.copy()
    paper[10:18, 10:18] *= 0.2
    image = prepare(Image.fromarray(paper.astype(np.uint8)), invert="auto")[0]
    assert image[10:18, 10:18] == pytest.approx(0.8, abs=0.02)
    image[10:18, 10:18] = 0
    assert image.max() < 0.02


def test_inversion_of_a_colour_model_keeps_the_hue():
    picture = Image.new("RGB", (28, 28), "white")
    picture.paste((255, 0, 0), (8, 8, 20, 20))
    assert prepare(picture, RGB, invert="auto")[:, 14, 14].tolist() == pytest.approx([0, 1, 1], abs=0.01)


# --- preparing: centred as MNIST's digits are ---


def seven(size=(200, 200), *, at=(60, 50), height=100, width=14, ink=0, paper=255):
    """A handwritten 7, more or less."""
    picture = Image.new("L", size, paper)
    left, top = at
    strokes = [(left, top), (left + 0.7 * height, top), (left + 0.25 * height, top + height)]
    ImageDraw.Draw(picture).line(strokes, fill=ink, width=width, joint="curve")
    return picture


def centre_of_mass(image):
    positions = torch.arange(image.shape[1])
    rows, columns = image[0].sum(dim=1), image[0].sum(dim=0)
    return (rows @ positions.float() / rows.sum()).item(), (columns @ positions.float() / columns.sum()).item()


def extent(image):
    return [int(image[0].sum(dim=dim).nonzero().numel()) for dim in (1, 0)]  # rows, columns


DRAWINGS = {
    "in the middle": seven(),
    "in a corner": seven(at=(8, 8), height=60),
    "at the other end of a wide picture": seven((600, 150), at=(500, 30), height=90),
    "light on dark": seven(ink=255, paper=0),
    "light grey on dark grey": seven(ink=200, paper=60),
    "grey on grey": seven(ink=70, paper=150),
    "in dim light": seven(ink=15, paper=100),
    "small in a large picture": seven((1500, 1500), at=(900, 200), height=250, width=30),
    "with the pixels of the model": seven((28, 28), at=(9, 6), height=15, width=2),
    "touching the border": seven((90, 110), at=(8, 5), height=100),
    "with a speck of dust": seven(),
}
DRAWINGS["with a speck of dust"].putpixel((190, 190), 0)


@pytest.mark.parametrize("drawing", DRAWINGS.values(), ids=DRAWINGS)
def test_centring_fits_the_ink_into_20_of_28_and_its_mass_into_the_middle(drawing):
    image = prepare_picture(drawing, shape=GREY, preparation=LIKE_MNIST)
    assert max(extent(image)) == 20
    assert centre_of_mass(image) == pytest.approx((14, 14), abs=0.5)  # MNIST's middle is pixel 14 of 0 to 27
    assert image.max() == pytest.approx(1)
    assert image[0, 0].max() == 0


@pytest.mark.parametrize("side", [14, 28, 32, 64])
def test_centring_scales_with_the_model(side):
    image = prepare_picture(seven(), shape=(1, side, side), preparation=LIKE_MNIST)
    assert max(extent(image)) == round(side * 20 / 28)
    assert centre_of_mass(image) == pytest.approx((side // 2, side // 2), abs=0.5)


def test_centring_ignores_where_and_how_large_the_drawing_was():
    one = prepare_picture(seven(), shape=GREY, preparation=LIKE_MNIST)
    other = prepare_picture(seven((700, 900), at=(90, 400), height=300, width=42), shape=GREY, preparation=LIKE_MNIST)
    assert error_map(one, other).mean() < 0.02  # a shift by one pixel makes 0.1


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_centring_cuts_no_strokes_off_a_wide_picture(fit):
    picture = Image.new("L", (400, 100), 255)
    draw = ImageDraw.Draw(picture)
    draw.line((20, 50, 380, 50), fill=0, width=4)
    image = prepare(picture, fit=fit, invert="auto", centre=True)
    assert extent(image) == [1, 20]


def test_without_centring_the_drawing_stays_where_it_is():
    image = prepare(seven(at=(8, 8), height=60), invert="auto")
    assert max(centre_of_mass(image)) < 10


def test_ink_heavy_on_one_side_stays_inside_the_frame():
    picture = Image.new("L", (300, 300), 255)
    draw = ImageDraw.Draw(picture)
    draw.line((150, 20, 150, 280), fill=0, width=3)
    draw.ellipse((110, 200, 190, 280), fill=0)
    image = prepare_picture(picture, shape=GREY, preparation=LIKE_MNIST)
    assert extent(image)[0] == 20


def photographed(drawing, *, dark_end, noise, quality):
    """The drawing on paper under light that falls off to one corner, taken by a noisy camera."""
    width, height = drawing.size
    light = np.linspace(0.85, dark_end, width)[None] + np.linspace(0, dark_end - 0.85, height)[:, None] / 3
    reflected = 0.2 + 0.8 * np.asarray(drawing) / 255
    grain = np.random.default_rng(0).normal(0, noise, (height, width))
    values = np.clip(light * reflected + grain, 0, 1) * 255
    return open_picture(encode(Image.fromarray(values.astype(np.uint8)).convert("RGB"), "JPEG", quality=quality))


@pytest.mark.parametrize("dark_end", [0.85, 0.6, 0.45])
@pytest.mark.parametrize(("noise", "quality"), [(0, 95), (0.02, 80), (0.03, 60)])
def test_a_photograph_of_paper_becomes_white_strokes_on_black(dark_end, noise, quality):
    drawing = seven((600, 500), at=(200, 120), height=250, width=36)
    photo = photographed(drawing, dark_end=dark_end, noise=noise, quality=quality)
    clean = prepare_picture(drawing, shape=GREY, preparation=LIKE_MNIST)
    image = prepare_picture(photo, shape=GREY, preparation=LIKE_MNIST)
    assert error_map(image, clean).mean() < 0.005
    assert image[clean == 0].max() < 0.02


def test_darker_corners_of_a_photograph_are_no_ink():
    drawing = seven((500, 500), at=(180, 130), height=230, width=34)
    rows, columns = np.meshgrid(*2 * [np.linspace(-1, 1, 500)], indexing="ij")
    light = 0.85 - 0.25 * (rows**2 + columns**2)
    photo = Image.fromarray((light * (0.2 + 0.8 * np.asarray(drawing) / 255) * 255).astype(np.uint8))
    clean = prepare_picture(drawing, shape=GREY, preparation=LIKE_MNIST)
    assert error_map(prepare_picture(photo, shape=GREY, preparation=LIKE_MNIST), clean).mean() < 0.02


def test_a_drawing_prepared_before_stays_nearly_as_it_is():
    first = prepare_picture(seven(), shape=GREY, preparation=LIKE_MNIST)
    again = prepare_picture(to_pillow(pixels_of(first)), shape=GREY, preparation=LIKE_MNIST)
    assert error_map(first, again).max() < 0.05


def test_scanned_digits_keep_their_shape_upscaled_and_again():
    for digit in load_digits().images[:100]:
        scan = Image.fromarray((digit * 255 / 16).astype(np.uint8))
        first = prepare_picture(scan.resize((160, 160), Image.Resampling.BICUBIC), shape=GREY, preparation=LIKE_MNIST)
        again = prepare_picture(to_pillow(pixels_of(first)), shape=GREY, preparation=LIKE_MNIST)
        assert max(extent(first)) == 20
        assert centre_of_mass(first) == pytest.approx((14, 14), abs=0.5)
        assert error_map(first, again).mean() < 0.01


@pytest.mark.parametrize("value", [0, 60, 128, 200, 255])
def test_a_blank_picture_comes_out_black(value):
    assert not prepare_picture(solid("L", value), shape=GREY, preparation=LIKE_MNIST).any()


@pytest.mark.parametrize(("border", "middle", "invert"), [(200, 180, "auto"), (250, 255, "never"), (255, 0, "never")])
def test_what_is_too_faint_or_too_dark_for_ink_comes_out_black(border, middle, invert):
    assert not prepare(framed(border, middle), invert=invert, centre=True).any()


@pytest.mark.parametrize("noise", [1, 3, 6])  # of 255
def test_an_empty_noisy_sheet_comes_out_black(noise):
    values = np.random.default_rng(1).normal(200, noise, (300, 300)).clip(0, 255).astype(np.uint8)
    assert not prepare_picture(Image.fromarray(values), shape=GREY, preparation=LIKE_MNIST).any()


def test_a_coloured_drawing_is_centred_in_colour():
    picture = Image.new("RGB", (100, 100), "white")
    ImageDraw.Draw(picture).line((20, 10, 20, 70), fill=(255, 0, 0), width=12)
    image = prepare(picture, RGB, invert="auto", centre=True)
    assert image[:, 14, 14].tolist() == pytest.approx([0, 1, 1], abs=0.01)
    assert extent(image[1:2])[0] == 20


# --- preparing: anything goes ---

ODD = {
    "one pixel": solid("L", 90, (1, 1)),
    "nothing but white": solid("L", 255),
    "one column": gradient((1, 2000)),
    "one row": gradient((2000, 1)),
    "two pixels": from_values([[0, 255]], np.uint8),
    "noise": Image.effect_noise((50, 60), 90),
    "nothing but transparent": solid("RGBA", (0, 0, 0, 0)),
    "half transparent colour": solid("RGBA", (*ORANGE, 128)),
    "palette": solid("RGB", ORANGE).quantize(4),
    "black and white": seven().convert("1"),
    "16-bit grey": from_values(np.arange(900).reshape(30, 30) * 70, np.uint16),
    "ink up to the border": Image.fromarray((np.indices((40, 40)).sum(axis=0) // 10 % 2 * 255).astype(np.uint8)),
}
PREPARATIONS = [
    Preparation(fit, background, invert, centre)
    for fit, background, invert, centre in itertools.product(
        ("crop", "pad"), ("black", "white"), ("auto", "always", "never"), (False, True)
    )
]


@pytest.mark.parametrize("shape", [GREY, RGB, (1, 12, 40), (3, 1, 1)], ids=str)
@pytest.mark.parametrize("picture", ODD.values(), ids=ODD)
def test_any_picture_fits_any_model_however_prepared(picture, shape):
    before = (picture.mode, picture.size, picture.tobytes())
    for preparation in PREPARATIONS:
        image = prepare_picture(picture, shape=shape, preparation=preparation)
        assert image.shape == shape
        assert image.dtype == torch.float32
        assert image.isfinite().all()
        assert image.min() >= 0
        assert image.max() <= 1
    assert (picture.mode, picture.size, picture.tobytes()) == before


def test_a_long_column_shows_its_middle_or_all_of_it():
    column = Image.new("L", (1, 2000))
    column.paste(255, (0, 900, 1, 1100))
    assert torch.equal(prepare(column, fit="crop"), torch.ones(GREY))
    padded = prepare(column, fit="pad")[0]
    assert padded[:, 13:15].sum() == pytest.approx(2.8, abs=0.1)  # a tenth of one column
    assert padded[:, 0].sum() == 0


@pytest.mark.parametrize("shape", [(2, 28, 28), (0, 28, 28), (1, 0, 28), (1, 28, -1)])
def test_an_impossible_shape_is_refused(shape):
    with pytest.raises(InputError, match="shape must be"):
        prepare(solid("L", 0), shape)


# --- out again ---


def test_all_256_levels_survive_the_way_out_and_in():
    image = torch.arange(256).reshape(1, 16, 16) / 255
    assert torch.equal(prepare(to_pillow(pixels_of(image)), (1, 16, 16)), image)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_round_trip_keeps_each_pixel(channels):
    image = torch.randint(0, 256, (channels, 5, 7), generator=torch.Generator().manual_seed(0)) / 255
    assert torch.equal(prepare(open_picture(to_png(pixels_of(image))), (channels, 5, 7)), image)


def test_the_error_map_averages_the_absolute_error_over_channels():
    original = torch.zeros(3, 2, 2)
    reconstruction = torch.zeros(3, 2, 2)
    reconstruction[:, 0, 1] = torch.tensor([1, 0.5, 0])
    expected = torch.tensor([[[0, 0.5], [0, 0]]])
    assert torch.allclose(error_map(original, reconstruction), expected)
    assert torch.allclose(error_map(reconstruction, original), expected)


def test_an_error_map_of_different_shapes_is_refused():
    with pytest.raises(InputError, match=r"same shape, got \(1, 2, 2\) and \(3, 2, 2\)"):
        error_map(torch.zeros(1, 2, 2), torch.zeros(3, 2, 2))
