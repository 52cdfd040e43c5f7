"""The networks: shapes, ranges, and what they may and may not depend on."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vae_core.errors import InputError
from vae_core.models.config import ModelConfig
from vae_core.models.vae import MAX_LOGVAR, VAE


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- a plain autoencoder -------------------------------------------------------------------------------------


def test_a_plain_autoencoder_s_posterior_is_a_point(tiny_config: ModelConfig) -> None:
    model = VAE.build_seeded(replace(tiny_config, variational=False), seed=0)
    posterior = model.encode(torch.rand(4, 1, 8, 8, generator=seeded()))
    assert (posterior.std == 0).all()
    assert torch.equal(posterior.sample(seeded()), posterior.mean)
    assert torch.isinf(posterior.kl()).all()
    assert (posterior.kl() > 0).all()


def test_a_plain_autoencoder_has_no_weights_for_the_deviation(tiny_config: ModelConfig) -> None:
    plain = VAE.build_seeded(replace(tiny_config, variational=False), seed=0).state_dict()
    full = VAE.build_seeded(tiny_config, seed=0).state_dict()
    assert set(full) - set(plain) == {"encoder.logvar.weight", "encoder.logvar.bias"}


# --- networks ------------------------------------------------------------------------------------------------

SHAPES = [(channels, side) for side in (28, 32, 64) for channels in (1, 3)]


def small_config(architecture: str, channels: int, side: int) -> ModelConfig:
    return ModelConfig(
        architecture=architecture,  # type: ignore[arg-type]
        channels=channels,
        height=side,
        width=side,
        latent_dim=3,
        widths=(4, 6),
        dense_units=8,
    )


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
@pytest.mark.parametrize(("channels", "side"), SHAPES)
def test_shapes_survive_the_way_through_the_model(architecture: str, channels: int, side: int) -> None:
    model = VAE.build_seeded(small_config(architecture, channels, side), seed=0)
    images = torch.rand(2, channels, side, side, generator=seeded())
    posterior = model.encode(images)
    assert posterior.mean.shape == posterior.logvar.shape == (2, 3)
    assert model.logits(posterior.mean).shape == model.decode(posterior.mean).shape == images.shape
    assert model(images).shape == images.shape


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
def test_height_and_width_are_not_confused(architecture: str) -> None:
    model = VAE.build_seeded(replace(small_config(architecture, 1, 8), width=12), seed=0)
    assert model(torch.zeros(1, 1, 8, 12)).shape == (1, 1, 8, 12)
    with pytest.raises(InputError):
        model.encode(torch.zeros(1, 1, 12, 8))


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
def test_an_empty_batch_goes_through(architecture: str) -> None:
    model = VAE.build_seeded(small_config(architecture, 1, 8), seed=0)
    assert model(torch.zeros(0, 1, 8, 8)).shape == (0, 1, 8, 8)


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
def test_decoded_images_lie_between_zero_and_one_however_far_z_is(architecture: str) -> None:
    model = VAE.build_seeded(small_config(architecture, 1, 8), seed=0)
    images = model.decode(1e4 * torch.randn(50, 3, generator=seeded()))
    assert images.min() >= 0
    assert images.max() <= 1
    assert images.max() > 0.99


def test_decoding_is_the_sigmoid_of_the_logits(tiny_model: VAE) -> None:
    z = torch.randn(5, 3, generator=seeded())
    assert torch.allclose(tiny_model.decode(z), 1 / (1 + torch.exp(-tiny_model.logits(z))))


def test_a_reconstruction_is_decoded_from_the_mean(tiny_model: VAE) -> None:
    images = torch.rand(3, 1, 8, 8, generator=seeded())
    assert torch.equal(tiny_model(images), tiny_model.decode(tiny_model.encode(images).mean))


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
@pytest.mark.parametrize("training", [True, False])
def test_encoding_is_deterministic_and_draws_no_random_numbers(architecture: str, training: bool) -> None:
    model = VAE.build_seeded(small_config(architecture, 1, 8), seed=0).train(training)
    images = torch.rand(3, 1, 8, 8, generator=seeded())
    before = torch.get_rng_state()
    first, again = model.encode(images), model.encode(images)
    assert torch.equal(first.mean, again.mean)
    assert torch.equal(first.logvar, again.logvar)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("architecture", ["mlp", "conv"])
def test_an_image_s_encoding_does_not_depend_on_its_batch(architecture: str) -> None:
    model = VAE.build_seeded(small_config(architecture, 1, 8), seed=0).train()
    images = torch.rand(9, 1, 8, 8, generator=seeded())
    alone = torch.cat([model.encode(image[None]).mean for image in images])
    assert torch.allclose(model.encode(images).mean, alone, atol=1e-6)


def test_the_deviation_stays_within_its_bounds(tiny_model: VAE) -> None:
    with torch.no_grad():
        tiny_model.encoder.logvar.bias.copy_(torch.tensor([1e6, -1e6, 0.0]))
    logvar = tiny_model.encode(torch.zeros(1, 1, 8, 8)).logvar[0]
    assert logvar[:2].tolist() == [MAX_LOGVAR, -MAX_LOGVAR]


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 1, 8, 9), (2, 1, 9, 8), (2, 1, 28, 28)])
def test_images_of_another_shape_are_refused_with_both_shapes(tiny_model: VAE, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as caught:
        tiny_model.encode(torch.zeros(shape))
    assert "[batch, 1, 8, 8]" in str(caught.value)
    assert str(list(shape)) in str(caught.value)


@pytest.mark.parametrize("latent", [1, 2, 4])
def test_codes_of_another_size_are_refused_with_both_shapes(tiny_model: VAE, latent: int) -> None:
    for decode in (tiny_model.decode, tiny_model.logits):
        with pytest.raises(InputError) as caught:
            decode(torch.zeros(2, latent))
        assert "[batch, 3]" in str(caught.value)
        assert f"[2, {latent}]" in str(caught.value)


def test_an_mlp_decoder_mirrors_its_encoder() -> None:
    model = VAE(ModelConfig(architecture="mlp", height=8, width=8, latent_dim=3, widths=(7, 5)))
    sizes = [
        [(layer.in_features, layer.out_features) for layer in part.body if isinstance(layer, nn.Linear)]
        for part in (model.encoder, model.decoder)
    ]
    assert sizes == [[(64, 7), (7, 5)], [(3, 5), (5, 7), (7, 64)]]


def test_a_conv_model_halves_the_side_once_for_each_width() -> None:
    model = VAE(replace(small_config("conv", 3, 16), blocks=2))
    images = torch.rand(1, 3, 16, 16)
    shapes = [images.shape]
    for layer in model.encoder.body:
        images = layer(images)
        shapes += [images.shape] if isinstance(layer, nn.Conv2d) else []
    assert shapes == [(1, 3, 16, 16), (1, 4, 8, 8), (1, 6, 4, 4)]


def test_seeded_weights_depend_on_the_seed_alone(tiny_config: ModelConfig) -> None:
    before = torch.get_rng_state()
    first, again, other = (VAE.build_seeded(tiny_config, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder.mean.weight"], other["encoder.mean.weight"])
    assert torch.equal(torch.get_rng_state(), before)
