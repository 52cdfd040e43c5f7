"""Strokes on a ground, drawn or photographed -> light on dark, and placed as MNIST's digits are."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vae_core.images.preparation_options import Preparation

__all__ = ["border", "centre_strokes", "light_on_dark"]

INK_SHARE = 20 / 28  # of the model's side: MNIST's 20 x 20 box in 28 x 28 pixels
MIN_CONTRAST = 0.2  # of [0, 1]; a pencil on paper has 0.3, the noise of an empty sheet less than 0.1
FAINTEST_INK = 0.05  # of [0, 1]; what is fainter has no say in where the ink ends
STRAY_INK = 0.001  # of all ink; MNIST's outermost rows hold more in 99.5 % of its digits, a speck less
GROUND_STEPS = 40  # by then the plane moves by less than half of one of 256 grey levels


def border(image: Float[Tensor, "channel height width"]) -> Float[Tensor, "channel pixel"]:
    """The outermost pixels, [channel, pixel]; those in corners count twice."""
    return torch.cat([image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]], dim=1)


def light_on_dark(
    image: Float[Tensor, "channel height width"], preparation: Preparation
) -> Float[Tensor, "channel height width"]:
    """The image inverted and its strokes lifted off their ground, where the preparation says so.

    Args:
        image: In [0, 1].
        preparation: Its `invert` and `centre` count.

    Returns:
        Of the same shape; what was lifted may lie outside [0, 1].
    """
    inverts_itself = preparation.invert == "auto" and _is_dark_on_light(image)
    if inverts_itself or preparation.invert == "always":
        image = 1 - image
    return _lift(image) if inverts_itself or preparation.centre else image


def centre_strokes(
    image: Float[Tensor, "channel _ _"], height: int, width: int
) -> Float[Tensor, "channel height width"]:
    """Light strokes on a ground of 0, placed as MNIST's digits are.

    LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
    recognition", section III.A: fitted into a 20 x 20 box with their proportions kept, then moved so
    that their centre of mass is at the centre of the 28 x 28 field.
    """
    noise = border(image).abs().median().item()
    ink = (image - 2 * noise).clamp(0, 1)  # takes off most of what is no ink; the rest is no stronger than this:
    faintest = max(FAINTEST_INK, 4 * noise)
    centred = torch.zeros(len(image), height, width)
    if ink.mean(dim=0).max() >= max(MIN_CONTRAST, faintest):
        ink = _scale(_trim(ink, faintest), max(1, round(INK_SHARE * min(height, width))))
        strength = ink.mean(dim=0)  # (box height, box width)
        top, left = _offset(strength.sum(dim=1), height), _offset(strength.sum(dim=0), width)
        centred[:, top : top + ink.shape[1], left : left + ink.shape[2]] = ink
    return centred


def _is_dark_on_light(image: Float[Tensor, "channel height width"]) -> bool:
    grey = image.mean(dim=0, keepdim=True)  # (1, height, width)
    darkest, brightest = grey.min().item(), grey.max().item()
    has_contrast = brightest - darkest >= MIN_CONTRAST  # an even picture has no middle of its own
    middle = (darkest + brightest) / 2 if has_contrast else 0.5
    return border(grey).median().item() > middle


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
    design, target = border(plane).T.numpy(), border(grey)[0].numpy()  # (pixel, 3), (pixel,)
    weight = np.ones_like(target)
    for _ in range(GROUND_STEPS):
        weighted = design.T * weight  # (3, pixel)
        slope = np.linalg.lstsq(weighted @ design, weighted @ target, rcond=None)[0]  # (3,)
        weight = 1 / np.maximum(np.abs(design @ slope - target), 1e-3)
    return (torch.from_numpy(slope)[:, None, None] * plane).sum(dim=0)


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
