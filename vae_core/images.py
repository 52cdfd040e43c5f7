"""Pillow in and out: any picture -> what the model sees.

`open_picture` turns bytes from outside into an upright 8-bit picture or an `ImageError`; nothing
else that Pillow may raise gets past it. `prepare_picture` turns that picture into a tensor as the
model's `Preparation` says. Everything here is deterministic and keeps no state, so any number of
threads may call it at once.
"""

import re
import struct
import zlib
from io import BytesIO

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from torch import Tensor
from torch.nn import functional

from vae_core.config import Preparation
from vae_core.errors import ImageError, InputError

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "error_map",
    "image_to_pillow",
    "image_to_png",
    "open_picture",
    "prepare_picture",
]

# A 48-megapixel phone's JPEG is 10 to 15 MiB; what is larger is no single picture for a 28-pixel model.
MAX_BYTES = 20 * 2**20

# Lets a 50-megapixel phone (8160 x 6120) pass, at 200 MB as RGBA, and stays below the 89 million at which
# Pillow warns by itself: `warnings` cannot be silenced for one thread, so it must not come to that.
MAX_PIXELS = 50_000_000
MAX_SIDE = 65_535  # JPEG's own limit; Pillow needs 12 bytes a row beside the pixels, which adds up at 1 x 50,000,000

# How each format's file starts, and Pillow's reader for it. Going past `Image.open` keeps every other parser
# (PostScript, Photoshop, ...) out of reach, and its bomb warning with it. Icons are left out since their
# reader decodes before the size can be checked. A multi-picture JPEG gives its first picture.
READERS: tuple[tuple[re.Pattern[bytes], type[ImageFile]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    (re.compile(rb"\xff\xd8\xff"), JpegImageFile),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), WebPImageFile),
    (re.compile(rb"GIF8[79]a"), GifImageFile),
    (re.compile(rb"BM"), BmpImageFile),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), TiffImageFile),
    (re.compile(rb"P[1-6f]\s"), PpmImageFile),
    (re.compile(rb".{4}ftyp(avi[fs]|mif1|msf1)", re.DOTALL), AvifImageFile),
)

# What Pillow's readers raise on damaged files. `Warning` is there for callers who turn warnings into errors.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)

# The values that may stand for white in the modes deeper than 8 bits. The smallest that no pixel exceeds is
# taken; where none fits, the picture's own darkest and brightest values become black and white.
WHITES: dict[str, tuple[float, ...]] = {
    "I;16": (65535,),
    "I;16B": (65535,),
    "I;16L": (65535,),
    "I;16N": (65535,),
    "I": (255, 65535),
    "F": (1, 255),
}

MODES = {1: "L", 3: "RGB"}  # by number of channels

INK_SHARE = 20 / 28  # of the model's side: MNIST's 20 x 20 box in 28 x 28 pixels
WORK_SIDES = 5  # model sides; what is larger is averaged down first, against noise; a drawing of a fifth stays sharp
MIN_CONTRAST = 0.2  # of [0, 1]; a pencil on paper has 0.3, the noise of an empty sheet less than 0.1
FAINTEST_INK = 0.05  # of [0, 1]; what is fainter has no say in where the ink ends
STRAY_INK = 0.001  # of all ink; MNIST's outermost rows hold more in 99.5 % of its digits, a speck less
GROUND_STEPS = 40  # by then the plane moves by less than half of one of 256 grey levels


def open_picture(data: bytes, *, name: str = "the picture") -> Image.Image:
    """Read a picture from outside: PNG, JPEG, WebP, GIF, BMP, TIFF, PPM or AVIF.

    The first frame of an animation is taken and the EXIF orientation applied. Grey deeper than 8
    bits is scaled, not clipped: 16-bit values by 65535, 32-bit integers by 255 or 65535 and floats
    by 1 or 255, whichever holds them all, or else by the picture's own range. Colour profiles are
    ignored.

    Args:
        data: The file's content.
        name: What an error message calls the picture, such as the file's name.

    Returns:
        A loaded picture of mode ``"L"``, ``"RGB"`` or, if any pixel is transparent, ``"RGBA"``.

    Raises:
        ImageError: The data are empty, larger than `MAX_BYTES`, in no format named above, damaged,
            hold more than `MAX_PIXELS` pixels (found before they are decoded), or NaN or infinity.
    """
    _check_bytes(data, name)
    reader = _reader_of(data, name)
    try:
        picture = reader(BytesIO(data))  # reads the header and decodes nothing yet
        _check_pixels(picture, name)
        picture.load()
        return _to_eight_bit(_upright(picture), name)
    except DAMAGE as error:
        raise ImageError(
            f"{name} must be an intact picture, got {reader.format} data that cannot be decoded "
            f"({str(error) or type(error).__name__}); save it again as PNG or JPEG."
        ) from error


