"""The shipped models are what their files say: weights, map and figures belong together, and the figures are good."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.golden.pictures import FOLDER, draw_strip
from tests.needs import need_data
from vae_core.cli.options import model_config, parse
from vae_core.datasets.registry import load_dataset
from vae_core.evaluation.elbo import ACTIVE_VARIANCE, evaluate_elbo
from vae_core.evaluation.report import FEWEST_REFERENCES
from vae_core.latent.neighbours import NeighbourIndex
from vae_core.models.config_file import CONFIG_FORMAT, read_config
from vae_core.models.inputs import model_input
from vae_core.models.posterior import Posterior
from vae_core.models.vae import CARD_FILE, CONFIG_FILE, VAE, WEIGHTS_FILE
from vae_core.projection.projections import NeighbourMap
from vae_core.reference.build import REFERENCE_LIMIT
from vae_core.reference.draws import draw_codes
from vae_core.reference.reference_set import Reference
from vae_core.runtime.locations import shipped_models
from vae_core.runtime.ownership import MARKER_FILE
from vae_core.runtime.strict_json import config_from_json
from vae_core.store.cards import card_text, with_metrics
from vae_core.store.identity import reference_digest, weights_digest
from vae_core.store.metrics_file import METRICS_FILE, METRICS_FORMAT, read_metrics
from vae_core.store.presets import PRESETS
from vae_core.store.stored_models import REFERENCE_FILE, list_models
from vae_core.training.requests import TrainingRequest, command_of

FILES = {CONFIG_FILE, WEIGHTS_FILE, REFERENCE_FILE, METRICS_FILE, CARD_FILE}
SHIPPED = shipped_models()
NAMES = list_models(SHIPPED)
COLOURS_APART = 2  # of 255: another processor sums in another order
LARGEST_REPOSITORY_SHARE = 60 * 10**6  # bytes

# The same seed draws the same noise everywhere, but another processor sums in another order: a few millionths a
# pixel and image, far below this. A wrong file, preparation, split or seed changes much more.
SAME_NATS = 0.05
# Log-variances are stored in half precision; over thousands of images the roundings average out to some 1e-5 nats.
SAME_KL_NATS = 0.001
PLACED_APART = 0.04  # of the map's diagonal; 0.032 for faces, whose map has no clumps, at most 0.011 for others
SAMPLE = 500  # codes that are placed again, images that are measured again: the first batch of an evaluation

# Digests of weights and reference set: links, names and directions of people stand under them. A new format, a card
# or another preparation must leave them as they are; only other weights or another reference set may not.
DIGESTS = {
    "mnist-2d": ("85035a0f3117fb509bb7f3f2a054e0bd", "f22cb9c942e506ac01d03942efb387ab"),
    "faces": ("f3396fcc0ec733f970922f85cc1288f3", "cbeb36846cc5b41629ed7ad8c96a22c2"),
}

each_model = pytest.mark.parametrize("name", NAMES)


@pytest.mark.parametrize("name", DIGESTS)
def test_a_model_is_known_by_the_same_digests_as_ever(name: str):
    assert (weights_digest(SHIPPED / name), reference_digest(SHIPPED / name)) == DIGESTS[name]


def reference_of(name: str) -> Reference:
    return Reference.load(SHIPPED / name / REFERENCE_FILE)


def test_the_collection_is_shipped():
    assert set(NAMES) == set(PRESETS), "pretrained/ and the presets differ: run make models"


def test_all_of_them_together_are_small():
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < LARGEST_REPOSITORY_SHARE


@each_model
def test_a_model_has_its_five_files_and_no_other(name: str):
    assert {path.name for path in (SHIPPED / name).iterdir()} - {MARKER_FILE} == FILES


@each_model
def test_weights_fit_the_configuration_that_says_how_they_came_to_be(name: str):
    model = VAE.from_pretrained(SHIPPED / name)
    assert not model.training
    assert all(weights.isfinite().all() for weights in model.parameters())
    settings = model.config.training
    assert settings is not None
    assert model.config == PRESETS[name].config, "the preset has changed since: train it again"
    record = read_metrics(SHIPPED / name)["training"]["request"]
    request = config_from_json(TrainingRequest, json.dumps(record))
    assert request.config == model.config
    command = command_of(request)
    assert model_config(parse(shlex.split(command)[3:])) == model.config, "its command asks for another model"
    assert f"```\n{command}\n```" in card_text(SHIPPED / name)


@each_model
def test_the_small_files_are_of_the_present_format(name: str):
    for file, number in ((CONFIG_FILE, CONFIG_FORMAT), (METRICS_FILE, METRICS_FORMAT)):
        assert json.loads((SHIPPED / name / file).read_bytes())["format"] == number


@each_model
def test_a_configuration_that_has_no_number_yet_reads_as_the_same(name: str, tmp_path: Path):
    """As version 0.1 wrote it; its weights' digest does not depend on the number."""
    stored = json.loads((SHIPPED / name / CONFIG_FILE).read_bytes())
    del stored["format"]
    (tmp_path / CONFIG_FILE).write_text(json.dumps(stored), encoding="utf-8")
    (tmp_path / WEIGHTS_FILE).symlink_to(SHIPPED / name / WEIGHTS_FILE)
    assert read_config(tmp_path / CONFIG_FILE) == read_config(SHIPPED / name / CONFIG_FILE)
    assert weights_digest(tmp_path) == weights_digest(SHIPPED / name)


