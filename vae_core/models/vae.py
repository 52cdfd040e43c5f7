"""The networks: `Encoder`, `Decoder` and the `VAE` made of both."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from httpx2 import HTTPError
from huggingface_hub import PyTorchModelHubMixin, snapshot_download
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor, nn

from vae_core.errors import InputError, ModelError
from vae_core.models.config import POSE_DIMENSIONS, ModelConfig
from vae_core.models.config_file import config_text, read_config
from vae_core.models.layers import (
    conv_decoder_body,
    conv_encoder_body,
    linear_decoder,
    linear_encoder,
    mlp_decoder_body,
    mlp_encoder_body,
)
from vae_core.models.pixel_likelihood import pixel_nats
from vae_core.models.posterior import Posterior
from vae_core.models.spatial import place
from vae_core.models.spec import ModelSpec, spec_of
from vae_core.models.weights_file import read_weights
from vae_core.runtime.whole_files import write_text_whole, written_whole
from vae_core.runtime.whole_folders import put_back, read_whole, replaced_whole

__all__ = [
    "CARD_FILE",
    "CONFIG_FILE",
    "MAX_LOGVAR",
    "VAE",
    "WEIGHTS_FILE",
    "Decoder",
    "Encoder",
    "parameter_shapes",
    "plain_card",
]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "README.md"

# exp(+-10) spans standard deviations from 0.007 to 150: wider than any trained posterior, and safe in float32.
MAX_LOGVAR = 10.0


class Encoder(nn.Module):
    """Images to posteriors: a body, then one linear head for the mean and one for the log-variance."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        conv = config.architecture == "conv"
        self.body = conv_encoder_body(config) if conv else mlp_encoder_body(config)
        features = config.dense_units if conv else config.widths[-1]
        self.mean = nn.Linear(features, config.latent_dim)
        self.logvar = nn.Linear(features, config.latent_dim) if config.variational else None
        self.linear = linear_encoder(config) if config.linear_path else None

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Posterior:
        """Images [batch, channel, height, width] in [0, 1] -> their posteriors."""
        h = self.body(images)  # [batch, features]
        mean = self.mean(h)  # [batch, latent]
        if self.linear is not None:
            mean = mean + self.linear(images.flatten(start_dim=1))
        if self.logvar is None:
            return Posterior(mean, torch.full_like(mean, -math.inf))
        return Posterior(mean, self.logvar(h).clamp(-MAX_LOGVAR, MAX_LOGVAR))


