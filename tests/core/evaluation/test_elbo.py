"""Figures of a model: what is averaged over what, repeatable, and each against a value worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from vae_core.evaluation import elbo
from vae_core.evaluation.elbo import Evaluation, evaluate_elbo, placement_agreement, posteriors
from vae_core.latent.neighbours import NeighbourIndex
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.inputs import model_input
from vae_core.models.objective import reconstruction_nats
from vae_core.models.posterior import Posterior
from vae_core.models.vae import VAE
from vae_core.projection.projections import NeighbourMap

GREY = TrainingConfig(dataset="noise")
BINARISED = TrainingConfig(dataset="noise", binarise="dynamic")


def noise_images(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator)


def evaluation_of(means: list[list[float]], reconstruction: list[float], kl: list[list[float]]) -> Evaluation:
    codes = torch.tensor(means)
    return Evaluation(Posterior(codes, torch.zeros_like(codes)), torch.tensor(reconstruction), torch.tensor(kl))


# --- averages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 3, 7, 500])
def test_means_are_over_images_though_the_last_batch_is_smaller(
    tiny_config: ModelConfig, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(elbo, "EVALUATION_BATCH", batch)
    model = VAE.build_seeded(replace(tiny_config, variational=False), seed=0).eval()  # no noise, so exact
    images = noise_images(7)
    images[-1] = 255  # the odd one out is alone in the last batch of 3
    with torch.inference_mode():
        scaled = images.float() / 255
        nats = reconstruction_nats(model, model.logits(model.encode(scaled).mean), scaled)
    figures = evaluate_elbo(model, model_input(images, GREY)).metrics()
    assert figures["images"] == 7
    assert figures["reconstruction"] == pytest.approx(nats.mean().item(), rel=1e-6)
    assert figures["negative_elbo"] == pytest.approx(nats.mean().item(), rel=1e-6)
    assert figures["kl"] == 0
    per_batch = torch.stack([part.mean() for part in nats.split(3)]).mean().item()
    assert abs(per_batch - nats.mean().item()) > 0.1, "else a mean over batches would pass as well"


def test_the_kl_is_the_closed_form_of_every_image(tiny_model: VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elbo, "EVALUATION_BATCH", 3)
    images = noise_images(7)
    result = evaluate_elbo(tiny_model, model_input(images, GREY))
    with torch.inference_mode():
        posterior = tiny_model.encode(images.float() / 255)
    assert torch.allclose(result.posterior.mean, posterior.mean, atol=1e-6)
    assert torch.allclose(result.kl, posterior.kl(), atol=1e-6)
    figures = result.metrics()
    assert figures["kl_per_dimension"] == pytest.approx(posterior.kl().mean(dim=0).tolist(), rel=1e-4)
    assert figures["kl"] == pytest.approx(sum(figures["kl_per_dimension"]), rel=1e-5)
    assert figures["negative_elbo"] == pytest.approx(figures["reconstruction"] + figures["kl"], rel=1e-6)


@pytest.mark.parametrize("variational", [True, False], ids=["variational", "plain"])
def test_posteriors_alone_are_the_very_ones(
    tiny_config: ModelConfig, monkeypatch: pytest.MonkeyPatch, variational: bool
) -> None:
    monkeypatch.setattr(elbo, "EVALUATION_BATCH", 3)
    model = VAE.build_seeded(replace(tiny_config, variational=variational), seed=0).eval()
    pictures = model_input(noise_images(7), GREY)
    expected = evaluate_elbo(model, pictures).posterior
    monkeypatch.delattr(model, "decoder")
    found = posteriors(model, pictures)
    assert torch.equal(found.mean, expected.mean)
    assert torch.equal(found.logvar, expected.logvar)
    assert not found.mean.requires_grad


def test_posteriors_are_encoded_a_batch_at_a_time(tiny_model: VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, original = [], tiny_model.encode
    monkeypatch.setattr(elbo, "EVALUATION_BATCH", 3)
    monkeypatch.setattr(tiny_model, "encode", lambda images: seen.append(len(images)) or original(images))
    posteriors(tiny_model, model_input(noise_images(7), GREY))
    assert seen == [3, 3, 1]


def test_figures_have_the_values_worked_out_by_hand() -> None:
    figures = evaluation_of([[0.0, 0.0]] * 3, [10.0, 20.0, 30.0], [[1.0, 0.5], [2.0, 0.5], [3.0, 0.5]]).metrics()
    # -ELBO 11.5, 22.5, 33.5: mean 22.5, standard deviation 11
    assert figures == {
        "images": 3,
        "negative_elbo": pytest.approx(22.5),
        "negative_elbo_standard_error": pytest.approx(11 / math.sqrt(3)),
        "reconstruction": pytest.approx(20),
        "kl": pytest.approx(2.5),
        "kl_per_dimension": pytest.approx([2.0, 0.5]),
        "active_units": 0,
    }


def test_active_units_are_those_whose_mean_varies_by_more_than_a_hundredth() -> None:
    # Variances of the means: 0.0121, 0.0081, 0, 1; a dimension that is far off but constant is not active.
    means = [[0.11, 0.09, 7.0, 1.0], [-0.11, -0.09, 7.0, -1.0]]
    assert evaluation_of(means, [0.0, 0.0], [[0.0] * 4] * 2).metrics()["active_units"] == 2


# --- repeatable ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [GREY, BINARISED], ids=["grey", "binarised"])
def test_the_same_seed_gives_the_same_figures_and_another_seed_others(
    tiny_model: VAE, settings: TrainingConfig
) -> None:
    images = noise_images(20)
    before = torch.get_rng_state()
    first = evaluate_elbo(tiny_model, model_input(images, settings, seed=3), seed=3).metrics()
    torch.rand(5)
    again = evaluate_elbo(tiny_model, model_input(images, settings, seed=3), seed=3).metrics()
    other = evaluate_elbo(tiny_model, model_input(images, settings, seed=4), seed=4).metrics()
    torch.set_rng_state(before)
    assert first == again
    assert first["reconstruction"] != other["reconstruction"]


def test_nothing_is_drawn_from_the_global_generator(tiny_model: VAE) -> None:
    before = torch.get_rng_state()
    evaluate_elbo(tiny_model, model_input(noise_images(5), BINARISED))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("settings", "levels"), [(GREY, 3), (BINARISED, 2)], ids=["grey", "binarised"])
def test_pixels_are_binarised_as_in_training(
    tiny_model: VAE, monkeypatch: pytest.MonkeyPatch, settings: TrainingConfig, levels: int
) -> None:
    seen, original = [], tiny_model.encode
    monkeypatch.setattr(tiny_model, "encode", lambda images: seen.append(images) or original(images))
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).repeat(400)[:1152].reshape(18, 1, 8, 8)
    evaluate_elbo(tiny_model, model_input(images, settings))
    assert len(torch.cat(seen).unique()) == levels
    grey = torch.cat(seen)[images == 51]
    assert grey.mean().item() == pytest.approx(0.2, abs=5 * 0.4 / len(grey) ** 0.5)


def test_one_image_has_figures_that_json_can_hold(tiny_model: VAE) -> None:
    figures = evaluate_elbo(tiny_model, model_input(noise_images(1), GREY)).metrics()
    assert figures["negative_elbo_standard_error"] is None
    assert figures["active_units"] == 0
    assert math.isfinite(figures["negative_elbo"])


# --- placement -----------------------------------------------------------------------------------------------


class Shifted:
    """A reducer that says each code lies beside the place that our map gives it."""

    def __init__(self, placing: NeighbourMap, shift: tuple[float, float]) -> None:
        self.placing, self.shift, self.asked = placing, shift, []

    def transform(self, codes: np.ndarray) -> np.ndarray:
        self.asked.append(len(codes))
        return self.placing.project(codes) + np.array(self.shift)


def square_map() -> NeighbourMap:
    """Codes that lie on the map where they lie in the latent space, on a grid whose diagonal is 50."""
    grid = np.stack(np.meshgrid(np.linspace(0, 30, 20), np.linspace(0, 40, 20)), axis=-1).reshape(-1, 2)
    return NeighbourMap(NeighbourIndex(grid.astype(np.float32)), grid.astype(np.float32))


def test_placement_is_measured_in_percent_of_the_map_s_diagonal() -> None:
    placing = square_map()
    codes = np.random.default_rng(0).uniform(10, 20, (8, 2)).astype(np.float32)
    reducer = Shifted(placing, (3.0, 4.0))  # 5 of 50
    figures = placement_agreement(placing, reducer, codes)
    assert reducer.asked == [1] * 8, "one by one, as a person's pictures come"
    assert figures["codes"] == 8
    assert figures["distance_median_percent"] == pytest.approx(10, rel=1e-4)
    assert figures["distance_p90_percent"] == pytest.approx(10, rel=1e-4)


def test_kept_neighbours_are_all_where_the_map_is_the_latent_space_and_none_where_it_is_turned_round() -> None:
    placing = square_map()
    codes = placing.references.codes[[0, 5, 19]]
    exact = placement_agreement(placing, Shifted(placing, (0.0, 0.0)), codes)
    assert exact["distance_median_percent"] == 0
    assert exact["neighbours_kept_by_umap"] == exact["neighbours_kept"] > 0.3
    far = placement_agreement(placing, Shifted(placing, (0.0, 1000.0)), codes)
    assert far["neighbours_kept_by_umap"] == 0
    assert far["neighbours_kept"] == exact["neighbours_kept"]
