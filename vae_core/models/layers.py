"""What encoders and decoders are made of: convolutional and dense bodies, and a linear path beside them."""

import math

import torch
from torch import Tensor, nn

from vae_core.models.config import ModelConfig

__all__ = [
    "ResidualBlock",
    "conv_decoder_body",
    "conv_encoder_body",
    "linear_decoder",
    "linear_encoder",
    "mlp_decoder_body",
    "mlp_encoder_body",
]


class ResidualBlock(nn.Module):
    """x + f(x) with two 3x3 convolutions; it starts near the identity, which lets stacks train unnormalised."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, channel, height, width] to the same shape."""
        h: Tensor = self.second(nn.functional.silu(self.first(nn.functional.silu(x))))
        return x + h


def residual_stack(channels: int, blocks: int) -> list[nn.Module]:
    """The blocks of one resolution."""
    return [ResidualBlock(channels) for _ in range(blocks)]


def feature_shape(config: ModelConfig) -> tuple[int, int, int]:
    """(channel, height, width) of a conv model's smallest feature maps."""
    factor = 2 ** len(config.widths)
    return config.widths[-1], config.height // factor, config.width // factor


def conv_encoder_body(config: ModelConfig) -> nn.Sequential:
    """[batch, channel, height, width] -> [batch, dense_units]; the side halves once for each width."""
    layers: list[nn.Module] = []
    for before, after in zip((config.channels, *config.widths), config.widths, strict=False):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), *residual_stack(after, config.blocks)]
    flat = math.prod(feature_shape(config))
    return nn.Sequential(*layers, nn.SiLU(), nn.Flatten(), nn.Linear(flat, config.dense_units), nn.SiLU())


class Broadcast(nn.Module):
    """z [batch, latent] -> [batch, latent + 2, height, width]: z at every place, with the place's coordinates."""

    coordinates: Tensor

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        self.register_buffer("coordinates", torch.stack([x, y]), persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """Map [batch, latent] to [batch, latent + 2, height, width]."""
        height, width = self.coordinates.shape[1:]
        everywhere = z[:, :, None, None].expand(-1, -1, height, width)
        return torch.cat([everywhere, self.coordinates.to(z.dtype).expand(len(z), -1, -1, -1)], dim=1)


def dense_stem(config: ModelConfig) -> list[nn.Module]:
    """[batch, latent] -> the decoder's first feature map, through dense layers."""
    shape = feature_shape(config)
    return [
        nn.Linear(config.latent_dim, config.dense_units),
        nn.SiLU(),
        nn.Linear(config.dense_units, math.prod(shape)),
        nn.Unflatten(1, shape),
    ]


def broadcast_stem(config: ModelConfig) -> list[nn.Module]:
    """[batch, latent] -> the decoder's first feature map, each place from z and its coordinates alone."""
    channels, height, width = feature_shape(config)
    return [
        Broadcast(height, width),
        nn.Conv2d(config.latent_dim + 2, config.dense_units, 1),
        nn.SiLU(),
        nn.Conv2d(config.dense_units, channels, 1),
    ]


def conv_decoder_body(config: ModelConfig) -> nn.Sequential:
    """[batch, latent] -> logits [batch, channel, height, width]; the mirror of the encoder."""
    layers = broadcast_stem(config) if config.decoder == "broadcast" else dense_stem(config)
    widths = tuple(reversed(config.widths))
    for before, after in zip(widths, (*widths[1:], config.channels), strict=True):
        layers += [*residual_stack(before, config.blocks), nn.SiLU()]
        layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)]
    return nn.Sequential(*layers)


def linear_encoder(config: ModelConfig) -> nn.Linear:
    """[batch, pixel] -> [batch, latent], set once and not trained: a step fit for the network would undo it."""
    return nn.Linear(math.prod(config.image_shape), config.latent_dim).requires_grad_(False)


def linear_decoder(config: ModelConfig) -> nn.Sequential:
    """[batch, latent] -> logits [batch, channel, height, width], set once and not trained."""
    layer = nn.Linear(config.latent_dim, math.prod(config.image_shape)).requires_grad_(False)
    return nn.Sequential(layer, nn.Unflatten(1, config.image_shape))


def mlp_encoder_body(config: ModelConfig) -> nn.Sequential:
    """[batch, channel, height, width] -> [batch, widths[-1]]."""
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in zip((math.prod(config.image_shape), *config.widths), config.widths, strict=False):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers)


def mlp_decoder_body(config: ModelConfig) -> nn.Sequential:
    """[batch, latent] -> logits [batch, channel, height, width]; the encoder's layers in reverse."""
    layers: list[nn.Module] = []
    widths = tuple(reversed(config.widths))
    for before, after in zip((config.latent_dim, *widths), widths, strict=False):
        layers += [nn.Linear(before, after), nn.SiLU()]
    layers += [nn.Linear(widths[-1], math.prod(config.image_shape)), nn.Unflatten(1, config.image_shape)]
    return nn.Sequential(*layers)
