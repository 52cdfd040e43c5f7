"""The linear path: probabilistic PCA of the training images, to which the network adds what is not linear.

A network that has to find the large linear part of colour pictures by itself takes most of its training for it.
With this path it begins with PCA's reconstructions.
"""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vae_core.errors import TrainingError
from vae_core.model import VAE

__all__ = ["start_from_pca"]

PIXEL_MARGIN = 0.02  # of 0 and 1, whose logits would be infinite
LARGEST_POSTERIOR_VARIANCE = 0.9  # of a dimension that explains less than the noise


@torch.no_grad()
def start_from_pca(model: VAE, images: UInt8[Tensor, "n c h w"], *, seed: int) -> None:
    """Set a model's linear maps, log-variances and sigma to probabilistic PCA, in place.

    The mean becomes the whitened principal components: unit variance, as the prior has it. Log-variances and sigma
    are those of Tipping & Bishop 1999 (JRSS B 61(3), section 3.2): a posterior variance of sigma^2 / lambda_j, with
    sigma^2 the mean variance of what the components leave. The way back goes to logits, by least squares.

    Args:
        model: With a linear path.
        images: Of the training part, more than the model has dimensions.
        seed: Of the randomised decomposition.

    Raises:
        TrainingError: There are too few images, or as many dimensions as pixels.
    """
    from sklearn.decomposition import PCA  # takes a second to import, and only training needs it

    latent, encoder, decoder = model.config.latent_dim, model.encoder.linear, model.decoder.linear
    if encoder is None or decoder is None:
        raise TrainingError("the model must have a linear path to start from PCA; set linear_path.")
    if min(len(images), images[0].numel()) <= latent:
        raise TrainingError(
            f"PCA with {latent} components needs more images and pixels than that, "
            f"got {len(images)} and {images[0].numel()}."
        )
    pixels = (images.flatten(start_dim=1).float() / 255).numpy()  # [image, pixel]
    pca = PCA(latent, svd_solver="randomized", random_state=seed).fit(pixels)
    scale = np.sqrt(np.maximum(pca.explained_variance_, 1e-12)).astype(np.float32)  # [latent]
    into = pca.components_ / scale[:, None]  # [latent, pixel]
    _set(encoder, into, -into @ pca.mean_)
    codes = (pixels - pca.mean_) @ into.T  # [image, latent], white
    _set_back(decoder[0], codes, pixels)
    # scikit-learn spreads what the components leave over the smaller side of the data, the paper over the pixels.
    noise = float(pca.noise_variance_) * (min(pixels.shape) - latent) / (pixels.shape[1] - latent)
    noise = max(noise, 1e-12)
    if model.encoder.logvar is not None:
        variance = np.minimum(noise / scale**2, LARGEST_POSTERIOR_VARIANCE)
        model.encoder.logvar.bias.copy_(torch.from_numpy(np.log(variance)))
    if model.log_sigma is not None:
        model.log_sigma.fill_(0.5 * float(np.log(noise)))


def _set_back(layer: nn.Module, codes: Float[np.ndarray, "n d"], pixels: Float[np.ndarray, "n p"]) -> None:
    """The linear map from white codes to the pixels' logits that has the least squared error."""
    inside = np.clip(pixels, PIXEL_MARGIN, 1 - PIXEL_MARGIN)
    logits = np.log(inside / (1 - inside))
    mean = logits.mean(axis=0)
    _set(layer, (logits - mean).T @ codes / len(codes), mean)


def _set(layer: nn.Module, weight: Float[np.ndarray, "o i"], bias: Float[np.ndarray, " o"]) -> None:
    assert isinstance(layer, nn.Linear)  # noqa: S101 - for the type checker
    layer.weight.copy_(torch.from_numpy(weight))
    layer.bias.copy_(torch.from_numpy(bias))
