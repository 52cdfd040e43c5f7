"""The linear path: probabilistic PCA of the training images, to which the network adds what is not linear.

A network that has to find the large linear part of colour pictures by itself takes most of its training for it.
With this path it begins with PCA's reconstructions. The images stay bytes: a few at a time become numbers.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vae_core.errors import TrainingError
from vae_core.models.config import ModelConfig
from vae_core.models.vae import VAE

__all__ = ["check_images", "start_from_pca"]

PIXEL_MARGIN = 0.02  # of 0 and 1, whose logits would be infinite
LARGEST_POSTERIOR_VARIANCE = 0.9  # of a dimension that explains less than the noise
SMALLEST_VARIANCE = 1e-12  # of a component or the noise, where all pictures are the same
BLOCK_PIXELS = 2**20  # that are numbers at a time: 4 MB in float32; larger blocks are no faster
# The randomised decomposition's, as scikit-learn has them: more steps for less than a share of all components.
SPARE_COMPONENTS = 10
FEW, STEPS_OF_FEW, STEPS = 0.1, 7, 4
SEEDS = 2**32  # that numpy's older generator tells apart


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
        model: With a linear path.
        images: Of the training part, more than the model has dimensions.
        seed: Of the randomised decomposition.

    Raises:
        TrainingError: There are too few images, or as many dimensions as pixels.
    """
    encoder, decoder = model.encoder.linear, model.decoder.linear
    if encoder is None or decoder is None:
        raise TrainingError("the model must have a linear path to start from PCA; set linear_path.")
    check_images(model.config, images)
    pixels = Pixels(images)
    components, variances = _principal_components(pixels, model.config.latent_dim, seed=seed)
    scale = variances.clamp_min(SMALLEST_VARIANCE).sqrt()  # [latent]
    into = components / scale[:, None]  # [latent, pixel]
    _set(encoder, into, -into @ pixels.mean)
    _set(decoder[0], *_way_back(pixels, into))
    # The paper spreads what the components leave over the pixels that are left, however few the images are.
    left = pixels.total_variance - float(variances.sum(dtype=torch.float64))
    noise = max(left / (pixels.width - len(variances)), SMALLEST_VARIANCE)
    if model.encoder.logvar is not None:
        variance = (noise / scale.square()).clamp_max(LARGEST_POSTERIOR_VARIANCE)
        model.encoder.logvar.bias.copy_(variance.log())
    if model.log_sigma is not None:
        model.log_sigma.fill_(0.5 * math.log(noise))


class Pixels:
    """Images as the matrix of their pixels less the mean picture, [image, pixel], of which few rows exist at a time.

    Attributes:
        stored: The pixels as they are kept, uint8 [image, pixel].
        mean: The mean picture, in [0, 1], [pixel].
        total_variance: Of a pixel, summed over pixels.
    """

    def __init__(self, images: UInt8[Tensor, "n c h w"]) -> None:
        self.stored = images.flatten(start_dim=1)
        total = torch.zeros(self.width, dtype=torch.int64)
        for block in self._stored_blocks():
            total += block.sum(dim=0)
        self.mean = (total.double() / (255 * len(self))).float()
        squares = sum(block.square().sum(dtype=torch.float64).item() for block in self._blocks())
        self.total_variance = squares / (len(self) - 1)

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def width(self) -> int:
        """Pixels of one image, in each of its channels."""
        return self.stored.shape[1]

    def times(self, right: Float[Tensor, "p k"]) -> Float[Tensor, "n k"]:
        """The matrix times `right`."""
        return torch.cat([block @ right for block in self._blocks()])

    def turned_times(self, right: Float[Tensor, "n k"]) -> Float[Tensor, "p k"]:
        """The transposed matrix times `right`."""
        return self._summed(self._blocks(), right)

    def turned_values_times(self, values: Float[Tensor, " 256"], right: Float[Tensor, "n k"]) -> Float[Tensor, "p k"]:
        """The same of what `values` holds for each of the 256 that a pixel can be; no mean is taken from it."""
        return self._summed((values[block.int()] for block in self._stored_blocks()), right)

    def _summed(self, blocks: Iterator[Float[Tensor, "rows p"]], right: Float[Tensor, "n k"]) -> Float[Tensor, "p k"]:
        product = torch.zeros(self.width, right.shape[1])
        for block, rows in zip(blocks, right.split(self._rows), strict=True):
            product.addmm_(block.T, rows)
        return product

    @property
    def _rows(self) -> int:
        return max(1, BLOCK_PIXELS // self.width)

    def _stored_blocks(self) -> Iterator[UInt8[Tensor, "rows p"]]:
        yield from self.stored.split(self._rows)

    def _blocks(self) -> Iterator[Float[Tensor, "rows p"]]:
        for block in self._stored_blocks():
            yield block.float().div_(255).sub_(self.mean)


def _principal_components(
    pixels: Pixels, count: int, *, seed: int
) -> tuple[Float[Tensor, "count p"], Float[Tensor, " count"]]:
    """Unit vectors along which the pixels vary most, [component, pixel], and their variances, [component].

    The randomised decomposition of Halko et al. 2011 (arXiv:0909.4061), algorithms 4.4 and 5.1, with numbers and
    random vectors as scikit-learn's PCA has them, which needs the whole matrix in memory three times over.
    """
    shape = len(pixels), pixels.width
    wide = shape[0] < shape[1]
    ahead, back = (pixels.turned_times, pixels.times) if wide else (pixels.times, pixels.turned_times)
    generator = np.random.RandomState(seed % SEEDS)
    start = generator.normal(size=(min(shape), count + SPARE_COMPONENTS))  # [shorter side, component]
    basis = torch.from_numpy(start.astype(np.float32))
    for _ in range(STEPS_OF_FEW if count < FEW * min(shape) else STEPS):
        basis = _orthonormal(back(_orthonormal(ahead(basis))))
    basis = _orthonormal(ahead(basis))  # [longer side, component]
    turn, sizes, others = torch.linalg.svd(back(basis).T, full_matrices=False)
    components = ((basis @ turn).T if wide else others)[:count]
    largest = components.gather(1, components.abs().argmax(dim=1, keepdim=True))  # [component, 1]
    return components * largest.sign(), sizes[:count].square() / (len(pixels) - 1)


def _orthonormal(columns: Float[Tensor, "n k"]) -> Float[Tensor, "n l"]:
    orthonormal: Tensor = torch.linalg.qr(columns).Q
    return orthonormal


def _way_back(pixels: Pixels, into: Float[Tensor, "latent p"]) -> tuple[Float[Tensor, "p latent"], Float[Tensor, " p"]]:
    """The linear map from white codes to the pixels' logits that has the least squared error: weight and bias."""
    codes = pixels.times(into.T)
    codes -= codes.mean(dim=0)  # so that the logits' own mean takes no part in the weight
    logits = (torch.arange(256) / 255).clamp(PIXEL_MARGIN, 1 - PIXEL_MARGIN).logit()  # of each value of a pixel
    both = pixels.turned_values_times(logits, torch.cat([codes, torch.ones(len(codes), 1)], dim=1)) / len(codes)
    return both[:, :-1], both[:, -1]


def _set(layer: nn.Module, weight: Float[Tensor, "o i"], bias: Float[Tensor, " o"]) -> None:
    assert isinstance(layer, nn.Linear)  # noqa: S101 - for the type checker
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
