"""PSNR, SSIM and PCA against values worked out by hand or another way."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from torch import Tensor

from vae_core.errors import InputError
from vae_core.evaluation import quality
from vae_core.evaluation.quality import fit_linear, psnr, reconstruction_quality, ssim
from vae_core.models.config import ModelConfig
from vae_core.models.vae import VAE


def digits() -> Tensor:
    """1,797 digits of 8 x 8 pixels, uint8."""
    grey = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)
    return torch.from_numpy(grey)[:, None]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


# --- PSNR and SSIM -------------------------------------------------------------------------------------------


def test_psnr_has_the_value_worked_out_by_hand_for_each_image() -> None:
    images = torch.full((4, 1, 6, 6), 0.5)
    reconstructions = images.clone()
    reconstructions[0] += 0.1  # mean squared error 0.01
    reconstructions[1, 0, 0] = 1.0  # a sixth of 0.25
    reconstructions[2] = images[2] - 0.001  # 1e-6
    assert psnr(images, reconstructions).tolist() == pytest.approx([20, 10 * math.log10(24), 60, 100], rel=1e-4)


def test_ssim_of_even_pictures_is_that_of_their_means() -> None:
    dark, light = torch.full((2, 3, 12, 12), 0.2), torch.full((2, 3, 12, 12), 0.6)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ssim(dark, light).tolist() == pytest.approx([expected] * 2, rel=1e-3)  # variances of 0 are rounded
    assert ssim(dark[:1], dark[:1]).tolist() == pytest.approx([1])


def test_ssim_agrees_with_its_formula_by_another_gaussian_filter() -> None:
    images = noise(3, 1, 20, 17)
    reconstructions = (images + 0.2 * noise(3, 1, 20, 17, seed=1)).clamp(0, 1)
    expected = []
    for x, y in zip(images[:, 0].double().numpy(), reconstructions[:, 0].double().numpy(), strict=True):
        mean_x, mean_y, xx, yy, xy = (
            gaussian_filter(value, 1.5, truncate=3.5, mode="mirror") for value in (x, y, x * x, y * y, x * y)
        )
        contrast = (2 * (xy - mean_x * mean_y) + 9e-4) / (xx - mean_x**2 + yy - mean_y**2 + 9e-4)
        expected.append(((2 * mean_x * mean_y + 1e-4) / (mean_x**2 + mean_y**2 + 1e-4) * contrast).mean())
    assert ssim(images, reconstructions).tolist() == pytest.approx(expected, abs=1e-4)


# --- PCA -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimensions", [1, 10])
def test_pca_reconstructs_as_the_singular_vectors_do(dimensions: int) -> None:
    images, unseen = digits()[:1500], digits()[1500:].float() / 255
    before = images.clone()
    rows = images.flatten(start_dim=1).double() / 255
    directions = torch.linalg.svd(rows - rows.mean(dim=0), full_matrices=False)[2][:dimensions]
    centred = unseen.flatten(start_dim=1).double() - rows.mean(dim=0)
    expected = rows.mean(dim=0) + centred @ directions.T @ directions
    reconstructions = fit_linear(images, dimensions)(unseen)
    assert reconstructions.shape == unseen.shape
    assert torch.allclose(reconstructions.flatten(start_dim=1).double(), expected, atol=1e-5)
    assert torch.equal(images, before)
    assert torch.equal(fit_linear(images, dimensions)(unseen), reconstructions), "nothing is drawn anew"


def test_pca_takes_no_more_components_than_there_are() -> None:
    images = digits()[:5]
    reconstructions = fit_linear(images, 300)(images.float() / 255)
    assert torch.allclose(reconstructions, images.float() / 255, atol=1e-3)


# --- both ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [7, 500])
def test_figures_are_means_over_the_images_of_clipped_reconstructions(
    tiny_model: VAE, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(quality, "EVALUATION_BATCH", batch)
    train, test = digits()[:1000], digits()[1000:1050].float() / 255
    result = reconstruction_quality(tiny_model, train, test)
    with torch.inference_mode():
        own, linear = tiny_model(test), fit_linear(train, 3)(test)
    assert linear.min() < -0.05, "else clipping would not show"
    linear = linear.clamp(0, 1)
    assert result.metrics() == {
        "psnr": pytest.approx(psnr(test, own).mean().item(), rel=1e-5),
        "ssim": pytest.approx(ssim(test, own).mean().item(), rel=1e-4),
        "pca_psnr": pytest.approx(psnr(test, linear).mean().item(), rel=1e-5),
        "pca_ssim": pytest.approx(ssim(test, linear).mean().item(), rel=1e-4),
        "dimensions": 3,
        "images": 50,
    }
    assert result.pca_psnr > result.psnr, "the model has learned nothing"


def test_a_plain_autoencoder_and_coloured_pictures_are_measured_too(tiny_config: ModelConfig) -> None:
    model = VAE.build_seeded(replace(tiny_config, channels=3, variational=False), seed=0).eval()
    images = digits().expand(-1, 3, -1, -1)
    result = reconstruction_quality(model, images[:200], images[200:220].float() / 255)
    assert all(math.isfinite(value) for value in result.metrics().values())


def test_what_cannot_be_measured_is_refused(tiny_config: ModelConfig, tiny_model: VAE) -> None:
    images = digits()
    for train, test in ((1, 5), (5, 0)):
        with pytest.raises(InputError, match=f"got {train} and {test} of 8 x 8"):
            reconstruction_quality(tiny_model, images[:train], images[:test].float() / 255)
    small = VAE.build_seeded(replace(tiny_config, width=5), seed=0)
    with pytest.raises(InputError, match="of 8 x 5"):
        reconstruction_quality(small, images[:9, :, :, :5], images[:9, :, :, :5].float() / 255)
