"""The table of figures: what can be read of a file, and words that agree with each other."""

import re
from typing import Any

import pytest

from vae_core.store.metric_table import METRICS, Metric, metric_at
from vae_core.store.presets import PRESETS

each_figure = pytest.mark.parametrize("figure", METRICS.values(), ids=METRICS)


def test_a_figure_is_found_by_its_path() -> None:
    metrics = {"test": {"images": 3}, "quality": {"psnr": 20}}
    assert metric_at(metrics, "quality.psnr") == 20.0
    assert [metric_at(metrics, path) for path in ("quality.nosuch", "nosuch.psnr", "test.images.deeper")] == [None] * 3


ODD = [None, "x", "12.5", [1], {"a": 1}, True, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:8])
def test_what_is_no_finite_number_was_not_measured(odd: Any) -> None:
    assert metric_at({"quality": {"psnr": odd}}, "quality.psnr") is None
    assert metric_at({"quality": odd}, "quality.psnr") is None


@each_figure
def test_a_figure_s_words_are_for_people(figure: Metric) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", figure.path)
    assert figure.meaning[0].isupper()
    assert figure.meaning[-1] in ".?"
    assert figure.title.startswith(figure.name)
    assert len(figure.heading) <= 48
    assert not any(path in text for path in METRICS for text in (figure.title, figure.heading, figure.meaning))


@each_figure
def test_a_meaning_says_no_other_direction_than_the_table(figure: Metric) -> None:
    assert set(re.findall(r"(lower|higher) is better", figure.meaning)) <= {figure.better}


def test_no_two_figures_share_their_title() -> None:
    assert len({figure.title for figure in METRICS.values()}) == len(METRICS)


def test_names_carry_their_unit_and_values_their_digits() -> None:
    elbo, probe = METRICS["test.negative_elbo"], METRICS["probe.accuracy"]
    assert (elbo.title, elbo.heading, elbo.shared_heading) == ("-ELBO, nats", "-ELBO, nats", "objective, nats")
    assert (probe.title, probe.heading, probe.shown(0.5)) == ("linear probe", "linear probe", "0.500")
    assert METRICS["test.active_units"].shown(7) == "7"


def test_every_published_figure_is_in_the_table() -> None:
    assert {row.metric for preset in PRESETS.values() for row in preset.published} <= set(METRICS)
