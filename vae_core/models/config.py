"""Frozen configurations: what a network is, how pictures are prepared for it, and how it was trained.

Reading their JSON is strict: unknown keys, wrong types and broken rules are `ConfigError`s, and tuples come back as
tuples.
"""

import math
from dataclasses import field
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from vae_core.errors import ConfigError, ModelError
from vae_core.images.preparation_options import Preparation
from vae_core.runtime.strict_json import settings

__all__ = [
    "MAX_LATENT_DIM",
    "MAX_PARAMETERS",
    "POSE_DIMENSIONS",
    "Channels",
    "ModelConfig",
    "Precision",
    "TrainingConfig",
    "need_training",
]

Precision = Literal["float32", "bfloat16"]
Channels = Literal[1, 3]

MAX_IMAGE_SIDE = 512  # pixels; beyond it a dense layer of the mlp would not fit in memory
POSE_DIMENSIONS = 3  # of z, by which a spatial decoder moves and resizes what it draws: right, down, larger
MAX_LATENT_DIM = 256  # a dimension's number fits into one byte, as in the live channel's questions
# A file from outside may ask for any network; these bounds let 400 MB of float32 weights be the most, and feature maps
# of 16 MB for each picture. The largest model of the collection has 5 million parameters.
MAX_UNITS = 16_384  # of one layer
MAX_WIDTHS = 16
MAX_BLOCKS = 64
MAX_PARAMETERS = 100_000_000
MAX_FEATURES = 2**22  # numbers in the feature maps of one resolution
MAX_SEED = 2**63 - 1  # torch's generators take no more

ImageSide = Annotated[int, Field(ge=1, le=MAX_IMAGE_SIDE, json_schema_extra={"unit": "pixels"})]


@settings
class TrainingConfig:
    """One training run; the defaults are those of the command line."""

    dataset: Annotated[str, Field(description="name of a data set, or a folder of images")]
    epochs: Annotated[int, Field(ge=1, description="passes over the training images")] = 20
    batch_size: Annotated[int, Field(ge=1, description="images a step")] = 256
    optimizer: Annotated[Literal["adam", "adamw", "sgd"], Field(description="which of torch's update rules")] = "adamw"
    learning_rate: Annotated[float, Field(gt=0, description="largest step size")] = 2e-3
    lr_warmup_steps: Annotated[
        int, Field(ge=0, description="steps over which the step size rises from 0 in a straight line")
    ] = 100
    schedule: Annotated[
        Literal["constant", "cosine"], Field(description="the step size afterwards: the same, or falling to 0")
    ] = "cosine"
    # Decoupled for AdamW, L2 for the others.
    weight_decay: Annotated[float, Field(ge=0, description="pull of the weights towards 0, per unit of step size")] = (
        0.01
    )
    beta: Annotated[float, Field(ge=0, description="weight of the KL term; 1 is the ELBO")] = 1.0
    kl_warmup_epochs: Annotated[
        float, Field(ge=0, description="epochs over which the KL weight goes from kl_start times beta to beta")
    ] = 0.0
    # From 0 it rises in a straight line; from above it goes by equal factors, and from far above 1 it falls and lets
    # dimensions in one by one, the strongest first (see `vae_core.training.schedules`).
    kl_start: Annotated[float, Field(ge=0, description="first KL weight, as a multiple of beta")] = 0.0
    # Kingma et al. 2016, arXiv:1606.04934, equation 15.
    free_bits: Annotated[
        float,
        Field(
            ge=0,
            description="KL that a latent dimension costs at the least; 0 is off",
            json_schema_extra={"unit": "nats"},
        ),
    ] = 0.0
    binarise: Annotated[
        Literal["none", "dynamic"],
        Field(description="grey pixels as they are, or black and white ones drawn anew each time"),
    ] = "none"
    clip_norm: Annotated[float, Field(ge=0, description="largest norm of the gradient; 0 is off")] = 0.0
    # Relative to the rest of the KL term: beta-TCVAE (Chen et al. 2018, arXiv:1802.04942, with alpha = gamma = 1).
    tc_beta: Annotated[float, Field(ge=1, description="weight of the total correlation; 1 is off")] = 1.0
    # Burda et al. 2016, arXiv:1509.00519.
    importance_epochs: Annotated[
        int, Field(ge=0, description="how many of the last epochs train on the importance-weighted bound")
    ] = 0
    importance_samples: Annotated[
        int, Field(ge=1, description="samples of z for each image in those epochs; 1 is the ELBO")
    ] = 1
    # The average is validated and kept in place of the last step's weights.
    ema_decay: Annotated[
        float, Field(ge=0, le=0.99999, description="decay of a running average of the weights; 0 is off")
    ] = 0.0
    augment: Annotated[
        Literal["none", "flip"], Field(description="flip: mirror every other picture, left to right, drawn anew")
    ] = "none"
    # Weights, objective and update stay in float32.
    precision: Annotated[Precision, Field(description="precision of the networks' products")] = "float32"
    patience: Annotated[
        int, Field(ge=0, description="epochs without a better validation loss before stopping; 0 is off")
    ] = 0
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, description="seed of the weights, the order and the noise")] = 0

    def __post_init__(self) -> None:
        if self.importance_epochs > self.epochs:
            raise ConfigError(
                f"importance_epochs are the last of all epochs, at most {self.epochs}, got {self.importance_epochs}."
            )
        if self.importance_samples > 1 and (self.beta, self.tc_beta, self.free_bits) != (1, 1, 0):
            raise ConfigError(
                "the importance-weighted bound knows no weights of the KL term: with importance_samples above 1 beta "
                f"and tc_beta must be 1 and free_bits 0, got {self.beta}, {self.tc_beta} and {self.free_bits}."
            )


