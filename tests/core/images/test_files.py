import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PIL.ImageFile import ImageFile

from tests.core.pictures import ORANGE, encode, from_values, solid
from vae_core.errors import ImageError
from vae_core.images import files
from vae_core.images.files import open_picture
from vae_core.images.preparation import prepare_picture
from vae_core.images.preparation_options import Preparation


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
    assert repr(data[:12])[1:] in message


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

    monkeypatch.setattr(files.PngImageFile, "load", fail)
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
    "PNG of one row too long": png_claiming(files.MAX_FILE_SIDE + 1, 1),
    "JPEG": WHOLE["JPEG"].replace(struct.pack(">HH", 20, 32), struct.pack(">HH", 65_000, 65_000)),
    "GIF": WHOLE["GIF"].replace(struct.pack("<HH", 32, 20), struct.pack("<HH", 60_000, 60_000)),
    "BMP": WHOLE["BMP"].replace(struct.pack("<II", 32, 20), struct.pack("<II", 60_000, 60_000)),
    "PPM": b"P6 60000 60000 255 " + bytes(99),
}


@pytest.mark.parametrize("data", CLAIMS.values(), ids=CLAIMS)
def test_too_many_pixels_are_refused_before_decoding(data, monkeypatch):
    monkeypatch.setattr(ImageFile, "load", lambda _picture: pytest.fail("the picture was decoded"))
    message = refusal(data)
    assert message.startswith("cat.png must have at most 50,000,000 pixels and 65,535 on a side, got ")


def progressive(side, scans):
    """A progressive JPEG whose last scan comes again and again."""
    data = encode(solid("L", 77, (side, side)), "JPEG", progressive=True)
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[last:end] * (scans - data.count(b"\xff\xda")) + data[end:]


def tiled_tiff(side, tile):
    """A TIFF of one tile, whatever its size, deflated."""
    packed = zlib.compress(bytes(tile * tile))
    tags = {256: side, 257: side, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile, 324: 8, 325: len(packed)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHI", b"II", 42, 8 + len(packed)) + packed + struct.pack("<H", len(tags)) + entries + bytes(4)


WORK = {
    "JPEG of a thousand scans": (progressive(1_100, 1_000), "826 scans at 1,100 x 1,100 pixels, got 1,000"),
    "TIFF of one huge tile": (tiled_tiff(100, 7_100), "tiles of at most 50,000,000 pixels, got 7100 x 7100"),
}


@pytest.mark.parametrize(("data", "text"), WORK.values(), ids=WORK)
def test_more_work_than_pixels_is_refused_before_decoding(data, text, monkeypatch):
    monkeypatch.setattr(ImageFile, "load", lambda _picture: pytest.fail("the picture was decoded"))
    message = refusal(data)
    assert text in message
    assert message.endswith("save it again as PNG or JPEG.")


def test_ordinary_scans_and_tiles_pass():
    assert open_picture(progressive(50, 20)).size == (50, 50)
    assert open_picture(tiled_tiff(100, 256)).size == (100, 100)


def test_as_many_pixels_and_bytes_as_allowed_are_accepted(monkeypatch):
    data = WHOLE["PNG"]
    monkeypatch.setattr(files, "MAX_PIXELS", 32 * 20)
    monkeypatch.setattr(files, "MAX_FILE_SIDE", 32)
    monkeypatch.setattr(files, "MAX_BYTES", len(data))
    assert open_picture(data).size == (32, 20)
    monkeypatch.setattr(files, "MAX_PIXELS", 32 * 20 - 1)
    assert "got 32 x 20 = 640" in refusal(data)


def test_too_many_bytes_are_refused():
    message = refusal(WHOLE["PNG"] + bytes(files.MAX_BYTES))
    assert message.startswith("cat.png must have at most 20,971,520 bytes, got ")


def test_eight_threads_get_what_one_gets():
    def outcome(data):
        try:
            return prepare_picture(
                open_picture(data), shape=(3, 28, 28), preparation=Preparation(invert="auto", centre=True)
            ).tolist()
        except ImageError as error:
            return str(error)

    files = [*WHOLE.values(), *DAMAGED.values(), *CLAIMS.values()] * 2
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(outcome, files)) == [outcome(data) for data in files]


def test_a_picture_is_opened_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "my picture.png"
    path.write_bytes(encode(patterned(), "PNG"))
    for source in (path, str(path)):
        assert pixels(open_picture(source)) == pixels(patterned())


def test_a_path_to_nothing_is_one_sentence_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.png cannot be read \(No such file or directory\)"):
        open_picture(tmp_path / "none.png")
    with pytest.raises(ImageError, match="cannot be read"):
        open_picture(str(tmp_path))


def test_a_file_that_is_no_picture_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(ImageError, match=r"^notes\.png must"):
        open_picture(tmp_path / "notes.png")
    with pytest.raises(ImageError, match=r"^mine must"):
        open_picture(tmp_path / "notes.png", name="mine")