def prepare_picture(
    picture: Image.Image, *, shape: tuple[int, int, int], preparation: Preparation
) -> Float[Tensor, "channel height width"]:
    """Turn a picture into what the model sees.

    1. Transparent places show `preparation.background`.
    2. Colours become grey (ITU-R BT.601 luma) for a model of one channel, grey becomes RGB for three.
    3. The picture is fitted into the model's frame: its middle cropped to the frame's proportions, or
       the whole padded with the median colour of its border (which is the background, where the
       border is transparent). A picture of the model's own size stays bit for bit what it is.
    4. ``invert="always"`` swaps black and white. ``"auto"`` does so when the border is brighter than
       halfway between the darkest and the brightest pixel, and divides by the paper's brightness
       as the border shows it, so that grey or unevenly lit paper becomes black.
    5. With `preparation.centre` the strokes are lifted off their ground and placed as MNIST's digits
       are. Their own box then takes the place of step 3, which might cut them. A picture without
       strokes becomes black.

    Args:
        picture: From `open_picture`, or any other of Pillow's; it is left as it is.
        shape: (channel, height, width) of the model's images; channel is 1 or 3.
        preparation: The model's.

    Returns:
        float32 in [0, 1].

    Raises:
        ImageError: The picture holds NaN or infinity.
        InputError: The shape has a side below 1 or other channels than 1 or 3.
    """
    channels, height, width = shape
    if channels not in MODES or min(height, width) < 1:
        raise InputError(f"shape must be (1 or 3, height, width) with sides of at least 1, got {shape}.")
    picture = _over(_to_eight_bit(picture, "the picture"), preparation.background).convert(MODES[channels])
    if preparation.centre:
        return _centre(_light_on_dark(_whole(picture, height, width), preparation), height, width)
    fit = _crop if preparation.fit == "crop" else _pad
    return _light_on_dark(fit(picture, height, width), preparation).clamp(0, 1)


def image_to_pillow(image: Float[Tensor, "channel height width"]) -> Image.Image:
    """The image as an 8-bit picture.

    Args:
        image: 1 or 3 channels; values outside [0, 1] are clipped.

    Returns:
        A picture of mode ``"L"`` or ``"RGB"``; each value is the nearest of 256, halves round up.

    Raises:
        InputError: The image has other than 1 or 3 channels.
    """
    channels = image.shape[0]
    if channels not in MODES:
        raise InputError(f"an image must have 1 or 3 channels, got {channels}.")
    levels = (image.detach().float().clamp(0, 1) * 255 + 0.5).to("cpu", torch.uint8)
    pixels = levels.permute(1, 2, 0).numpy()  # (height, width, channel)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def image_to_png(image: Float[Tensor, "channel height width"], *, scale: int = 1) -> bytes:
    """The image as a PNG file.

    Args:
        image: 1 or 3 channels; values outside [0, 1] are clipped.
        scale: Side in pixels of the square that each of the image's pixels becomes.

    Raises:
        InputError: The image has other than 1 or 3 channels, or the scale is below 1.
    """
    if scale < 1:
        raise InputError(f"scale must be at least 1, got {scale}.")
    picture = image_to_pillow(image)
    enlarged = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    file = BytesIO()
    enlarged.save(file, "PNG")
    return file.getvalue()


def error_map(
    original: Float[Tensor, "channel height width"], reconstruction: Float[Tensor, "..."]
) -> Float[Tensor, "1 height width"]:
    """The absolute error of each pixel, averaged over the channels.

    Args:
        original: In [0, 1].
        reconstruction: In [0, 1], of the same shape.

    Returns:
        In [0, 1]; 0 where the two agree.

    Raises:
        InputError: The shapes differ.
    """
    if original.shape != reconstruction.shape:
        raise InputError(
            f"both images must have the same shape, got {tuple(original.shape)} and {tuple(reconstruction.shape)}."
        )
    return (original - reconstruction).abs().mean(dim=0, keepdim=True)  # (1, height, width)


def _check_bytes(data: bytes, name: str) -> None:
    if not data:
        raise ImageError(f"{name} must be a picture, got an empty file; choose another file.")
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"{name} must have at most {MAX_BYTES:,} bytes, got {len(data):,}; make the picture smaller and try again."
        )


