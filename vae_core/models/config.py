"""Frozen configurations and their JSON form.

A stored model's ``config.json`` is one `ModelConfig`: what the network is, how pictures are
prepared for it, and (once trained) how it was trained. Reading is strict: unknown keys, wrong
types and broken rules are `ConfigError`s, and tuples come back as tuples.
"""

import codecs
import math
import reprlib
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict

from vae_core.errors import ConfigError, ModelError
from vae_core.images.preparation_options import Preparation
from vae_core.runtime.strict_json import STRICT, config_from_json

__all__ = [
    "MAX_CONFIG_BYTES",
    "MAX_LATENT_DIM",
    "MAX_PARAMETERS",
    "POSE_DIMENSIONS",
    "ModelConfig",
    "Precision",
    "TrainingConfig",
    "need_training",
    "read_config",
]

Precision = Literal["float32", "bfloat16"]

MAX_SIDE = 512  # pixels; beyond it a dense layer of the mlp would not fit in memory
POSE_DIMENSIONS = 3  # of z, by which a spatial decoder moves and resizes what it draws: right, down, larger
MAX_LATENT_DIM = 256  # a dimension's number fits into one byte, as in the live channel's questions
# A file from outside may ask for any network; these bounds let 400 MB of float32 weights be the most, and feature maps
# of 16 MB for each picture. The largest model of the collection has 5 million parameters.
MAX_UNITS = 16_384  # of one layer
MAX_WIDTHS = 16
MAX_BLOCKS = 64
MAX_PARAMETERS = 100_000_000
MAX_FEATURES = 2**22  # numbers in the feature maps of one resolution
MAX_CONFIG_BYTES = 2**16  # of a config.json; those of the collection have 1,500
MAX_SEED = 2**63 - 1  # torch's generators take no more


@dataclass(frozen=True)
class TrainingConfig:
    """One training run; the defaults are those of the command line.

    Attributes:
        dataset: Name of a data set (`vae_core.datasets.registry.DATASET_NAMES`) or a folder's path.
        epochs: Passes over the training part.
        batch_size: Images a step.
        optimizer: Which of torch's optimisers.
        learning_rate: Largest step size.
        lr_warmup_steps: Steps over which the step size rises linearly from 0 to `learning_rate`.
        schedule: ``"cosine"`` falls to zero over the run, ``"constant"`` stays.
        weight_decay: Decoupled for AdamW, L2 for the others.
        beta: Weight of the KL term; 1 gives the ELBO.
        kl_warmup_epochs: Epochs over which the KL weight goes from `kl_start` times beta to beta.
        kl_start: Where it starts. From 0 it rises in a straight line; from above it goes by equal factors, and from
            far above 1 it falls and lets dimensions in one by one, the strongest first (see `objective.kl_weight`).
        free_bits: Nats per dimension that the KL term costs at the least (Kingma et al. 2016,
            arXiv:1606.04934, equation 15); 0 switches it off.
        binarise: ``"dynamic"`` draws each pixel from a Bernoulli with the grey value as its mean,
            anew each time; ``"none"`` trains on the grey values themselves.
        clip_norm: Largest norm of the gradient; 0 switches clipping off.
        tc_beta: Weight of the total correlation within the KL term, relative to the rest of it: above 1 gives
            beta-TCVAE (Chen et al. 2018, arXiv:1802.04942, with alpha = gamma = 1), 1 switches it off.
        importance_epochs: How many of the last epochs train on the importance-weighted bound in place of the ELBO
            (Burda et al. 2016, arXiv:1509.00519).
        importance_samples: Of z for each image in those epochs; 1 is the ELBO.
        ema_decay: Of a running average of the weights, which is validated and kept in place of the last step's;
            0 switches it off.
        augment: ``"flip"`` mirrors every other picture, left to right, drawn anew each time.
        precision: Of the networks' products; ``"bfloat16"`` keeps weights, objective and update in float32.
        patience: Epochs without a better validation loss after which the run stops; 0 = never.
        seed: Of the weights, the order of the data and the noise.
    """

    dataset: str
    epochs: int = 20
    batch_size: int = 256
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    learning_rate: float = 2e-3
    lr_warmup_steps: int = 100
    schedule: Literal["constant", "cosine"] = "cosine"
    weight_decay: float = 0.01
    beta: float = 1.0
    kl_warmup_epochs: float = 0.0
    kl_start: float = 0.0
    free_bits: float = 0.0
    binarise: Literal["none", "dynamic"] = "none"
    clip_norm: float = 0.0
    tc_beta: float = 1.0
    importance_epochs: int = 0
    importance_samples: int = 1
    ema_decay: float = 0.0
    augment: Literal["none", "flip"] = "none"
    precision: Precision = "float32"
    patience: int = 0
    seed: int = 0

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "importance_samples"):
            _require(name, getattr(self, name), at_least=1)
        _require("importance_epochs", self.importance_epochs, at_least=0, at_most=self.epochs)
        for name in (
            "lr_warmup_steps",
            "weight_decay",
            "beta",
            "kl_warmup_epochs",
            "kl_start",
            "free_bits",
            "clip_norm",
        ):
            _require(name, getattr(self, name), at_least=0)
        _require("ema_decay", self.ema_decay, at_least=0, at_most=0.99999)
        _require("tc_beta", self.tc_beta, at_least=1)
        _require("patience", self.patience, at_least=0)
        _require("seed", self.seed, at_least=0, at_most=MAX_SEED)
        if not 0 < self.learning_rate < math.inf:
            raise ConfigError(f"learning_rate must be above 0 and finite, got {self.learning_rate}; try 0.002.")
        if self.importance_samples > 1 and (self.beta, self.tc_beta, self.free_bits) != (1, 1, 0):
            raise ConfigError(
                "the importance-weighted bound knows no weights of the KL term: with importance_samples above 1 beta "
                f"and tc_beta must be 1 and free_bits 0, got {self.beta}, {self.tc_beta} and {self.free_bits}."
            )


