"""Strips of decoded codes, one a shipped model, against which the golden tests compare: what a model showed once.

python -m tests.golden.pictures NAME...    draws those of these models anew, of all when none is named
"""

import sys
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from vae_core.models.vae import VAE
from vae_core.reference.reference_set import Reference
from vae_core.runtime.locations import shipped_models
from vae_core.store.stored_models import REFERENCE_FILE, list_models

SHIPPED = shipped_models()
FOLDER = Path(__file__).with_name("pictures")
TILES = 8


@torch.inference_mode()
def draw_strip(name: str) -> UInt8[np.ndarray, "height width ..."]:
    """Eight of the reference codes, evenly spread, decoded side by side."""
    reference = Reference.load(SHIPPED / name / REFERENCE_FILE)
    rows = np.linspace(0, len(reference) - 1, TILES).astype(int)
    model = VAE.from_pretrained(SHIPPED / name)
    images = model.decode(torch.from_numpy(reference.means[rows]))  # [tile, channel, height, width]
    pixels = (images * 255).round().to(torch.uint8).numpy()
    strip = np.concatenate(list(pixels), axis=2)  # [channel, height, tiles * width]
    return strip[0] if len(strip) == 1 else np.moveaxis(strip, 0, 2)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or list_models(SHIPPED):
        Image.fromarray(draw_strip(name)).save(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
