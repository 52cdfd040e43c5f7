"""The linear path: probabilistic PCA of the training images, to which the network adds what is not linear.

A network that has to find the large linear part of colour pictures by itself takes most of its training for it.
With this path it begins with PCA's reconstructions. The images stay bytes: a few at a time become numbers.
"""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vae_core.errors import TrainingError
from vae_core.latent.components import principal_components
from vae_core.models.config import ModelConfig
from vae_core.models.vae import VAE

__all__ = ["check_images", "start_from_pca"]

PIXEL_MARGIN = 0.02  # of 0 and 1, whose logits would be infinite
LARGEST_POSTERIOR_VARIANCE = 0.9  # of a dimension that explains less than the noise
SMALLEST_VARIANCE = 1e-12  # of a component or the noise, where all pictures are the same
BLOCK_PIXELS = 2**20  # that are numbers at a time: 4 MB in float32; larger blocks are no faster


def check_images(config: ModelConfig, images: UInt8[Tensor, "n c h w"]) -> None:
    """Let images pass from which a model with a linear path can start.

    Raises:
        TrainingError: There are too few images, or as many dimensions as pixels.
    """
    if min(len(images), images[0].numel()) <= config.latent_dim:
        raise TrainingError(
            f"PCA with {config.latent_dim} components needs more images and pixels than that, "
            f"got {len(images)} and {images[0].numel()}."
        )


@torch.no_grad()
def start_from_pca(model: VAE, images: UInt8[Tensor, "n c h w"], *, seed: int) -> None:
    """Set a model's linear maps, log-variances and sigma to probabilistic PCA, in place.

    The mean becomes the whitened principal components: unit variance, as the prior has it. Log-variances and sigma
    are those of Tipping & Bishop 1999 (JRSS B 61(3), section 3.2): a posterior variance of sigma^2 / lambda_j, with
    sigma^2 the mean variance of what the components leave. The way back goes to logits, by least squares.

    Args:
        model: Model with a linear path.
        images: Images of the training part, more than the model has dimensions.
        seed: Seed of the search for the components.

    Raises:
        TrainingError: There are too few images, or as many dimensions as pixels.
    """
    encoder, decoder = model.encoder.linear, model.decoder.linear
    if encoder is None or decoder is None:
        raise TrainingError("the model must have a linear path to start from PCA; set linear_path.")
    check_images(model.config, images)
    stored = images.flatten(start_dim=1)  # the bytes themselves, [image, pixel]
    count, width = stored.shape
    found = principal_components(stored.numpy(), model.config.latent_dim, seed=seed)
    of_pixels = count / (count - 1) / 255**2  # of values in [0, 1], with n - 1 in the denominator
    variances = torch.from_numpy(found.variances * of_pixels)  # [latent]
    scale = variances.clamp_min(SMALLEST_VARIANCE).sqrt()
    into = (torch.from_numpy(found.axes) / scale[:, None]).float()  # [latent, pixel]
    mean = torch.from_numpy(found.mean / 255).float()  # [pixel]
    _set(encoder, into, -into @ mean)
    _set(decoder[0], *_way_back(stored, mean, into))
    # The paper spreads what the components leave over the pixels that are left, however few the images are.
    left = found.total_variance * of_pixels - float(variances.sum())
    noise = max(left / (width - len(variances)), SMALLEST_VARIANCE)
    if model.encoder.logvar is not None:
        variance = (noise / scale.square()).clamp_max(LARGEST_POSTERIOR_VARIANCE)
        model.encoder.logvar.bias.copy_(variance.log())
    if model.log_sigma is not None:
        model.log_sigma.fill_(0.5 * math.log(noise))


def _way_back(
    stored: UInt8[Tensor, "n p"], mean: Float[Tensor, " p"], into: Float[Tensor, "latent p"]
) -> tuple[Float[Tensor, "p latent"], Float[Tensor, " p"]]:
    """The linear map from white codes to the pixels' logits that has the least squared error: weight and bias."""
    blocks = stored.split(max(1, BLOCK_PIXELS // stored.shape[1]))
    codes = torch.cat([block.float().div_(255).sub_(mean) @ into.T for block in blocks])
    codes -= codes.mean(dim=0)  # so that the logits' own mean takes no part in the weight
    logits = (torch.arange(256) / 255).clamp(PIXEL_MARGIN, 1 - PIXEL_MARGIN).logit()  # of each value of a pixel
    right = torch.cat([codes, torch.ones(len(codes), 1)], dim=1) / len(codes)
    both = torch.zeros(stored.shape[1], right.shape[1])
    for block, rows in zip(blocks, right.split(len(blocks[0])), strict=True):
        both.addmm_(logits[block.int()].T, rows)
    return both[:, :-1], both[:, -1]


def _set(layer: nn.Module, weight: Float[Tensor, "o i"], bias: Float[Tensor, " o"]) -> None:
    assert isinstance(layer, nn.Linear)  # noqa: S101 - for the type checker
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