def _reader_of(data: bytes, name: str) -> type[ImageFile]:
    for start, reader in READERS:
        if start.match(data):
            return reader
    raise ImageError(
        f"{name} must be a PNG, JPEG, WebP, GIF, BMP, TIFF, PPM or AVIF picture, got a file that starts with "
        f"{data[:12]!r}; save it as PNG or JPEG and try again."
    )


def _check_pixels(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageError(
            f"{name} must have at most {MAX_PIXELS:,} pixels and {MAX_SIDE:,} on a side, "
            f"got {width:,} x {height:,} = {width * height:,}; make the picture smaller and try again."
        )


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except DAMAGE:  # in the EXIF block: it costs the orientation, not the picture
        return picture


def _to_eight_bit(picture: Image.Image, name: str) -> Image.Image:
    if picture.mode in WHITES:
        picture = _deep_to_grey(picture, name)
    is_grey = picture.mode in ("1", "L", "LA")
    if picture.has_transparency_data:
        # Palettes with transparent entries convert without loss to RGBA only, so go through it even where
        # all turns out to be opaque.
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() != (255, 255):
            return picture
    return picture.convert("L" if is_grey else "RGB")


def _deep_to_grey(picture: Image.Image, name: str) -> Image.Image:
    stored = np.asarray(picture)  # (height, width)
    broken = np.count_nonzero(~np.isfinite(stored))
    if broken:
        raise ImageError(f"{name} must hold finite values, got {broken:,} that are NaN or infinite; replace them.")
    black, white = _black_and_white(stored, picture.mode)
    values = stored.astype(np.float64)
    values -= black  # in place: at MAX_PIXELS each copy would take 400 MB
    values *= 255 / (white - black)
    grey = Image.fromarray(np.rint(values, out=values).astype(np.uint8))
    if "transparency" in picture.info:  # the one value that a 16-bit PNG may declare transparent
        grey.putalpha(Image.fromarray(stored != picture.info["transparency"]))
    return grey


def _black_and_white(values: np.ndarray, mode: str) -> tuple[float, float]:
    lowest, highest = float(values.min()), float(values.max())
    for white in WHITES[mode]:
        if lowest >= 0 and highest <= white:
            return 0.0, white
    return lowest, highest if highest > lowest else lowest + 1


def _over(picture: Image.Image, background: str) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, background), picture)


def _to_tensor(picture: Image.Image) -> Float[Tensor, "channel height width"]:
    pixels = np.array(picture).reshape(picture.height, picture.width, -1)
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255  # (channel, height, width)


def _whole(picture: Image.Image, height: int, width: int) -> Float[Tensor, "channel _ _"]:
    """The whole picture; block averages where it is much larger than the model's images."""
    factor = max(picture.size) // (WORK_SIDES * max(height, width))
    return _to_tensor(picture.reduce(factor) if factor > 1 else picture)


def _crop(picture: Image.Image, height: int, width: int) -> Float[Tensor, "channel height width"]:
    # Lanczos is the sharpest of Pillow's filters, all of which average over what a pixel covers.
    return _to_tensor(ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS))


def _pad(picture: Image.Image, height: int, width: int) -> Float[Tensor, "channel height width"]:
    scale = min(width / picture.width, height / picture.height)
    inner_width, inner_height = (max(1, round(side * scale)) for side in picture.size)
    inner = _to_tensor(picture.resize((inner_width, inner_height), Image.Resampling.LANCZOS))
    colour = _border(inner).median(dim=1).values  # (channel,)
    padded = colour[:, None, None].repeat(1, height, width)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    padded[:, top : top + inner_height, left : left + inner_width] = inner
    return padded


def _border(image: Float[Tensor, "channel height width"]) -> Float[Tensor, "channel pixel"]:
    return torch.cat([image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]], dim=1)


def _light_on_dark(
    image: Float[Tensor, "channel height width"], preparation: Preparation
) -> Float[Tensor, "channel height width"]:
    inverts_itself = preparation.invert == "auto" and _is_dark_on_light(image)
    if inverts_itself or preparation.invert == "always":
        image = 1 - image
    return _lift(image) if inverts_itself or preparation.centre else image


def _is_dark_on_light(image: Float[Tensor, "channel height width"]) -> bool:
    grey = image.mean(dim=0, keepdim=True)  # (1, height, width)
    darkest, brightest = grey.min().item(), grey.max().item()
    has_contrast = brightest - darkest >= MIN_CONTRAST  # an even picture has no middle of its own
    middle = (darkest + brightest) / 2 if has_contrast else 0.5
    return _border(grey).median().item() > middle