class Decoder(nn.Module):
    """Latent vectors to logits, one for each pixel and channel."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.has_pose = config.decoder == "spatial"
        drawn = (
            replace(config, latent_dim=config.latent_dim - POSE_DIMENSIONS, decoder="dense")
            if self.has_pose
            else config
        )
        self.body = conv_decoder_body(drawn) if config.architecture == "conv" else mlp_decoder_body(config)
        self.linear = linear_decoder(config) if config.linear_path else None

    def forward(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        """z [batch, latent] -> logits [batch, channel, height, width]."""
        if self.has_pose:
            return place(self.body(z[:, POSE_DIMENSIONS:]), z[:, :POSE_DIMENSIONS])
        logits: Tensor = self.body(z)
        return logits if self.linear is None else logits + self.linear(z)


class VAE(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="vae-explorer",
    tags=["variational-autoencoder"],
):
    """A variational autoencoder, or a plain one (``variational=False``); a `Model` that can be trained.

    Stored in the field's own form: ``model.safetensors`` beside ``config.json``. Weights may be
    stored in half precision; in memory they are float32.

    Args:
        config: What to build. The weights are drawn from torch's global generator: seed it, or
            use `build_seeded`.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        # log sigma of the Gaussian likelihood, in pixel units of [0, 1]; learned with the weights.
        self.log_sigma = nn.Parameter(torch.tensor(-1.0)) if config.likelihood == "gaussian" else None

    @classmethod
    def build_seeded(cls, config: ModelConfig, seed: int) -> "VAE":
        """A new model whose weights depend on `seed` alone; torch's global generator stays as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(config)

    def channels_last(self) -> "VAE":
        """Lay the weights out for convolutions on processors, in place; the values stay the same. Returns self."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
        return self

    @property
    def spec(self) -> ModelSpec:
        """What the network takes and gives."""
        return spec_of(self.config)

    @property
    def device(self) -> torch.device:
        """The device on which the network's weights are."""
        return self.encoder.mean.weight.device

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> Posterior:
        """Images [batch, channel, height, width] in [0, 1] -> posteriors. Nothing random happens.

        Raises:
            InputError: The images have another shape than the model's.
        """
        if tuple(images.shape[1:]) != self.config.image_shape:
            raise InputError(
                f"this model takes images of [batch, {', '.join(map(str, self.config.image_shape))}], "
                f"got {list(images.shape)}; prepare them with vae_core.images.preparation.prepare_picture."
            )
        posterior: Posterior = self.encoder(images)
        return posterior

    def logits(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        """z [batch, latent] -> the decoder's output before the sigmoid, [batch, channel, height, width].

        Raises:
            InputError: z has another number of dimensions than the model's.
        """
        if z.ndim != 2 or z.shape[1] != self.config.latent_dim:
            raise InputError(f"this model takes z of [batch, {self.config.latent_dim}], got {list(z.shape)}.")
        logits: Tensor = self.decoder(z)
        return logits

    def decode(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        """z [batch, latent] -> the likelihood's mean: images [batch, channel, height, width] in [0, 1]."""
        return torch.sigmoid(self.logits(z))

    def reconstruction_nats(
        self, images: Float[Tensor, "batch channel height width"], z: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image at its code, in nats, [batch]; see `pixel_nats`.

        Raises:
            InputError: z has another number of dimensions than the model's.
        """
        return pixel_nats(self.logits(z), images, self.log_sigma)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch ..."]:
        """Reconstruct by the posterior's mean: images in, images of the same shape out."""
        return self.decode(self.encode(images).mean)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **options: Any) -> "VAE":
        """Load from a folder, or by a model's id from the hub.

        Args:
            pretrained_model_name_or_path: A folder that holds config.json and model.safetensors, or a hub id.
            **options: For a hub id: revision, cache_dir, token, local_files_only, force_download.

        Raises:
            ModelError: Nothing is there, or the weights are damaged or do not fit config.json.
            ConfigError: config.json breaks a rule.
        """
        folder = Path(pretrained_model_name_or_path)
        put_back(folder)
        if not folder.is_dir():
            folder = _fetch(str(pretrained_model_name_or_path), **options)
        return read_whole(folder, lambda: cls._read(folder))

    @classmethod
    def _read(cls, folder: Path) -> "VAE":
        # Not by the mixin, which may fall back to a pickle, loads what fits and drops unknown keys.
        if not (folder / CONFIG_FILE).is_file():
            raise ModelError(f"{folder} holds no {CONFIG_FILE}: a stored model has one beside {WEIGHTS_FILE}.")
        config = read_config(folder / CONFIG_FILE)
        weights = read_weights(folder / WEIGHTS_FILE, parameter_shapes(config))
        model = cls(config)  # now that the weights are known to be of its size
        model.load_state_dict(weights, strict=True)  # half precision becomes float32
        return model.eval()

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> Any:
        """Store weights and configuration in a folder, both at once or not at all; a card that is there stays.

        Args:
            save_directory: made when missing; other files in it stay.
            **options: those of `huggingface_hub.ModelHubMixin.save_pretrained`.

        Raises:
            OSError: The folder cannot be written.
            safetensors.SafetensorError: The weights cannot be written, on a full disk for instance.
        """
        folder = Path(save_directory).resolve()
        with replaced_whole(folder, ours=(CONFIG_FILE, WEIGHTS_FILE, CARD_FILE), keep=(CARD_FILE,)) as new:
            if not (new / CARD_FILE).exists():  # else the mixin writes one that says nothing of this model
                write_text_whole(new / CARD_FILE, plain_card(folder.name, self.config))
            return super().save_pretrained(new, **{"repo_id": folder.name, **options})

    def _save_pretrained(self, save_directory: Path) -> None:
        self.write(save_directory)

    def write(self, folder: Path) -> None:
        """Write config.json and model.safetensors into a folder that exists, each file whole.

        Raises:
            OSError: The folder cannot be written.
            safetensors.SafetensorError: The weights cannot be written, on a full disk for instance.
        """
        write_text_whole(folder / CONFIG_FILE, config_text(self.config))
        weights = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        with written_whole(folder / WEIGHTS_FILE) as temporary:
            save_file(weights, temporary, metadata={"format": "pt"})


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The shape of each of a network's weights, by name; nothing is allocated for them."""
    with torch.device("meta"):
        return {name: tuple(weight.shape) for name, weight in VAE(config).state_dict().items()}


def _fetch(hub_id: str, **options: Any) -> Path:
    """Download the two files of a stored model, nothing else, and return their folder."""
    try:
        return Path(snapshot_download(hub_id, allow_patterns=[CONFIG_FILE, WEIGHTS_FILE], **options))
    # A HTTPError is a connection that broke off, a ValueError a malformed id or an answer that is not the hub's.
    except (HTTPError, OSError, ValueError) as error:
        raise ModelError(
            f"no model at {hub_id!r}: it is neither a folder here nor a model that the hub gave ({_one_line(error)})."
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def plain_card(name: str, config: ModelConfig) -> str:
    """A card for a model of which nothing is known but its configuration."""
    kind = "variational autoencoder" if config.variational else "plain autoencoder"
    shape = " x ".join(map(str, config.image_shape))
    return (
        f"# {name}\n\nA {config.architecture} {kind} for images of {shape} (channels x height x width) with "
        f'{config.latent_dim} latent dimensions. Load it with `VAE.from_pretrained("{name}")`.\n'
    )
