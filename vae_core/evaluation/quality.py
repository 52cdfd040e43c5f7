"""How near reconstructions come to the pictures, beside what PCA keeps with as many numbers a picture."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vae_core.errors import InputError
from vae_core.latent.components import principal_components
from vae_core.models.objective import EVALUATION_BATCH
from vae_core.models.vae import VAE

__all__ = ["Quality", "fit_linear", "psnr", "reconstruction_quality", "ssim"]

LOWEST_ERROR = 1e-10  # mean squared: a picture without an error counts as 100 dB
SMALLEST_SIDE = 6  # pixels, below which SSIM's window of 11 cannot be mirrored at the border
PCA_SEED = 0

Reconstruct = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Quality:
    """Means over test images, of each image's own figure.

    Attributes:
        psnr: Mean `psnr` of the reconstructions by the posterior mean, in dB.
        ssim: Mean `ssim` of the reconstructions by the posterior mean.
        pca_psnr: Mean `psnr` of PCA's reconstructions, in dB.
        pca_ssim: Mean `ssim` of PCA's reconstructions.
        dimensions: Dimensions of the codes, and of PCA unless there are fewer images or pixels.
        images: Number of images that were measured.
    """

    psnr: float
    ssim: float
    pca_psnr: float
    pca_ssim: float
    dimensions: int
    images: int

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds."""
        return asdict(self)


@torch.inference_mode()
def reconstruction_quality(
    model: VAE, train_images: UInt8[Tensor, "n c h w"], test_images: Float[Tensor, "m c h w"]
) -> Quality:
    """Measure reconstructions by the posterior mean, and those by PCA fitted to the training images.

    Args:
        model: In evaluation mode.
        train_images: [image, channel, height, width].
        test_images: [image, channel, height, width] in [0, 1]. They are what the model is given and what it is
            compared with; grey ones where it was trained on binarised pixels too, as people's pictures are.

    Raises:
        InputError: There are fewer than two training images or no test images, or a side is below
            `SMALLEST_SIDE` pixels.
    """
    if len(train_images) < 2 or len(test_images) < 1 or min(test_images.shape[2:]) < SMALLEST_SIDE:
        raise InputError(
            f"quality is measured with at least 2 training and 1 test image of at least {SMALLEST_SIDE} pixels a side, "
            f"got {len(train_images)} and {len(test_images)} of {' x '.join(map(str, test_images.shape[2:]))}."
        )
    own = _measure(lambda pictures: model(pictures.to(model.device)).cpu(), test_images)
    linear = _measure(fit_linear(train_images, model.config.latent_dim), test_images)
    return Quality(*own, *linear, dimensions=model.config.latent_dim, images=len(test_images))


def psnr(
    images: Float[Tensor, "batch channel height width"], reconstructions: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, " batch"]:
    """The peak signal-to-noise ratio of each image in dB, [batch]: 10 log10(1 / mean squared error), peak 1.

    A mean squared error counts as at least `LOWEST_ERROR`.
    """
    errors = (images - reconstructions).square().flatten(start_dim=1).mean(dim=1)
    return -10 * errors.clamp_min(LOWEST_ERROR).log10()


def ssim(
    images: Float[Tensor, "batch channel height width"], reconstructions: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, " batch"]:
    """The structural similarity of each image, [batch]; 1 for the same image.

    Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity": Gaussian window of
    11 x 11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03, range 1; channels apart, images mirrored at the border.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure  # takes a second to import

    similarity = structural_similarity_index_measure(
        reconstructions, images, gaussian_kernel=True, sigma=1.5, data_range=1.0, reduction="none", k1=0.01, k2=0.03
    )
    return cast(Tensor, similarity).reshape(len(images))  # a tuple comes only where more is asked for


def fit_linear(images: UInt8[Tensor, "n c h w"], dimensions: int) -> Reconstruct:
    """PCA of the images' pixels: what reconstructs pictures from that many principal components.

    Args:
        images: [image, channel, height, width].
        dimensions: Components; where there are fewer images or pixels, all that they have.
    """
    found = principal_components(images.flatten(start_dim=1).numpy(), dimensions, seed=PCA_SEED)
    mean = torch.from_numpy(found.mean / 255).float()  # (pixel,), in [0, 1]
    components = torch.from_numpy(found.axes.copy()).float()  # (component, pixel)

    def reconstruct(pictures: Tensor) -> Tensor:
        codes = (pictures.flatten(start_dim=1) - mean) @ components.T  # (picture, component)
        return (mean + codes @ components).reshape(pictures.shape)

    return reconstruct


def _measure(reconstruct: Reconstruct, images: Float[Tensor, "m c h w"]) -> tuple[float, float]:
    """The mean PSNR in dB and the mean SSIM of reconstructions clipped to [0, 1]."""
    decibels, similarities = [], []
    for batch in images.split(EVALUATION_BATCH):
        reconstructions = reconstruct(batch).clamp(0, 1)
        decibels.append(psnr(batch, reconstructions))
        similarities.append(ssim(batch, reconstructions))
    return torch.cat(decibels).mean().item(), torch.cat(similarities).mean().item()