@each_model
def test_the_cards_figures_are_those_of_metrics_json(name: str):
    folder = SHIPPED / name
    card = card_text(folder)
    assert with_metrics(card, folder, read_metrics(folder), read_config(folder / CONFIG_FILE)) == card


@each_model
def test_the_reference_set_fits_the_model(name: str):
    config, reference, test = (
        read_config(SHIPPED / name / CONFIG_FILE),
        reference_of(name),
        read_metrics(SHIPPED / name)["test"],
    )
    assert reference.latent_dim == config.latent_dim
    assert reference.is_variational == config.variational
    assert reference.held_out.sum() == min(test["images"], REFERENCE_LIMIT)
    assert reference.held_out.all() or len(reference) <= FEWEST_REFERENCES
    assert len(reference.dimension_names) == config.latent_dim
    assert np.isfinite(reference.score_percentiles).all()
    assert draw_codes(reference.mixture, 10, torch.Generator().manual_seed(0)).isfinite().all()
    assert reference.labels.min() >= 0
    assert reference.labels.max() < len(reference.label_names)
    assert np.isfinite(reference.umap_places).all()
    if config.training is not None and config.training.dataset == "mnist":
        assert len(reference) == 10_000
        assert reference.label_names == tuple("0123456789")


@each_model
def test_the_reference_sets_figures_are_those_of_metrics_json(name: str):
    reference, test = reference_of(name), read_metrics(SHIPPED / name)["test"]
    if test["images"] > REFERENCE_LIMIT:
        pytest.skip(f"the figures are of {test['images']} images, the reference set holds {len(reference)} of them")
    held_out = reference.held_out
    means, logvars = reference.means[held_out], reference.logvars[held_out]
    if reference.is_variational:
        kl = Posterior(torch.from_numpy(means), torch.from_numpy(logvars)).kl().mean(dim=0)
        assert kl.tolist() == pytest.approx(test["kl_per_dimension"], abs=SAME_KL_NATS)
    assert sum(test["kl_per_dimension"]) == pytest.approx(test["kl"], abs=1e-3)
    assert int((means.var(axis=0) > ACTIVE_VARIANCE).sum()) == test["active_units"]
    assert reference.reconstruction[held_out].mean() == pytest.approx(test["reconstruction"], rel=1e-5, abs=1e-3)
    assert test["negative_elbo"] == pytest.approx(test["reconstruction"] + test["kl"], rel=1e-5, abs=1e-3)


@each_model
def test_stored_codes_decode_to_the_stored_pictures(name: str):
    stored = np.asarray(Image.open(FOLDER / f"{name}.png"))
    drawn = draw_strip(name)
    assert drawn.shape == stored.shape
    assert np.abs(drawn.astype(int) - stored).max() <= COLOURS_APART


@each_model
def test_codes_that_a_map_does_not_know_are_placed_near_where_it_had_them(name: str):
    whole = reference_of(name).umap_map
    codes, scale = whole.references.codes, whole.references.scale
    unknown, known = np.split(np.random.default_rng(0).permutation(len(codes)), [SAMPLE // 5])
    ours = NeighbourMap(NeighbourIndex(codes[known], scale), whole.places[known]).project(codes[unknown])
    diagonal = np.linalg.norm(np.ptp(whole.places, axis=0))
    assert np.median(np.linalg.norm(ours - whole.places[unknown], axis=1)) < PLACED_APART * diagonal


@each_model
def test_measured_again_some_images_cost_the_same(name: str):
    model, reference = VAE.from_pretrained(SHIPPED / name), reference_of(name)
    settings, seed = model.config.training, read_metrics(SHIPPED / name)["test"]["seed"]
    assert settings is not None
    need_data(settings.dataset)
    test = load_dataset(settings.dataset, "test")
    assert test.label_names == reference.label_names

    again = evaluate_elbo(model, model_input(test.images, settings, seed=seed)[:SAMPLE], seed=seed)

    count = len(again.reconstruction)
    assert test.labels[:count].tolist() == reference.labels[:count].tolist()
    scale = max(1.0, abs(float(reference.reconstruction[:count].mean())) / 100)
    assert again.reconstruction.mean() == pytest.approx(reference.reconstruction[:count].mean(), abs=SAME_NATS * scale)
    assert again.posterior.mean.numpy() == pytest.approx(reference.means[:count], rel=2e-3, abs=2e-3)
