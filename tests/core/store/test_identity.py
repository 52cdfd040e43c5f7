"""What makes a stored model the same model: its content, wherever it lies and however it is stored."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vae_core.errors import ModelError
from vae_core.images.preparation_options import Preparation
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.vae import CARD_FILE, CONFIG_FILE, VAE, WEIGHTS_FILE
from vae_core.reference.reference_set import Reference
from vae_core.runtime.strict_json import config_to_json
from vae_core.store.identity import COMPUTING_FIELDS, former_weights_digest, reference_digest, weights_digest
from vae_core.store.metrics_file import METRICS_FILE
from vae_core.store.stored_models import REFERENCE_FILE, save_model


@pytest.fixture
def folder(models_dir: Path) -> Path:
    return models_dir / "tiny"


def test_digests_are_32_hexadecimal_digits(folder: Path):
    for digest in (weights_digest(folder), reference_digest(folder)):
        assert len(digest) == 32
        int(digest, 16)


def test_a_copy_in_another_folder_is_the_same_model(folder: Path, tmp_path: Path):
    copy = shutil.copytree(folder, tmp_path / "clone" / "of-another-name")
    assert weights_digest(copy) == weights_digest(folder)
    assert reference_digest(copy) == reference_digest(folder)


def rewrite_weights(folder: Path) -> None:
    """The same tensors in another order, with other metadata."""
    tensors = load_file(folder / WEIGHTS_FILE)
    save_file(dict(reversed(tensors.items())), folder / WEIGHTS_FILE, metadata={"anything": "else"})


def rewrite_reference(folder: Path) -> None:
    """The same arrays uncompressed, with a part that belongs to a format of later."""
    with np.load(folder / REFERENCE_FILE) as stored:
        arrays = dict(stored)
    np.savez(folder / REFERENCE_FILE, later=np.array(7), **dict(reversed(arrays.items())))


def touch_all(folder: Path) -> None:
    for path in folder.iterdir():
        os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    "change",
    [
        rewrite_weights,
        rewrite_reference,
        touch_all,
        lambda folder: (folder / CARD_FILE).write_text("another card"),
        lambda folder: (folder / METRICS_FILE).write_text(json.dumps({"test": {"kl": 1}})),
    ],
    ids=["weights written anew", "reference set written anew", "touch", "card", "metrics"],
)
def test_what_says_nothing_of_the_content_changes_no_digest(folder: Path, change: Callable[[Path], object]):
    before = weights_digest(folder), reference_digest(folder)
    change(folder)
    assert (weights_digest(folder), reference_digest(folder)) == before


@pytest.mark.parametrize(
    "change",
    [
        {"preparation": Preparation(fit="pad")},
        {"training": TrainingConfig(dataset="mnist", epochs=3)},
    ],
    ids=str,
)
def test_how_pictures_are_prepared_and_weights_came_to_be_changes_no_digest(
    folder: Path, tiny_config: ModelConfig, change: dict
):
    before = weights_digest(folder)
    (folder / CONFIG_FILE).write_text(config_to_json(replace(tiny_config, **change)))
    assert weights_digest(folder) == before


def test_another_likelihood_of_the_same_tensors_is_another_model(folder: Path, tiny_config: ModelConfig):
    before = weights_digest(folder)
    (folder / CONFIG_FILE).write_text(config_to_json(replace(tiny_config, variational=False)))
    assert weights_digest(folder) != before


def test_every_field_of_a_configuration_is_sorted_in():
    """A field that is added has to be thought of: does the network compute something else by it?"""
    assert {field.name for field in fields(ModelConfig)} == {*COMPUTING_FIELDS, "preparation", "training"}


def test_one_changed_weight_changes_the_weights_digest_alone(folder: Path):
    weights, reference = weights_digest(folder), reference_digest(folder)
    tensors = load_file(folder / WEIGHTS_FILE)
    tensors["encoder.mean.bias"][0] += 1
    save_file(tensors, folder / WEIGHTS_FILE)
    assert weights_digest(folder) != weights
    assert reference_digest(folder) == reference


def test_weights_of_another_precision_are_another_model(folder: Path, tiny_model: VAE):
    before = weights_digest(folder)
    save_model(tiny_model, folder, half=False)
    assert weights_digest(folder) != before


def test_the_same_bytes_under_other_names_or_shapes_are_other_weights(folder: Path, tmp_path: Path):
    shutil.copytree(folder, tmp_path / "other")
    tensors = load_file(folder / WEIGHTS_FILE)
    one, other = "encoder.mean.weight", "encoder.logvar.weight"
    swapped = {**tensors, one: tensors[other], other: tensors[one]}
    save_file(swapped, tmp_path / "other" / WEIGHTS_FILE)
    assert weights_digest(tmp_path / "other") != weights_digest(folder)
    reshaped = {**tensors, one: tensors[one].t().contiguous().reshape(tensors[one].shape[::-1])}
    save_file(reshaped, tmp_path / "other" / WEIGHTS_FILE)
    assert weights_digest(tmp_path / "other") != weights_digest(folder)


@pytest.mark.parametrize("part", ["means", "umap_places", "labels", "label_names", "held_out"])
def test_another_part_changes_the_reference_digest_alone(folder: Path, tiny_reference: Reference, part: str):
    weights, before = weights_digest(folder), reference_digest(folder)
    value = getattr(tiny_reference, part)
    changed = ("even", "other") if part == "label_names" else np.roll(value, 1, axis=0)
    if part == "held_out":
        changed = np.arange(len(value)) > 0
    replace(tiny_reference, **{part: changed}).save(folder / REFERENCE_FILE)
    assert reference_digest(folder) != before
    assert weights_digest(folder) == weights


def test_without_a_reference_set_there_is_no_digest_of_it(folder: Path):
    (folder / REFERENCE_FILE).unlink()
    assert reference_digest(folder) == ""


def test_what_cannot_be_read_is_an_error_each_time(folder: Path):
    good = (folder / WEIGHTS_FILE).read_bytes()
    (folder / WEIGHTS_FILE).write_bytes(good[:-1])
    for _ in range(2):
        with pytest.raises(ModelError, match="must fill the file"):
            weights_digest(folder)
    (folder / REFERENCE_FILE).write_bytes(b"PK")
    with pytest.raises(ModelError, match="no reference set"):
        reference_digest(folder)


def test_a_digest_is_read_from_the_files_once(folder: Path, monkeypatch: pytest.MonkeyPatch):
    before = weights_digest(folder)
    read = []
    monkeypatch.setattr(Path, "open", lambda path, *_args, **_options: read.append(path) or pytest.fail("was read"))
    assert weights_digest(folder) == before
    assert read == []


def test_scalars_and_empty_biases_have_their_place(tmp_path: Path, tiny_config: ModelConfig):
    """A Gaussian's log sigma is a tensor without axes."""
    config = replace(tiny_config, likelihood="gaussian")
    digests = set()
    for sigma in (-1.0, -2.0):
        model = VAE.build_seeded(config, seed=0)
        with torch.no_grad():
            model.log_sigma.fill_(sigma)
        save_model(model, tmp_path / "gaussian")
        digests.add(weights_digest(tmp_path / "gaussian"))
    assert len(digests) == 2


def test_what_version_0_1_called_the_weights_is_known(folder: Path):
    content = (folder / WEIGHTS_FILE).read_bytes()
    assert former_weights_digest(folder) == hashlib.sha256(content).hexdigest()[:32]
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        former_weights_digest(folder)
