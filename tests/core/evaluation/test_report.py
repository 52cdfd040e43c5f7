"""The report: what is measured of which model, and from which images."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from vae_core.datasets.labelled import LabelledImages
from vae_core.datasets.parts import Parts, chosen_images, chosen_rows
from vae_core.errors import InputError, ModelError
from vae_core.evaluation import report
from vae_core.evaluation.elbo import evaluate_elbo
from vae_core.evaluation.report import Subject, fit_codes, is_likelihood, measure, measure_probe, reference_codes
from vae_core.models.config import ModelConfig, TrainingConfig, need_training
from vae_core.models.inputs import model_input
from vae_core.models.vae import VAE

GREY = TrainingConfig(dataset="mnist")
BLACK_AND_WHITE = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)


def part(count: int, seed: int) -> LabelledImages:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator)
    return LabelledImages(images, torch.arange(count) % 2, ("even", "odd"))


def subject(model: VAE, parts: Parts) -> Subject:
    pictures = model_input(parts.test.images, GREY)
    return Subject(model, GREY, parts, pictures, evaluate_elbo(model, pictures))


@pytest.mark.parametrize(
    ("changes", "pixels", "expected"),
    [
        ({}, BLACK_AND_WHITE, True),
        ({}, torch.full((1, 1, 1, 2), 128, dtype=torch.uint8), False),
        ({"training": replace(GREY, binarise="dynamic")}, torch.full((1, 1, 1, 2), 128, dtype=torch.uint8), True),
        ({"likelihood": "gaussian"}, BLACK_AND_WHITE, False),
        ({"variational": False}, BLACK_AND_WHITE, False),
    ],
    ids=["black and white", "grey", "binarised", "a density", "no posterior"],
)
def test_a_likelihood_is_of_binary_pixels(
    tiny_config: ModelConfig, changes: dict[str, object], pixels: Tensor, expected: bool
) -> None:
    assert is_likelihood(replace(tiny_config, **{"training": GREY, **changes}), pixels) is expected  # type: ignore[arg-type]


def test_a_small_reference_set_is_filled_up_with_training_images(
    tiny_model: VAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "FEWEST_REFERENCES", 25)
    parts = Parts(part(50, 0), part(5, 1), part(20, 2))
    encoded = reference_codes(subject(tiny_model, parts))
    assert encoded.held_out.tolist() == [True] * 20 + [False] * 5
    with torch.inference_mode():
        test = tiny_model.encode(parts.test.images.float() / 255).mean
        chosen = tiny_model.encode(chosen_images(parts.train, 5, seed=report.SEED).images.float() / 255).mean
    assert torch.allclose(encoded.posterior.mean, torch.cat([test, chosen]), atol=1e-6)
    assert len(encoded.labels) == len(encoded.reconstruction) == 25


def test_a_large_test_part_is_cut_and_nothing_is_filled_in(tiny_model: VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "FEWEST_REFERENCES", 10)
    monkeypatch.setattr(report, "REFERENCE_LIMIT", 15)
    encoded = reference_codes(subject(tiny_model, Parts(part(50, 0), part(5, 1), part(20, 2))))
    assert encoded.held_out.tolist() == [True] * 15
    assert encoded.posterior.mean.shape == (15, 3)


def test_a_choice_of_images_is_seeded_and_in_order() -> None:
    images = part(30, 0)
    first, again = chosen_images(images, 7, seed=0), chosen_images(images, 7, seed=0)
    assert torch.equal(first.images, again.images)
    rows = [int((images.images == image).flatten(1).all(dim=1).nonzero()) for image in first.images]
    assert rows == sorted(set(rows))
    assert chosen_images(images, 30, seed=0) is images


@pytest.mark.parametrize("binarise", ["none", "dynamic"])
def test_training_images_are_encoded_once_for_all_that_is_measured_of_them(
    tiny_model: VAE, monkeypatch: pytest.MonkeyPatch, binarise: Literal["none", "dynamic"]
) -> None:
    monkeypatch.setattr(report, "MIXTURE_CODES", 900)
    parts, settings = Parts(part(1_200, 0), part(5, 1), part(20, 2)), replace(GREY, binarise=binarise)
    pictures = model_input(parts.test.images, settings)
    measured = Subject(tiny_model, settings, parts, pictures, evaluate_elbo(tiny_model, pictures))
    seen = 0

    def count(_encoder: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal seen
        seen += len(inputs[0])

    hook = tiny_model.encoder.register_forward_pre_hook(count)
    fit_codes(measured)
    measure_probe(measured)
    hook.remove()
    assert seen == 1_200 + 5, "the validation images belong to the mixture as well"


def test_codes_of_a_choice_are_those_of_the_choice_alone(tiny_model: VAE) -> None:
    measured = subject(tiny_model, Parts(part(1_200, 0), part(5, 1), part(20, 2)))
    alone = report.encode(tiny_model, chosen_images(measured.parts.train, 700, seed=0), GREY)
    rows = chosen_rows(1_200, 700, seed=0)
    assert torch.equal(measured.training.mean[rows], alone.mean)
    assert torch.equal(measured.training.logvar[rows], alone.logvar)


def test_what_cannot_be_measured_is_said_and_the_rest_stands(tiny_model: VAE, tmp_path: Path) -> None:
    model = VAE.build_seeded(replace(tiny_model.config, training=GREY), seed=0).eval()
    said: list[str] = []
    parts = Parts(part(50, 0), part(5, 1), part(20, 2))
    found = measure(model, parts, with_reference=False, cache=tmp_path, say=said.append)
    assert found.reference is None
    assert found.metrics["test"]["images"] == 20
    assert "probe" not in found.metrics
    assert any(line.startswith("probe left out: ") for line in said), "25 images of a class are too few for 550 labels"


def test_too_few_test_images_are_refused_before_anything_is_measured(tiny_model: VAE, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(InputError, match="got 4"):
        measure(
            tiny_model,
            Parts(part(50, 0), part(5, 1), part(4, 2)),
            with_reference=True,
            cache=tmp_path,
            say=said.append,
        )
    assert said == []


def test_a_model_that_does_not_say_how_it_was_trained_is_refused(tiny_config: ModelConfig) -> None:
    with pytest.raises(ModelError, match="no training part"):
        need_training(tiny_config)
