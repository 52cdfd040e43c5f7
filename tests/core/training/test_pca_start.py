"""The linear path: before the first step a model reconstructs as PCA does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor
from torch.overrides import TorchFunctionMode

from vae_core.errors import TrainingError
from vae_core.models.config import ModelConfig
from vae_core.models.vae import VAE
from vae_core.training import pca_start
from vae_core.training.pca_start import LARGEST_POSTERIOR_VARIANCE, PIXEL_MARGIN, start_from_pca

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


# --- in little memory -----------------------------------------------------------------------------------------


def in_one_piece(model: VAE, images: Tensor, seed: int) -> dict[str, np.ndarray]:
    """The same by scikit-learn's PCA, for which all the images are numbers at once."""
    latent, pixels = model.config.latent_dim, images.flatten(1).float().numpy() / 255
    pca = PCA(latent, svd_solver="randomized", random_state=seed).fit(pixels)
    scale = np.sqrt(pca.explained_variance_)
    into = pca.components_ / scale[:, None]
    inside = np.clip(pixels, PIXEL_MARGIN, 1 - PIXEL_MARGIN)
    logits = np.log(inside / (1 - inside))
    codes = (pixels - pca.mean_) @ into.T
    noise = pca.noise_variance_ * (min(pixels.shape) - latent) / (pixels.shape[1] - latent)
    return {
        "encoder.linear.weight": into,
        "encoder.linear.bias": -into @ pca.mean_,
        "decoder.linear.0.weight": (logits - logits.mean(axis=0)).T @ codes / len(codes),
        "decoder.linear.0.bias": logits.mean(axis=0),
        "encoder.logvar.bias": np.log(np.minimum(noise / scale**2, LARGEST_POSTERIOR_VARIANCE)),
        "log_sigma": 0.5 * np.log(noise),
    }


@pytest.mark.parametrize("count", [400, 40], ids=["more images than pixels", "fewer"])
@pytest.mark.parametrize("block", [1, 5 * SIDE * SIDE, 2**20], ids=["an image at a time", "five", "all"])
def test_in_blocks_it_is_what_it_is_in_one_piece(
    model: VAE, monkeypatch: pytest.MonkeyPatch, count: int, block: int
) -> None:
    monkeypatch.setattr(pca_start, "BLOCK_PIXELS", block)
    images = planar_images(count)
    start_from_pca(model, images, seed=3)
    found = model.state_dict()
    for name, expected in in_one_piece(model, images, seed=3).items():
        np.testing.assert_allclose(found[name].numpy(), expected, rtol=1e-3, atol=2e-4, err_msg=name)


class Largest(TorchFunctionMode):
    """Remembers how many bytes the largest result had, a reshaped tensor among them."""

    size = 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.size = max(self.size, result.numel() * result.element_size())
        return result


def test_no_copy_of_all_the_images_is_made(model: VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pca_start, "BLOCK_PIXELS", 50 * SIDE * SIDE)
    images = planar_images(500)
    with Largest() as largest:
        start_from_pca(model, images, seed=0)
    assert largest.size == images.nbytes, "only the bytes themselves: as numbers they would be four times as many"


def test_any_seed_will_do(model: VAE) -> None:
    start_from_pca(model, planar_images(40), seed=2**63 - 1)
