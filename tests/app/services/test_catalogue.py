"""The stored models as a collection: what their small files tell, families, cards and zips."""

import json
import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from app.charts.metric_rows import published_rows
from app.services import catalogue
from app.services.catalogue import LONGEST_CARD, card_of, collection, families, find_entry, zip_model
from tests.app.conftest import Store
from vae_core.errors import ModelError
from vae_core.models.config import TrainingConfig
from vae_core.models.vae import CARD_FILE, CONFIG_FILE
from vae_core.store.metrics_file import METRICS_FILE
from vae_core.store.opening import StoredModel
from vae_core.store.presets import PRESETS
from vae_core.store.stored_models import MODEL_FILES, REFERENCE_FILE, WEIGHTS_FILE


def test_an_entry_tells_what_the_small_files_say(store: Store, models_dir: Path):
    store("other", latent_dim=2, training=TrainingConfig("mnist"))
    (models_dir / "other" / METRICS_FILE).write_text(json.dumps({"test": {"kl": 1.5}}))
    entry = find_entry("other")
    assert (entry.name, entry.folder, entry.problem, entry.preset) == ("other", models_dir / "other", "", None)
    assert (entry.dimensions, entry.data) == ("2 dimensions", "MNIST handwritten digits")
    assert entry.metrics == {"test": {"kl": 1.5}}
    files = [models_dir / "other" / name for name in MODEL_FILES]
    assert entry.size == sum(path.stat().st_size for path in files if path.is_file())


def test_the_data_of_a_folder_is_not_named_by_its_path(store: Store):
    store("mine", training=TrainingConfig("/somewhere/pictures"))
    assert find_entry("mine").data == "a folder of pictures"


@pytest.mark.parametrize("file", [CONFIG_FILE, METRICS_FILE])
def test_a_damaged_small_file_is_a_sentence_that_names_it(store: Store, models_dir: Path, file: str):
    store("other")
    (models_dir / "other" / file).write_bytes(b"{")
    entry = find_entry("other")
    assert file in entry.problem
    assert entry.metrics == {}
    assert (entry.config is None) == (file == CONFIG_FILE)
    assert (entry.dimensions == "") == (file == CONFIG_FILE)


@pytest.mark.parametrize("file", MODEL_FILES)
def test_an_entry_is_read_once_and_again_when_one_of_its_files_changed(store: Store, models_dir: Path, file: str):
    store("other")
    before = find_entry("other")
    assert find_entry("other") is before
    with (models_dir / "other" / file).open("ab") as opened:
        opened.write(b" ")
    assert find_entry("other") is not before


def test_an_entry_knows_the_digests_without_loading_the_model(store: Store, models_dir: Path):
    loaded = store("other")
    entry = find_entry("other")
    assert (entry.digest, entry.reference_digest) == (loaded.digest, loaded.reference_digest)
    (models_dir / "other" / WEIGHTS_FILE).write_bytes(b"no weights")
    damaged = find_entry("other")
    assert damaged.digest == ""
    assert "cannot be read as weights" in damaged.problem
    assert damaged.config == entry.config


def test_an_unknown_name_is_an_error(models_dir: Path):
    with pytest.raises(ModelError, match="no model named 'nobody'"):
        find_entry("nobody")


def test_models_of_a_family_stand_together_in_the_presets_order(store: Store):
    names = ["mnist-10d-beta-5", "faces", "mnist-2d", "mnist-10d-beta-1", "mine", "mnist-2d-autoencoder"]
    for name in names:
        store(name)
    entries = [entry for entry in collection() if entry.name in (*names, "tiny")]
    assert {title: [entry.name for entry in members] for title, members in families(entries).items()} == {
        PRESETS["mnist-2d"].family: ["mnist-2d", "mnist-2d-autoencoder"],
        "Rate and distortion": ["mnist-10d-beta-1", "mnist-10d-beta-5"],
        "On their own": ["faces"],
        "Your own models": ["mine", "tiny"],
    }


def test_a_persons_own_model_under_a_presets_name_is_their_own(store: Store):
    store("mnist-2d", by_preset=False)
    store("mnist-16d")
    entry = find_entry("mnist-2d")
    assert entry.preset is None
    found = [each for each in collection() if each.name in ("mnist-2d", "mnist-16d", "tiny")]
    assert [each.name for each in found] == ["mnist-16d", "mnist-2d", "tiny"], "not where the preset's would stand"
    assert families(found) == {
        "On their own": [find_entry("mnist-16d")],
        "Your own models": [entry, find_entry("tiny")],
    }
    assert published_rows([entry]) == []


def test_a_model_that_is_removed_while_they_are_listed_is_left_out(models_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogue, "list_models", lambda: ["gone", "tiny"])
    assert [entry.name for entry in collection()] == ["tiny"]


# -- cards and zips ------------------------------------------------------------------------------------------------


def test_a_card_is_its_files_text(tiny: StoredModel):
    (tiny.folder / CARD_FILE).unlink(missing_ok=True)
    assert card_of(find_entry("tiny")) == ""
    (tiny.folder / CARD_FILE).write_bytes("# tiny\n\nβ ".encode() + b"\xff")
    assert card_of(find_entry("tiny")) == "# tiny\n\nβ \ufffd"


def test_a_card_without_end_is_cut(tiny: StoredModel):
    (tiny.folder / CARD_FILE).write_bytes(b"x" * (LONGEST_CARD + 1))
    assert len(card_of(find_entry("tiny"))) == LONGEST_CARD


def test_a_zip_has_the_known_files_in_a_folder_of_the_models_name(tiny: StoredModel):
    (tiny.folder / CARD_FILE).write_text("# tiny")
    (tiny.folder / "secret.txt").write_text("not to be given away")
    (tiny.folder / "notes").mkdir()
    with zipfile.ZipFile(BytesIO(zip_model(find_entry("tiny")))) as archive:
        assert archive.testzip() is None
        packed = {name: archive.read(name) for name in archive.namelist()}
    present = (CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, REFERENCE_FILE)  # it has no metrics.json
    assert packed == {f"tiny/{name}": (tiny.folder / name).read_bytes() for name in present}


def test_an_unpacked_zip_is_the_same_model(tiny: StoredModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = zip_model(find_entry("tiny"))
    elsewhere = tmp_path / "elsewhere"
    with zipfile.ZipFile(BytesIO(content)) as archive:
        archive.extractall(elsewhere)
    monkeypatch.setenv("VAE_MODELS_DIR", os.fspath(elsewhere))
    assert find_entry("tiny").folder == elsewhere / "tiny"
    assert find_entry("tiny").digest == tiny.digest
