import itertools
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from vae_core import images
from vae_core.config import Preparation
from vae_core.errors import ImageError, InputError
from vae_core.images import error_map, image_to_pillow, image_to_png, open_picture, prepare_picture

GREY = (1, 28, 28)
RGB = (3, 28, 28)
LIKE_MNIST = Preparation(invert="auto", centre=True)
ORANGE = (240, 120, 40)


def encode(picture, file_format, **options):
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def solid(mode, colour, size=(20, 12)):
    return Image.new(mode, size, colour)


def from_values(values, dtype):
    return Image.fromarray(np.array(values, dtype=dtype))


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width, height):
    """A PNG of a few bytes whose header promises 8-bit grey of any size."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(b"\0")) + png_chunk(b"IEND", b"")


def patterned(size=(32, 20)):
    """A picture that equals none of its rotations and mirror images."""
    picture = Image.new("RGB", size, ORANGE)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 9, 4), fill="navy")
    draw.rectangle((24, 12, 31, 19), fill="white")
    return picture


def pixels(picture):
    return np.asarray(picture).tolist()


# --- opening: what is accepted ---

OPENED = {
    # what is in the file: (the file, mode, value of the pixel at (1, 1), tolerance)
    "PNG": (encode(solid("RGB", ORANGE), "PNG"), "RGB", ORANGE, 0),
    "PNG of 8-bit grey": (encode(solid("L", 77), "PNG"), "L", 77, 0),
    "PNG of black and white": (encode(solid("1", 1), "PNG"), "L", 255, 0),
    "PNG with a palette": (encode(solid("RGB", ORANGE).quantize(4), "PNG"), "RGB", ORANGE, 0),
    "PNG palette with a transparent index": (
        encode(solid("RGB", ORANGE).quantize(4), "PNG", transparency=0),
        "RGBA",
        (*ORANGE, 0),
        0,
    ),
    "PNG palette with alpha bytes": (
        encode(solid("RGB", ORANGE).quantize(4), "PNG", transparency=bytes([90])),
        "RGBA",
        (*ORANGE, 90),
        0,
    ),
    "PNG palette with opaque alpha bytes": (
        encode(solid("RGB", ORANGE).quantize(4), "PNG", transparency=bytes([255])),
        "RGB",
        ORANGE,
        0,
    ),
    "PNG of grey with alpha": (encode(solid("LA", (77, 90)), "PNG"), "RGBA", (77, 77, 77, 90), 0),
    "PNG of grey with opaque alpha": (encode(solid("LA", (77, 255)), "PNG"), "L", 77, 0),
    "PNG of RGB with alpha": (encode(solid("RGBA", (*ORANGE, 90)), "PNG"), "RGBA", (*ORANGE, 90), 0),
    "PNG of RGB with opaque alpha": (encode(solid("RGBA", (*ORANGE, 255)), "PNG"), "RGB", ORANGE, 0),
    "PNG with a transparent grey": (encode(solid("L", 77), "PNG", transparency=77), "RGBA", (77, 77, 77, 0), 0),
    "PNG with a transparent colour": (
        encode(solid("RGB", ORANGE), "PNG", transparency=ORANGE),
        "RGBA",
        (*ORANGE, 0),
        0,
    ),
    "PNG with a transparent colour nowhere in it": (
        encode(solid("RGB", ORANGE), "PNG", transparency=(1, 2, 3)),
        "RGB",
        ORANGE,
        0,
    ),
    "PNG of 16-bit grey": (encode(from_values([[0, 257], [0, 25700]], np.uint16), "PNG"), "L", 100, 0),
    "PNG of 16-bit grey, nearly black": (encode(from_values([[0, 0], [0, 200]], np.uint16), "PNG"), "L", 1, 0),
    "PNG of 16-bit grey with a transparent value": (
        encode(from_values([[0, 0], [0, 25700]], np.uint16), "PNG", transparency=25700),
        "RGBA",
        (100, 100, 100, 0),
        0,
    ),
    "JPEG": (encode(solid("RGB", ORANGE), "JPEG"), "RGB", ORANGE, 3),
    "JPEG of grey": (encode(solid("L", 77), "JPEG"), "L", 77, 3),
    "JPEG, progressive": (encode(solid("RGB", ORANGE), "JPEG", progressive=True), "RGB", ORANGE, 3),
    "JPEG of CMYK (Adobe's, inverted)": (encode(solid("RGB", ORANGE).convert("CMYK"), "JPEG"), "RGB", ORANGE, 3),
    "JPEG with a second picture": (
        encode(solid("RGB", ORANGE), "MPO", save_all=True, append_images=[solid("RGB", "navy")]),
        "RGB",
        ORANGE,
        3,
    ),
    "WebP": (encode(solid("RGB", ORANGE), "WEBP", lossless=True), "RGB", ORANGE, 0),
    "WebP with alpha": (encode(solid("RGBA", (*ORANGE, 90)), "WEBP", lossless=True), "RGBA", (*ORANGE, 90), 0),
    "GIF": (encode(solid("RGB", ORANGE), "GIF"), "RGB", ORANGE, 0),
    "GIF with a transparent index": (
        encode(solid("RGB", ORANGE).quantize(4), "GIF", transparency=0),
        "RGBA",
        (*ORANGE, 0),
        0,
    ),
    "BMP": (encode(solid("RGB", ORANGE), "BMP"), "RGB", ORANGE, 0),
    "PPM": (encode(solid("RGB", ORANGE), "PPM"), "RGB", ORANGE, 0),
    "PPM in text": (b"P3 2 2 255  0 0 0  0 0 0  0 0 0  240 120 40", "RGB", ORANGE, 0),
    "PGM of 10 bits": (b"P2 2 2 1023  0 0 1023 512", "L", 128, 0),
    "PFM of floats": (encode(from_values([[0, 0], [0, 0.4]], np.float32), "PPM"), "L", 102, 0),
    "AVIF": (encode(solid("RGB", ORANGE), "AVIF", quality=100), "RGB", ORANGE, 5),
    "TIFF": (encode(solid("RGB", ORANGE), "TIFF"), "RGB", ORANGE, 0),
    "TIFF, LZW": (encode(solid("RGB", ORANGE), "TIFF", compression="tiff_lzw"), "RGB", ORANGE, 0),
    "TIFF of CMYK": (encode(solid("CMYK", (15, 135, 215, 0)), "TIFF"), "RGB", ORANGE, 0),
    "TIFF of YCbCr": (encode(solid("RGB", ORANGE).convert("YCbCr"), "TIFF"), "RGB", ORANGE, 3),
    "TIFF of LAB": (encode(solid("RGB", ORANGE).convert("LAB"), "TIFF"), "RGB", ORANGE, 5),
    "TIFF of grey with alpha": (encode(solid("LA", (77, 90)), "TIFF"), "RGBA", (77, 77, 77, 90), 0),
    "TIFF of 16-bit grey": (encode(from_values([[0, 0], [0, 25700]], np.uint16), "TIFF"), "L", 100, 0),
    "TIFF of big-endian 16-bit grey": (encode(from_values([[0, 0], [0, 25700]], ">u2"), "TIFF"), "L", 100, 0),
    "TIFF of integers up to 255": (encode(from_values([[0, 0], [0, 100]], np.int32), "TIFF"), "L", 100, 0),
    "TIFF of integers up to 65535": (encode(from_values([[0, 0], [0, 25700]], np.int32), "TIFF"), "L", 100, 0),
    "TIFF of integers beyond": (encode(from_values([[-900, 1100], [0, 100]], np.int32), "TIFF"), "L", 128, 0),
    "TIFF of floats up to 1": (encode(from_values([[0, 0.1], [0, 0.4]], np.float32), "TIFF"), "L", 102, 0),
    "TIFF of floats up to 255": (encode(from_values([[0, 2], [0, 99.6]], np.float32), "TIFF"), "L", 100, 0),
    "TIFF of floats beyond": (encode(from_values([[-3e38, 3e38], [0, 0]], np.float32), "TIFF"), "L", 128, 0),
    "TIFF of one negative float": (encode(from_values([[-5, -5], [-5, -5]], np.float32), "TIFF"), "L", 0, 0),
}


@pytest.mark.parametrize(("data", "mode", "value", "tolerance"), OPENED.values(), ids=OPENED)
def test_any_picture_opens_as_upright_eight_bit_grey_or_colour(data, mode, value, tolerance):
    picture = open_picture(data)
    assert picture.mode == mode
    assert picture.getpixel((1, 1)) == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_keep_every_pixel_in_place(file_format):
    options = {"lossless": True} if file_format == "WEBP" else {}
    assert pixels(open_picture(encode(patterned(), file_format, **options))) == pixels(patterned())


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_several_is_taken(file_format):
    data = encode(solid("RGB", "white"), file_format, save_all=True, append_images=[solid("RGB", "black")])
    assert open_picture(data).convert("RGB").getpixel((1, 1)) == (255, 255, 255)


ACTIONS = ["error", "ignore"]  # Pillow warns of damaged EXIF, which is an error in the tests and none outside
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,  # shown after a quarter turn clockwise, so stored a quarter turn counter-clockwise
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", STORED_AS)
def test_exif_orientation_is_applied(orientation, file_format):
    method = STORED_AS[orientation]
    stored = patterned() if method is None else patterned().transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {}
    assert pixels(open_picture(encode(stored, file_format, exif=exif, **options))) == pixels(patterned())


@pytest.mark.parametrize("action", [pytest.param(each, marks=pytest.mark.filterwarnings(each)) for each in ACTIONS])
def test_damaged_exif_does_not_cost_the_picture(action):
    data = encode(patterned(), "PNG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    assert pixels(open_picture(data)) == pixels(patterned())


def test_the_opened_picture_does_not_turn_or_mask_itself_again():
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = open_picture(encode(patterned(), "PNG", exif=exif, transparency=ORANGE))
    assert open_picture(encode(opened, "PNG")).size == opened.size == (20, 32)
    assert opened.mode == "RGBA"
    assert "transparency" not in opened.info


# --- opening: what is refused ---

WHOLE = {
    "PNG": encode(patterned(), "PNG"),
    "JPEG": encode(patterned(), "JPEG"),
    "WebP": encode(patterned(), "WEBP"),
    "GIF": encode(patterned(), "GIF"),
    "BMP": encode(patterned(), "BMP"),
    "TIFF": encode(patterned(), "TIFF"),
    "TIFF, LZW": encode(patterned(), "TIFF", compression="tiff_lzw"),
    "PPM": encode(patterned(), "PPM"),
    "AVIF": encode(patterned(), "AVIF"),
}
NO_PICTURE = {
    "text": b"Dear model, please find enclosed a cat.",
    "HTML": b"<!DOCTYPE html><html><body><img src='cat.png'></body></html>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>',
    "PDF": b"%PDF-1.7\n1 0 obj\n",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "zip": b"PK\x03\x04\x14\0\0\0\x08\0",
    "Photoshop": b"8BPS\0\x01\0\0\0\0\0\0\0\x03",
    "icon": encode(solid("RGB", ORANGE, (16, 16)), "ICO"),
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "zeros": bytes(100),
    "one byte": b"\x89",
}
DAMAGED = {
    "text that starts like a BMP": b"BMW builds cars.",
    "text that starts like a PPM": b"P6 is a process node.",
    "text that starts like a TIFF": b"II*\0 nothing else",
    "PNG of no width": png_claiming(0, 5),
    "PNG of no height": png_claiming(5, 0),
    "PNG with too little data": png_claiming(64, 64),
    "PNG with a wrong checksum": WHOLE["PNG"].replace(b"IDAT", b"IDAX"),
    "PNG with broken compression": png_claiming(9, 9).replace(zlib.compress(b"\0"), b"\xff" * 9),
    "JPEG of zeros": b"\xff\xd8\xff\xe0" + bytes(200),
    "PPM with a negative side": b"P6 -3 3 255 " + bytes(27),
    "GIF with a frame far beyond its screen": b"GIF89a\x09\0\x09\0\0\0\0,\0\0\0\0\0\xf0\0\xf0\0\x02\0;",
    **{f"first half of a {name}": data[: len(data) // 2] for name, data in WHOLE.items()},
    **{f"first 30 bytes of a {name}": data[:30] for name, data in WHOLE.items()},
}


def refusal(data, name="cat.png"):
    with pytest.raises(ImageError) as caught:
        open_picture(data, name=name)
    return str(caught.value)


@pytest.mark.parametrize("data", NO_PICTURE.values(), ids=NO_PICTURE)
def test_what_is_no_picture_is_refused_with_its_first_bytes(data):
    message = refusal(data)
    assert message.startswith("cat.png must be a PNG, JPEG, WebP, GIF, BMP, TIFF, PPM or AVIF picture")
    assert repr(data[:12]) in message


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_picture_is_refused_with_its_format(data):
    message = refusal(data)
    assert message.startswith("cat.png must be an intact picture, got ")
    assert message.endswith("save it again as PNG or JPEG.")


@pytest.mark.parametrize(
    "error",
    [
        AttributeError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        IndexError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        SyntaxError,
        TypeError,
        UnicodeError,
        UserWarning,
        ZeroDivisionError,
        struct.error,
        zlib.error,
    ],
)
def test_whatever_a_decoder_raises_becomes_a_refusal_with_a_reason(error, monkeypatch):
    def fail(self):
        raise error("")

    monkeypatch.setattr(images.PngImageFile, "load", fail)
    assert f"got PNG data that cannot be decoded ({error.__name__})" in refusal(WHOLE["PNG"])


@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_cut_anywhere_opens_or_is_refused(name):
    data = WHOLE[name]
    for length in range(1, len(data), max(1, len(data) // 40)):
        try:
            assert open_picture(data[:length]).size == (32, 20)
        except ImageError:
            continue


def test_an_empty_file_is_refused():
    assert refusal(b"") == "cat.png must be a picture, got an empty file; choose another file."


@pytest.mark.parametrize(("value", "count"), [(np.nan, 1), (np.inf, 1), (-np.inf, 2)])
def test_values_that_are_not_finite_are_refused_and_counted(value, count):
    values = np.zeros((4, 4), dtype=np.float32)
    values[0, :count] = value
    message = refusal(encode(Image.fromarray(values), "TIFF"))
    assert f"must hold finite values, got {count} that are NaN or infinite" in message


CLAIMS = {
    "PNG of 60000 x 60000": png_claiming(60_000, 60_000),
    "PNG where Pillow would only warn": png_claiming(10_000, 9_500),
    "PNG just beyond the limit": png_claiming(10_001, 5_000),
    "PNG of one row too long": png_claiming(images.MAX_SIDE + 1, 1),
    "JPEG": WHOLE["JPEG"].replace(struct.pack(">HH", 20, 32), struct.pack(">HH", 65_000, 65_000)),
    "GIF": WHOLE["GIF"].replace(struct.pack("<HH", 32, 20), struct.pack("<HH", 60_000, 60_000)),
    "BMP": WHOLE["BMP"].replace(struct.pack("<II", 32, 20), struct.pack("<II", 60_000, 60_000)),
    "PPM": b"P6 60000 60000 255 " + bytes(99),
}


@pytest.mark.parametrize("data", CLAIMS.values(), ids=CLAIMS)
def test_too_many_pixels_are_refused_before_decoding(data):
    start = time.perf_counter()
    message = refusal(data)
    assert time.perf_counter() - start < 0.5  # seconds; decoding 3.6 billion pixels takes longer
    assert message.startswith("cat.png must have at most 50,000,000 pixels and 65,535 on a side, got ")


def test_as_many_pixels_and_bytes_as_allowed_are_accepted(monkeypatch):
    data = WHOLE["PNG"]
    monkeypatch.setattr(images, "MAX_PIXELS", 32 * 20)
    monkeypatch.setattr(images, "MAX_SIDE", 32)
    monkeypatch.setattr(images, "MAX_BYTES", len(data))
    assert open_picture(data).size == (32, 20)
    monkeypatch.setattr(images, "MAX_PIXELS", 32 * 20 - 1)
    assert "got 32 x 20 = 640" in refusal(data)


def test_too_many_bytes_are_refused():
    message = refusal(WHOLE["PNG"] + bytes(images.MAX_BYTES))
    assert message.startswith("cat.png must have at most 20,971,520 bytes, got ")


def test_eight_threads_get_what_one_gets():
    def outcome(data):
        try:
            return prepare_picture(open_picture(data), shape=RGB, preparation=LIKE_MNIST).tolist()
        except ImageError as error:
            return str(error)

    files = [*WHOLE.values(), *DAMAGED.values(), *CLAIMS.values()] * 2
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(outcome, files)) == [outcome(data) for data in files]


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
    again = prepare_picture(image_to_pillow(first), shape=GREY, preparation=LIKE_MNIST)
    assert error_map(first, again).max() < 0.05


def test_scanned_digits_keep_their_shape_upscaled_and_again():
    for digit in load_digits().images[:100]:
        scan = Image.fromarray((digit * 255 / 16).astype(np.uint8))
        first = prepare_picture(scan.resize((160, 160), Image.Resampling.BICUBIC), shape=GREY, preparation=LIKE_MNIST)
        again = prepare_picture(image_to_pillow(first), shape=GREY, preparation=LIKE_MNIST)
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
    picture = image_to_pillow(image)
    assert picture.mode == "L"
    assert list(picture.tobytes()) == list(range(256))
    assert torch.equal(prepare(picture, (1, 16, 16)), image)


def test_values_are_clipped_and_halves_rounded_up():
    image = torch.tensor([[[-0.5, 1.5, 126.5 / 255, 127.5 / 255, 0.49 / 255]]])
    assert list(image_to_pillow(image).tobytes()) == [0, 255, 127, 128, 0]


def test_three_channels_make_a_colour_picture():
    image = torch.tensor([1, 0.2, 0])[:, None, None].expand(3, 2, 4).requires_grad_()
    picture = image_to_pillow(image)
    assert (picture.mode, picture.size) == ("RGB", (4, 2))
    assert picture.getpixel((3, 1)) == (255, 51, 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_round_trip_keeps_each_pixel_as_a_square(channels):
    image = torch.randint(0, 256, (channels, 5, 7), generator=torch.Generator().manual_seed(0)) / 255
    for scale in (1, 4):
        picture = open_picture(image_to_png(image, scale=scale))
        back = prepare(picture, (channels, 5 * scale, 7 * scale))
        assert torch.equal(back, image.repeat_interleave(scale, dim=1).repeat_interleave(scale, dim=2))


def test_images_that_no_picture_can_hold_are_refused():
    with pytest.raises(InputError, match="1 or 3 channels, got 2"):
        image_to_pillow(torch.zeros(2, 4, 4))
    with pytest.raises(InputError, match="scale must be at least 1, got 0"):
        image_to_png(torch.zeros(1, 4, 4), scale=0)


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