@dataclass(frozen=True)
class ModelConfig:
    """A network, the pictures it takes and, once trained, how it was trained.

    Attributes:
        architecture: ``"mlp"`` (fully connected, the decoder mirrors the encoder) or ``"conv"``
            (residual, one halving of the side per entry of `widths`).
        channels: 1 (grey) or 3 (RGB).
        height: Of the pictures, in pixels.
        width: Of the pictures, in pixels.
        latent_dim: Dimensions of z.
        likelihood: ``"bernoulli"`` (grey values count as its mean) or ``"gaussian"`` with one
            learned variance for all pixels (sigma-VAE: Rybkin et al. 2021, arXiv:2006.13202).
        variational: False gives a plain autoencoder: no noise, no KL term.
        widths: Units of each hidden layer (mlp) or channels at each resolution (conv).
        blocks: Residual blocks at each resolution (conv only).
        dense_units: Units of the dense layer between feature maps and z (conv only).
        decoder: How a conv decoder comes from z to its first feature map: through dense layers, or by giving every
            place of it z and the place's coordinates (Watters et al. 2019, arXiv:1901.07017, here at the smallest
            resolution): what stands where is then a matter of comparing z with them. Or ``"spatial"``: all but
            the first three dimensions draw a canvas through dense layers, which those three move and resize (see
            `vae_core.models.spatial`).
        linear_path: Beside the network, a linear map from pixels to the mean and one from z to the logits, set to
            probabilistic PCA of the training images (see `vae_core.training.pca_start`): the network adds what is not
            linear.
        preparation: How pictures from outside are prepared.
        training: How the weights came to be; None before training.
    """

    architecture: Literal["mlp", "conv"] = "conv"
    channels: int = 1
    height: int = 28
    width: int = 28
    latent_dim: int = 16
    likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
    variational: bool = True
    widths: tuple[int, ...] = (32, 64)
    blocks: int = 1
    dense_units: int = 256
    decoder: Literal["dense", "broadcast", "spatial"] = "dense"
    linear_path: bool = False
    preparation: Preparation = field(default_factory=Preparation)
    training: TrainingConfig | None = None

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ConfigError(f"channels must be 1 (grey) or 3 (RGB), got {self.channels}.")
        for name in ("height", "width"):
            _require(name, getattr(self, name), at_least=1, at_most=MAX_SIDE)
        _require("latent_dim", self.latent_dim, at_least=1, at_most=MAX_LATENT_DIM)
        _require("blocks", self.blocks, at_least=0, at_most=MAX_BLOCKS)
        _require("dense_units", self.dense_units, at_least=1, at_most=MAX_UNITS)
        self._check_widths()
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

    def _check_widths(self) -> None:
        if not 1 <= len(self.widths) <= MAX_WIDTHS or min(self.widths) < 1 or max(self.widths) > MAX_UNITS:
            raise ConfigError(
                f"widths must hold 1 to {MAX_WIDTHS} numbers, each from 1 to {MAX_UNITS:,}, got {len(self.widths)}: "
                f"{reprlib.repr(self.widths)}."
            )
        factor = 2 ** len(self.widths)
        if self.architecture == "conv" and (self.height % factor or self.width % factor):
            raise ConfigError(
                f"a conv model with {len(self.widths)} widths halves the side {len(self.widths)} times: height and "
                f"width must be multiples of {factor}, got {self.height} x {self.width}; use fewer widths."
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


def read_config(path: Path) -> ModelConfig:
    """Read a model's ``config.json``.

    Raises:
        ConfigError: The file cannot be read or breaks a rule; the message names the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
        if len(content) > MAX_CONFIG_BYTES:
            raise ConfigError(f"a configuration has at most {MAX_CONFIG_BYTES:,} bytes, this file has more.")
        return config_from_json(ModelConfig, content.removeprefix(codecs.BOM_UTF8))  # as Windows' editors begin a file
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _dense(inputs: int, outputs: int) -> int:
    """Parameters of a dense layer, or of a convolution of one pixel."""
    return inputs * outputs + outputs


def _require(name: str, value: float, *, at_least: float, at_most: float | None = None) -> None:
    if not math.isfinite(value):
        raise ConfigError(f"{name} must be a finite number, got {value}.")
    if value < at_least or (at_most is not None and value > at_most):
        rule = f"at least {at_least}" if at_most is None else f"between {at_least} and {at_most}"
        raise ConfigError(f"{name} must be {rule}, got {value}.")


def need_training(config: ModelConfig) -> TrainingConfig:
    """How the model was trained.

    Raises:
        ModelError: Its configuration does not say.
    """
    if config.training is None:
        raise ModelError("the model does not say what it was trained on: its config.json has no training part.")
    return config.training
