"""One picture on its way through the model, side by side, and its figures."""

from html import escape
from io import BytesIO

import streamlit as st
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from app.session.gallery import Examined
from app.session.state import Picture
from app.wire.packing import file_address, picture_address
from vae_core.images.files import open_picture
from vae_core.images.pixels import pixels_of
from vae_core.images.preparation import error_map
from vae_core.reconstruction.analysis import Analysis

__all__ = ["comparison", "comparison_style", "thumbnail"]

SIDE = 320  # pixels of a picture's longer side, at least for those of the model; the page shows about half of it
WEBP_QUALITY = 90  # of 100

# One block of HTML for each picture instead of a dozen elements: thirty pictures stay quick to show.
STYLE = """
<style>
  .vae-comparison { display: flex; flex-wrap: wrap; gap: 10px 20px; }
  .vae-pictures { flex: 20 1 440px; display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 12px; }
  .vae-pictures figure { margin: 0; }
  .vae-pictures img {
    display: block; width: 100%; object-fit: contain; border-radius: 6px;
    background: color-mix(in srgb, currentColor 8%, transparent);
  }
  .vae-pictures figcaption, .vae-figures dt { font-size: 0.8rem; opacity: 0.7; }
  .vae-pictures figcaption { margin-top: 4px; text-align: center; }
  .vae-figures { flex: 1 1 130px; display: flex; flex-wrap: wrap; gap: 8px 24px; align-content: flex-start; }
  .vae-comparison .vae-figures, .vae-figures dt, .vae-comparison dd { margin: 0; padding: 0; }
  .vae-figures dd { font-size: 1.15rem; line-height: 1.3; white-space: nowrap; }
  .vae-figures small, .vae-rank { opacity: 0.7; }
  .vae-figures dd.vae-rank { font-size: 0.8rem; }
</style>
"""


def comparison_style() -> None:
    """What `comparison` needs once a page."""
    st.html(STYLE)


def comparison(each: Examined, *, upload: bytes, variational: bool, rank: float) -> None:
    """Show the upload, what the model sees, its reconstruction and the error, all at one size.

    Args:
        each: The picture and what the model made of it.
        upload: Its thumbnail.
        variational: False leaves out what a plain autoencoder has not: KL and ELBO.
        rank: Percent of held-out images whose reconstruction term, of one sample each, is at most the picture's, which
            is an average of several.
    """
    reconstruction = each.analysis.reconstruction
    pictures = {
        "upload": file_address(upload, "image/webp"),
        "what the model sees": _enlarged(each.seen),
        "reconstruction": _enlarged(reconstruction),
        "error": _enlarged(error_map(each.seen, reconstruction)),
    }
    shown = "".join(_figure(each, caption, source) for caption, source in pictures.items())
    figures = "".join(
        f'<div title="{meaning}"><dt>{name}</dt><dd>{_number(value)} <small>nats</small></dd>{more}</div>'
        for name, meaning, value, more in _figures(each.analysis, variational=variational, rank=rank)
    )
    pictures_and_figures = f'<div class="vae-pictures">{shown}</div><dl class="vae-figures">{figures}</dl>'
    st.html(f'<div class="vae-comparison">{pictures_and_figures}</div>')


def thumbnail(picture: Picture) -> bytes:
    """The picture as it came, upright, as a WebP file for showing; a small one with its pixels as squares."""
    opened = open_picture(picture.content, name=picture.name)
    scale = SIDE // max(opened.size)
    if scale > 1:
        opened = opened.resize((opened.width * scale, opened.height * scale), Image.Resampling.NEAREST)
    opened.thumbnail((SIDE, SIDE))
    file = BytesIO()
    opened.save(file, "WEBP", quality=WEBP_QUALITY)
    return file.getvalue()


def _figure(each: Examined, caption: str, source: str) -> str:
    _, height, width = each.seen.shape
    image = (
        f'<img src="{source}" alt="{escape(each.picture.name)}: {caption}" style="aspect-ratio: {width} / {height}">'
    )
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _enlarged(image: Float[Tensor, "channel height width"]) -> str:
    scale = -(-SIDE // max(image.shape[1:]))  # rounded up
    return picture_address(pixels_of(image), scale=scale)


def _figures(analysis: Analysis, *, variational: bool, rank: float) -> list[tuple[str, str, float, str]]:
    """Name, meaning and value in nats of each figure, and what else there is to say of it."""
    beside = f'<dd class="vae-rank">worse than {rank:.0f}% of held-out images</dd>'
    reconstruction = ("Reconstruction", "The reconstruction term, −log p(x|z)", analysis.reconstruction_nats, beside)
    if not variational:
        return [reconstruction]
    return [
        ("ELBO", "The evidence lower bound: minus reconstruction, minus KL", analysis.elbo, ""),
        reconstruction,
        ("KL", "From the posterior to the prior N(0, I)", analysis.kl_nats, ""),
    ]


def _number(value: float) -> str:
    return f"{value:.1f}".replace("-", "\u2212")