def _lift(image: Float[Tensor, "channel height width"]) -> Float[Tensor, "channel height width"]:
    """Light strokes with their ground at 0; white stays 1.

    1 - ground is the brightness of the paper that was inverted, so dividing by it takes the
    light that fell on the paper out of the strokes as well.
    """
    ground = _ground(image)
    return (image - ground) / (1 - ground).clamp(min=0.1)  # on a ground near white no stroke can be lighter


def _ground(image: Float[Tensor, "channel height width"]) -> Float[Tensor, "height width"]:
    """The brightness of the ground: the plane with the least absolute deviation from the border.

    Like a median it does not mind the few strokes that touch the border. It is found by least
    squares, repeated with each pixel weighted by the inverse of its last deviation.
    """
    grey = image.mean(dim=0, keepdim=True)  # (1, height, width)
    rows, columns = torch.linspace(-1, 1, image.shape[1]), torch.linspace(-1, 1, image.shape[2])
    plane = torch.stack([torch.ones_like(grey[0]), *torch.meshgrid(rows, columns, indexing="ij")])  # (3, height, width)
    design, target = _border(plane).T.numpy(), _border(grey)[0].numpy()  # (pixel, 3), (pixel,)
    weight = np.ones_like(target)
    for _ in range(GROUND_STEPS):
        weighted = design.T * weight  # (3, pixel)
        slope = np.linalg.lstsq(weighted @ design, weighted @ target, rcond=None)[0]  # (3,)
        weight = 1 / np.maximum(np.abs(design @ slope - target), 1e-3)
    return (torch.from_numpy(slope)[:, None, None] * plane).sum(dim=0)


def _centre(image: Float[Tensor, "channel _ _"], height: int, width: int) -> Float[Tensor, "channel height width"]:
    """Light strokes on a ground of 0, placed as MNIST's digits are.

    LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
    recognition", section III.A: fitted into a 20 x 20 box with their proportions kept, then moved so
    that their centre of mass is at the centre of the 28 x 28 field.
    """
    noise = _border(image).abs().median().item()
    ink = (image - 2 * noise).clamp(0, 1)  # takes off most of what is no ink; the rest is no stronger than this:
    faintest = max(FAINTEST_INK, 4 * noise)
    centred = torch.zeros(len(image), height, width)
    if ink.mean(dim=0).max() >= max(MIN_CONTRAST, faintest):
        ink = _scale(_trim(ink, faintest), max(1, round(INK_SHARE * min(height, width))))
        strength = ink.mean(dim=0)  # (box height, box width)
        top, left = _offset(strength.sum(dim=1), height), _offset(strength.sum(dim=0), width)
        centred[:, top : top + ink.shape[1], left : left + ink.shape[2]] = ink
    return centred


def _trim(ink: Float[Tensor, "channel height width"], faintest: float) -> Float[Tensor, "channel _ _"]:
    """The ink within its bounding box; faint and stray ink has no say in the box."""
    strength = ink.mean(dim=0)  # (height, width)
    strength = strength * (strength >= faintest)
    return ink[:, _extent(strength.sum(dim=1)), _extent(strength.sum(dim=0))]


def _extent(profile: Float[Tensor, " position"]) -> slice:
    share = profile.cumsum(dim=0) / profile.sum()
    return slice(int((share <= STRAY_INK).sum()), int((share < 1 - STRAY_INK).sum()) + 1)


def _scale(ink: Float[Tensor, "channel height width"], side: int) -> Float[Tensor, "channel _ _"]:
    """The ink with its longer side as given and its strongest stroke white.

    The triangle filter has no negative lobes, so no ghost outlines appear on the black around.
    """
    longer = max(ink.shape[1:])
    size = [max(1, round(length * side / longer)) for length in ink.shape[1:]]
    scaled = functional.interpolate(ink[None], size=size, mode="bilinear", antialias=True)[0]
    return scaled / scaled.max()


def _offset(profile: Float[Tensor, " position"], room: int) -> int:
    """Where the ink starts, in pixels, so that its centre of mass is nearest to the middle pixel.

    The middle of MNIST's 28 pixels is number 14, counted from 0: its digits have their centre of
    mass between 13.5 and 14.5. Ink that would stick out of the frame is moved inside instead.
    """
    positions = torch.arange(len(profile))
    centre_of_mass = (profile * positions).sum().item() / profile.sum().item()
    return min(max(round(room // 2 - centre_of_mass), 0), room - len(profile))