@settings
class ModelConfig:
    """A network, the pictures it takes and, once trained, how it was trained."""

    # mlp: the decoder mirrors the encoder; conv: residual, one halving of the side per entry of `widths`.
    architecture: Annotated[
        Literal["mlp", "conv"], Field(description="kind of network: fully connected, or convolutional")
    ] = "conv"
    channels: Annotated[Channels, Field(description="channels of the pictures: 1 is grey, 3 is RGB")] = 1
    height: Annotated[ImageSide, Field(description="height of the pictures")] = 28
    width: Annotated[ImageSide, Field(description="width of the pictures")] = 28
    latent_dim: Annotated[int, Field(ge=1, le=MAX_LATENT_DIM, description="dimensions of z")] = 16
    # bernoulli: grey values count as its mean; gaussian: one learned variance for all pixels (sigma-VAE: Rybkin et al.
    # 2021, arXiv:2006.13202).
    likelihood: Annotated[Literal["bernoulli", "gaussian"], Field(description="distribution of a pixel")] = "bernoulli"
    variational: Annotated[
        bool, Field(description="a posterior with noise and a KL term; without them a plain autoencoder")
    ] = True
    widths: Annotated[
        tuple[Annotated[int, Field(ge=1, le=MAX_UNITS)], ...],
        Field(
            min_length=1,
            max_length=MAX_WIDTHS,
            description="units of each layer of an mlp, or channels of a conv network at each resolution",
        ),
    ] = (32, 64)
    blocks: Annotated[
        int, Field(ge=0, le=MAX_BLOCKS, description="residual blocks at each resolution of a conv network")
    ] = 1
    dense_units: Annotated[
        int, Field(ge=1, le=MAX_UNITS, description="units of a conv network's dense layer before z")
    ] = 256
    # broadcast gives every place of the first feature map z and its coordinates (Watters et al. 2019, arXiv:1901.07017,
    # here at the smallest resolution): what stands where is then a matter of comparing z with them. spatial: all but
    # the first three dimensions draw a canvas through dense layers, which those three move and resize (see
    # `vae_core.models.spatial`).
    decoder: Annotated[
        Literal["dense", "broadcast", "spatial"],
        Field(description="way from z to the first feature map of a conv network"),
    ] = "dense"
    # Probabilistic PCA of the training images (see `vae_core.training.pca_start`): the network adds what is not linear.
    linear_path: Annotated[
        bool, Field(description="linear maps between pixels and z beside the network, started from PCA")
    ] = False
    preparation: Annotated[Preparation, Field(description="how pictures from outside are prepared")] = field(
        default_factory=Preparation
    )
    training: Annotated[TrainingConfig | None, Field(description="how the weights came to be")] = None

    def __post_init__(self) -> None:
        self._check_halvings()
        self._check_size()
        if self.decoder == "spatial":
            self._check_spatial()
        if self.training and self.training.tc_beta > 1 and not self.variational:
            raise ConfigError(
                f"tc_beta must be 1 for a plain autoencoder, which has no KL term, got {self.training.tc_beta}."
            )
        if self.training and self.training.importance_samples > 1 and not self.variational:
            raise ConfigError(
                "importance_samples must be 1 for a plain autoencoder, which has no posterior to sample, "
                f"got {self.training.importance_samples}."
            )

    def _check_spatial(self) -> None:
        if self.architecture != "conv" or self.linear_path or self.latent_dim < 4 or self.height != self.width:
            raise ConfigError(
                "a spatial decoder is convolutional, has no linear path, at least 4 dimensions (three place what the "
                f"others draw) and square pictures, got {self.architecture}, linear_path={self.linear_path}, "
                f"{self.latent_dim} and {self.height} x {self.width}."
            )

    def _check_halvings(self) -> None:
        factor = 2 ** len(self.widths)
        wrong = next((side for side in (self.height, self.width) if side % factor), None)
        if self.architecture == "conv" and wrong is not None:
            near = [
                side for side in (wrong // factor * factor, -(-wrong // factor) * factor) if 0 < side <= MAX_IMAGE_SIDE
            ]
            take = f"take {' or '.join(map(str, near))} in place of {wrong}, or " if near else ""
            raise ConfigError(
                f"a conv model with {len(self.widths)} widths halves the side {len(self.widths)} times: height and "
                f"width must be multiples of {factor}, got {self.height} x {self.width}; {take}use fewer widths."
            )

    def _check_size(self) -> None:
        """Let a network pass that fits into memory; counted from the numbers alone, so that nothing is allocated."""
        if self.parameter_count > MAX_PARAMETERS:
            raise ConfigError(
                f"a network has at most {MAX_PARAMETERS:,} parameters, got {self.parameter_count:,}; use smaller "
                "widths, fewer dense_units or fewer blocks."
            )
        features = max(self._feature_sizes(), default=0)
        if features > MAX_FEATURES:
            raise ConfigError(
                f"the feature maps of one resolution hold at most {MAX_FEATURES:,} numbers, got {features:,}; use "
                "smaller widths or smaller pictures."
            )

    def _feature_sizes(self) -> list[int]:
        """How many numbers a conv model's feature maps hold at each resolution, the largest resolution first."""
        if self.architecture == "mlp":
            return []
        sides = [(self.height >> halvings, self.width >> halvings) for halvings in range(1, len(self.widths) + 1)]
        return [width * high * wide for width, (high, wide) in zip(self.widths, sides, strict=True)]

    @property
    def parameter_count(self) -> int:
        """How many numbers the network's weights are; counted, not built (see `vae_core.models.layers`)."""
        pixels, latent = math.prod(self.image_shape), self.latent_dim
        features = self.widths[-1] if self.architecture == "mlp" else self.dense_units
        heads = _dense(features, latent) * (2 if self.variational else 1)
        linear = _dense(pixels, latent) + _dense(latent, pixels) if self.linear_path else 0
        sigma = 1 if self.likelihood == "gaussian" else 0
        body = self._mlp_parameters(pixels) if self.architecture == "mlp" else self._conv_parameters()
        return body + heads + linear + sigma

    def _mlp_parameters(self, pixels: int) -> int:
        encoder = sum(_dense(*sizes) for sizes in pairwise((pixels, *self.widths)))
        return encoder + sum(_dense(*sizes) for sizes in pairwise((self.latent_dim, *reversed(self.widths), pixels)))

    def _conv_parameters(self) -> int:
        flat, last = self._feature_sizes()[-1], self.widths[-1]
        # Each resolution has its halving, its doubling, and its residual blocks in both encoder and decoder.
        stages = pairwise((self.channels, *self.widths))
        body = sum(2 * 16 * a * b + a + b + 4 * self.blocks * (9 * b * b + b) for a, b in stages)
        drawn = self.latent_dim - (POSE_DIMENSIONS if self.decoder == "spatial" else 0)
        if self.decoder == "broadcast":
            stem = _dense(self.latent_dim + 2, self.dense_units) + _dense(self.dense_units, last)
        else:
            stem = _dense(drawn, self.dense_units) + _dense(self.dense_units, flat)
        return body + _dense(flat, self.dense_units) + stem

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channel, height, width) of one picture."""
        return self.channels, self.height, self.width


def _dense(inputs: int, outputs: int) -> int:
    """Parameters of a dense layer, or of a convolution of one pixel."""
    return inputs * outputs + outputs


def need_training(config: ModelConfig) -> TrainingConfig:
    """How the model was trained.

    Raises:
        ModelError: Its configuration does not say.
    """
    if config.training is None:
        raise ModelError("the model does not say what it was trained on: its config.json has no training part.")
    return config.training
