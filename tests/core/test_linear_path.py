"""The linear path: before the first step a model reconstructs as PCA does."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from vae_core.config import ModelConfig
from vae_core.errors import TrainingError
from vae_core.linear_path import start_from_pca
from vae_core.model import VAE

LATENT, SIDE = 3, 8


def planar_images(count: int) -> Tensor:
    """Grey pictures, mid-grey but for three directions and a little noise: what three components describe well."""
    generator = np.random.default_rng(0)
    directions = generator.standard_normal((LATENT, SIDE * SIDE))
    pixels = 128 + 12 * generator.standard_normal((count, LATENT)) @ directions / 2
    pixels += generator.standard_normal(pixels.shape)
    return torch.from_numpy(pixels.clip(0, 255).astype(np.uint8)).reshape(count, 1, SIDE, SIDE)


@pytest.fixture
def model(tiny_config: ModelConfig) -> VAE:
    config = replace(tiny_config, linear_path=True, likelihood="gaussian", latent_dim=LATENT)
    model = VAE.build_seeded(config, seed=0).eval()
    for head in (model.encoder.mean, model.encoder.logvar, model.decoder.body[-2]):  # the network itself is silent
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    return model


def test_it_reconstructs_as_pca_does(model: VAE) -> None:
    images = planar_images(400)
    start_from_pca(model, images, seed=0)
    pixels = images.flatten(1).numpy() / 255
    pca = PCA(LATENT).fit(pixels)
    expected = np.square(pca.inverse_transform(pca.transform(pixels)) - pixels).mean()
    with torch.inference_mode():
        found = (model(images.float() / 255) - images.float() / 255).square().mean().item()
    assert expected < 0.0003
    assert found == pytest.approx(expected, rel=0.25)  # the way back is linear in logits, not in pixels
    assert np.square(pixels - pixels.mean(axis=0)).mean() > 10 * found


def test_codes_are_white_and_as_sure_as_probabilistic_pca(model: VAE) -> None:
    images = planar_images(400)
    start_from_pca(model, images, seed=0)
    with torch.inference_mode():
        posterior = model.encode(images.float() / 255)
    np.testing.assert_allclose(np.cov(posterior.mean.numpy().T), np.eye(LATENT), atol=0.02)
    pca = PCA(LATENT).fit(images.flatten(1).numpy() / 255)
    np.testing.assert_allclose(
        posterior.logvar.exp()[0].numpy(), pca.noise_variance_ / pca.explained_variance_, rtol=0.02
    )
    assert model.log_sigma is not None
    assert model.log_sigma.exp().item() == pytest.approx(np.sqrt(pca.noise_variance_), rel=0.01)


def test_the_path_is_not_trained(model: VAE) -> None:
    fixed = [name for name, weights in model.named_parameters() if not weights.requires_grad]
    assert sorted(fixed) == [
        "decoder.linear.0.bias",
        "decoder.linear.0.weight",
        "encoder.linear.bias",
        "encoder.linear.weight",
    ]


def test_a_model_without_the_path_and_too_few_images_are_refused(model: VAE, tiny_model: VAE) -> None:
    with pytest.raises(TrainingError, match="set linear_path"):
        start_from_pca(tiny_model, planar_images(10), seed=0)
    with pytest.raises(TrainingError, match="3 components needs more images and pixels than that, got 3 and 64"):
        start_from_pca(model, planar_images(3), seed=0)


def test_fewer_images_than_pixels_leave_the_same_noise(model: VAE) -> None:
    found = []
    for count in (40, 400):
        start_from_pca(model, planar_images(count), seed=0)
        assert model.log_sigma is not None
        found.append(model.log_sigma.exp().item())
    assert found[0] == pytest.approx(found[1], rel=0.1)
