"""A canvas put in its place: shifts and sizes against what they come to by hand, and the decoder built on it."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from vae_core.errors import ConfigError
from vae_core.models.config import ModelConfig
from vae_core.models.spatial import GROWTH, SHIFT, place
from vae_core.models.vae import VAE

SIDE = 64
CONFIG = ModelConfig(height=16, width=16, latent_dim=6, widths=(4, 8), dense_units=8, blocks=0, decoder="spatial")


def canvas() -> Tensor:
    """A bar of 4 x 10 pixels whose middle lies 3 pixels right of the canvas's."""
    drawn = torch.zeros(1, 1, SIDE, SIDE)
    drawn[:, :, 30:34, 30:40] = 1
    return drawn


def middle(picture: Tensor) -> tuple[float, float]:
    """The centre of mass, right and down from the middle in pixels."""
    steps = torch.arange(SIDE) - (SIDE - 1) / 2
    weights = picture[0, 0] / picture.sum()
    return float((weights.sum(dim=0) * steps).sum()), float((weights.sum(dim=1) * steps).sum())


def placed(*pose: float) -> Tensor:
    return place(canvas(), torch.tensor([pose], dtype=torch.float32))


def test_without_a_pose_the_canvas_stays_as_it_is() -> None:
    assert torch.allclose(placed(0, 0, 0), canvas(), atol=1e-5)


def test_the_first_two_dimensions_move_it_right_and_down() -> None:
    assert middle(placed(1, 0, 0)) == pytest.approx((3 + SHIFT * SIDE / 2, 0), abs=0.01)
    assert middle(placed(0, -0.5, 0)) == pytest.approx((3, -0.5 * SHIFT * SIDE / 2), abs=0.01)


def test_the_third_enlarges_it_about_the_middle() -> None:
    factor = math.exp(GROWTH)
    assert middle(placed(0, 0, 1))[0] == pytest.approx(3 * factor, abs=0.15)
    assert placed(0, 0, 1).sum().item() == pytest.approx(40 * factor**2, rel=0.02)


def test_it_is_resized_before_it_is_moved() -> None:
    assert middle(placed(1, 0, 1))[0] == pytest.approx(3 * math.exp(GROWTH) + SHIFT * SIDE / 2, abs=0.15)


def test_beyond_the_canvas_its_border_goes_on() -> None:
    ground = torch.full((1, 1, SIDE, SIDE), -5.0)
    assert torch.allclose(place(ground, torch.tensor([[2.0, -1.0, -2.0]])), ground)


def test_each_picture_has_a_place_of_its_own() -> None:
    poses = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    both = place(canvas().expand(2, -1, -1, -1), poses)
    assert torch.allclose(both[:1], placed(1, 0, 0))
    assert torch.allclose(both[1:], placed(0, 1, 0))


def test_a_spatial_decoder_draws_with_all_but_the_pose() -> None:
    model = VAE.build_seeded(CONFIG, 0).eval()
    z = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    moved = z.clone()
    moved[:, 0] += 0.5
    with torch.no_grad():
        drawn = model.decoder.body(z[:, 3:])
        assert torch.allclose(model.logits(z), place(drawn, z[:, :3]))
        assert torch.allclose(model.decoder.body(moved[:, 3:]), drawn)
        assert not torch.allclose(model.logits(moved), model.logits(z), atol=1e-4)


def test_gradients_reach_the_pose_and_what_is_drawn() -> None:
    model = VAE.build_seeded(CONFIG, 0)
    z = torch.randn(2, 6, generator=torch.Generator().manual_seed(0)).requires_grad_()
    model.logits(z)[:, :, :8].sum().backward()
    assert (z.grad.abs().sum(dim=0) > 0).all()


@pytest.mark.parametrize(
    "wrong",
    [{"latent_dim": 3}, {"architecture": "mlp"}, {"linear_path": True}, {"width": 20}],
    ids=str,
)
def test_a_spatial_decoder_needs_what_it_places(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="a spatial decoder is convolutional, has no linear path, at least 4 dim"):
        replace(CONFIG, **wrong)
