"""Figures for people: table columns, rows beside published figures, headlines, rate and distortion."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from app.charts.metric_rows import COLUMNS, columns, heading, headline, metric_of, published_rows, rate_points
from app.charts.rates import RatePoint
from app.services import catalogue
from app.services.catalogue import Entry, find_entry
from tests.app.conftest import Store
from vae_core.models.config import TrainingConfig
from vae_core.store.metrics_file import METRICS_FILE
from vae_core.store.presets import PRESETS

TEST = {"negative_elbo": 91.575, "reconstruction": 68.6, "kl": 22.95, "active_units": 3}
METRICS: dict[str, Any] = {
    "test": TEST,
    "likelihood": {"negative_log_likelihood": 88.25},
    "quality": {"psnr": 20.5, "pca_psnr": 17.25, "ssim": 0.9},
    "probe": {"accuracy": 0.925},
    "disentanglement": {"train": {"model": {"mig": 0.4, "dci_disentanglement": 0.5}}},
    "samples": {"prior": 12.5, "mixture": 4.5},
}


@pytest.fixture
def entry(store: Store, models_dir: Path):
    """Store a model with these figures, and find it."""

    def entry(name: str, metrics: dict[str, Any], **config: object) -> Entry:
        store(name, **config)
        (models_dir / name / METRICS_FILE).write_text(json.dumps(metrics))
        return find_entry(name)

    return entry


def test_every_figure_of_the_table_is_read_from_its_section(entry: Any):
    values = {path: metric_of(entry("a", METRICS), path) for path in COLUMNS}
    assert list(values.values()) == [91.575, 88.25, 20.5, 17.25, 0.9, 3, 0.925, 0.4, 0.5, 12.5, 4.5]


@pytest.mark.parametrize("odd", [None, "x", [1], {"a": 1}, float("nan"), float("inf")])
def test_what_is_no_number_was_not_measured(entry: Any, odd: object):
    assert metric_of(entry("a", {"test": {"negative_elbo": odd}}), "test.negative_elbo") is None
    assert metric_of(entry("a", {"test": odd}), "test.negative_elbo") is None


def test_columns_are_blank_where_not_measured_and_left_out_where_nobody_has_them(entry: Any):
    found = columns([entry("a", METRICS), entry("b", {"test": TEST}), entry("c", {})])
    assert list(found) == list(COLUMNS)
    assert found["test.negative_elbo"][:2] == [91.575, 91.575]
    assert math.isnan(found["test.negative_elbo"][2])
    assert [math.isnan(value) for value in found["probe.accuracy"]] == [False, True, True]
    assert list(columns([find_entry("b")])) == ["test.negative_elbo", "test.active_units"]


def test_a_plain_autoencoder_has_no_figure_that_needs_a_kl_term(entry: Any):
    plain = entry("plain", METRICS, variational=False)
    assert [path for path in COLUMNS if metric_of(plain, path) is None] == [
        "test.negative_elbo",
        "likelihood.negative_log_likelihood",
        "test.active_units",
    ]


def test_headings_are_the_table_s_words_in_print():
    assert [heading(path) for path in COLUMNS] == [
        "\u2212ELBO, nats",
        "NLL, nats",
        "PSNR, dB",
        "PCA's PSNR, dB",
        "SSIM",
        "Active units",
        "Linear probe",
        "MIG",
        "DCI",
        "Fréchet, prior",
        "Fréchet, mixture",
    ]


def test_a_headline_is_the_two_figures_that_say_most(entry: Any):
    assert headline(entry("a", METRICS)) == "\u2212ELBO 91.58 nats · MIG 0.400"
    assert headline(entry("b", {"test": {"negative_elbo": -1234.5}})) == "\u2212ELBO \u22121,234.50 nats"
    assert headline(entry("plain", METRICS, variational=False)) == "MIG 0.400 · linear probe 0.925"
    assert headline(entry("c", {})) == ""


def test_published_figures_stand_beside_the_models_own(entry: Any):
    one = entry("mnist-2d", {"test": {"negative_elbo": 134.216}})
    other = entry("a", METRICS)  # of no preset
    rows = published_rows([one, other])
    assert len(rows) == len(PRESETS["mnist-2d"].published) > 0
    for row, published in zip(rows, PRESETS["mnist-2d"].published, strict=True):
        assert row["Model"] == "mnist-2d"
        assert (row["Whose"], row["Source"]) == (published.model, published.source)
        assert float(row["Published"]) == published.value
    assert (rows[0]["Figure"], rows[0]["This model"]) == ("\u2212ELBO, nats", "134.22")
    [first, *_] = published_rows([entry("mnist-2d", {})])
    assert first["This model"] == "not measured"


def test_rate_points_are_kl_and_reconstruction_with_beta(entry: Any):
    entries = [
        entry("a", METRICS, training=TrainingConfig("mnist", beta=0.4)),
        entry("plain", METRICS, variational=False, training=TrainingConfig("mnist")),
        entry("unmeasured", {}, training=TrainingConfig("mnist")),
        entry("unknown", METRICS),
    ]
    assert rate_points(entries) == [RatePoint("a", 68.6, 22.95, 0.4), RatePoint("plain", 68.6)]


def test_a_model_whose_configuration_is_damaged_has_no_place_between_rate_and_distortion(entry: Any, models_dir: Path):
    entry("a", METRICS, training=TrainingConfig("mnist"))
    (models_dir / "a" / catalogue.CONFIG_FILE).write_text("{")
    assert rate_points([find_entry("a")]) == []
