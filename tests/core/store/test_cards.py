"""Model cards: every figure that was measured is shown, beside what others reached."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vae_core.errors import ModelError
from vae_core.store import cards
from vae_core.store.cards import BEGIN, END, TEXTS, new_card, with_metrics
from vae_core.store.metric_table import METRICS
from vae_core.store.presets import PRESETS

TEST = {
    "images": 1234,
    "negative_elbo": 90.0,
    "negative_elbo_standard_error": 0.25,
    "reconstruction": 70.0,
    "kl": 20.0,
    "kl_per_dimension": [20.0, 0.0],
    "active_units": 1,
    "seed": 0,
    "pixels": "cross-entropy on grey pixels",
}
SCORES = {"mig": 0.5, "dci_disentanglement": 0.4, "sap": 0.3, "factor_vae": 0.8}
PERFECT = dict.fromkeys(SCORES, 0.99)
ROTATED = dict.fromkeys(SCORES, 0.14)
MEASURED: dict[str, Any] = {
    "test": TEST,
    "likelihood": {"negative_log_likelihood": 82.345, "standard_error": 0.1, "samples": 5000},
    "quality": {"psnr": 20.0, "ssim": 0.9, "pca_psnr": 15.5, "pca_ssim": 0.5, "dimensions": 2},
    "probe": {"accuracy": 0.75, "standard_deviation": 0.01, "labels": 550},
    "samples": {"accuracy": 0.991, "prior": 30.0, "mixture": 3.0, "reconstruction": 1.0, "floor": 0.5},
    "disentanglement": {
        where: {"model": SCORES, "perfect": PERFECT, "rotated": ROTATED} for where in ("train", "test")
    },
    "placement": {"codes": 500, "distance_median_percent": 0.5, "distance_p90_percent": 1.0},
}


CONFIG = PRESETS["mnist-16d"].config
TRAINING = {"seconds": 90, "machine": "here", "seed": 7}


FOLDER = Path("models") / "mnist-16d"  # of a preset's model
EMPTY = f"{BEGIN}\n{END}\n"


def test_every_figure_is_shown() -> None:
    rows = dict(
        line.strip("| ").split(" | ")
        for line in with_metrics(EMPTY, FOLDER, MEASURED, CONFIG).splitlines()
        if line.count("|") == 3 and not line.startswith("|--")
    )
    assert rows["negative log-likelihood, nats, 5,000 importance samples"] == "82.34 ± 0.10"
    assert rows["PSNR of reconstructions, dB"] == "20.00 (PCA with 2: 15.50)"
    assert rows["SSIM of reconstructions"] == "0.900 (PCA with 2: 0.500)"
    assert rows["linear probe, 550 labels, accuracy"] == "0.750 ± 0.010"
    distance = "Fréchet distance of samples in a classifier's features (accuracy 0.991)"
    assert rows[distance] == "prior 30.00, mixture 3.00"
    for where in ("the training images", "the test images"):
        assert rows[f"MIG on {where}"] == "0.500 (a perfect code 0.990, the same rotated 0.140)"
        assert rows[f"FactorVAE score on {where}"] == "0.800 (a perfect code 0.990, the same rotated 0.140)"


def test_published_figures_stand_beside_the_model_s_own() -> None:
    text = with_metrics(EMPTY, FOLDER, MEASURED, CONFIG)
    for row in PRESETS["mnist-16d"].published:
        assert f"| {row.model} | {row.source} |" in text
    assert "| -ELBO, nats | 90.00 | 105.59 |" in text
    binarised = PRESETS["mnist-32d-binarised"]
    text = with_metrics(EMPTY, FOLDER.with_name(binarised.name), {"test": TEST}, binarised.config)
    assert "| not measured | 86.76 |" in text
    assert not any(path in text for path in METRICS), "a path is nothing for a reader"


def test_another_model_under_a_preset_s_name_gets_nothing_of_the_preset_s() -> None:
    own = replace(CONFIG, latent_dim=3)
    text = with_metrics(new_card("mnist-16d", own, None, TRAINING, command="train"), FOLDER, MEASURED, own)
    assert text.startswith("# mnist-16d\n\nA convolutional variational autoencoder with 3 latent dimensions.\n")
    assert "published" not in text
    assert "## Limits" not in text


DAMAGED: dict[str, tuple[dict[str, Any], str]] = {
    "no figures at all": ({}, "'test' cannot be shown (it lacks 'test')"),
    "a section that is none": ({"quality": 3}, "'quality' cannot be shown"),
    "a section without a figure": ({"probe": {"accuracy": 0.5}}, "'probe' cannot be shown (it lacks"),
    "text for a number": ({"samples": {**MEASURED["samples"], "prior": "30"}}, "'samples' cannot be shown"),
    "a number beyond all": ({"quality": {**MEASURED["quality"], "psnr": 10**400}}, "'quality' cannot be shown"),
    "nothing for a number": ({"placement": {**MEASURED["placement"], "codes": None, "distance_p90_percent": None}}, ""),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_section_that_is_not_as_evaluate_writes_it_is_a_sentence(case: str) -> None:
    change, said = DAMAGED[case]
    with pytest.raises(ModelError, match="delete the file and run evaluate") as caught:
        with_metrics(EMPTY, FOLDER, {**MEASURED, **change} if change else {}, CONFIG)
    assert said in str(caught.value)
    assert str(FOLDER / "metrics.json") in str(caught.value)


def test_a_preset_s_card_has_its_sentence_and_what_a_person_says_of_it() -> None:
    text = new_card("mnist-16d", CONFIG, None, TRAINING, command="train --preset mnist-16d")
    assert text.startswith(f"# mnist-16d\n\n{PRESETS['mnist-16d'].summary}\n")
    assert "```\ntrain --preset mnist-16d\n```\n\nTook 2 minutes on here; seed 7." in text
    assert text.endswith(TEXTS.joinpath("mnist-16d.md").read_text("utf-8"))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_limits_and_things_to_try(name: str) -> None:
    text = (TEXTS / f"{name}.md").read_text("utf-8")
    assert "## Limits" in text
    assert "## What to try" in text


def test_sections_follow_the_report() -> None:
    assert list(cards.SECTIONS) == [section for section in MEASURED if section != "test"]
