"""The pictures that reference codes came from: found again, and shown only when they are the right ones."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.app.conftest import Store
from tests.conftest import reference_of
from tests.needs import need_data
from vae_core.datasets.fingerprint import fingerprint_of
from vae_core.datasets.labelled import LabelledImages
from vae_core.datasets.own_sets import register_folder
from vae_core.datasets.parts import chosen_images
from vae_core.datasets.registry import load_dataset
from vae_core.evaluation import report
from vae_core.inference import originals
from vae_core.inference.engine import engine
from vae_core.inference.originals import original_of
from vae_core.models.config import TrainingConfig
from vae_core.models.inputs import model_input
from vae_core.reference.reference_set import Reference
from vae_core.runtime.strict_json import config_to_json
from vae_core.store.metrics_file import write_metrics
from vae_core.store.opening import StoredModel
from vae_core.store.stored_models import REFERENCE_FILE

PICTURES = 60
FILLING = 20

FromFolder = Callable[..., StoredModel]


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    originals._parts.forget()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of seeded noise."""
    (tmp_path / "pictures").mkdir()
    for number in range(PICTURES):
        save_noise(tmp_path / "pictures" / f"{number}.png", seed=number)
    return tmp_path / "pictures"


def save_noise(path: Path, seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)).save(path)


def parts_of(loaded: StoredModel) -> dict[str, LabelledImages]:
    spec = loaded.spec
    given = {"image_shape": spec.image_shape, "preparation": spec.preparation}
    return {split: load_dataset(spec.dataset, split, **given) for split in ("test", "train")}


@pytest.fixture
def from_folder(store: Store, models_dir: Path, folder: Path) -> FromFolder:
    """A model with a reference set of its folder's test pictures, filled up with some training pictures.

    Its metrics.json says what it has seen, unless told otherwise.
    """

    def made(*, binarise: str = "none", says: bool = True) -> StoredModel:
        training = TrainingConfig(register_folder(folder, taken=()), binarise=binarise)
        loaded = store("own", training=training)
        parts = parts_of(loaded)
        if says:
            seen = json.loads(config_to_json(fingerprint_of(parts, split_rule=2)))
            write_metrics(models_dir / "own", {"training": {"pictures": seen}})
        filling = chosen_images(parts["train"], FILLING, seed=report.SEED)
        given = torch.cat([model_input(part.images, training) for part in (parts["test"], filling)])
        posterior = loaded.encode(given)
        reference = reference_of(posterior.mean.numpy(), posterior.logvar.numpy(), seed=3)
        reference.held_out[len(parts["test"]) :] = False
        reference.save(models_dir / "own" / REFERENCE_FILE)
        return engine().load("own")

    return made


def shown(loaded: StoredModel) -> list[np.ndarray | None]:
    return [original_of(engine(), loaded, index) for index in range(len(loaded.need_reference()))]


@pytest.mark.parametrize("binarise", ["none", "dynamic"])
def test_each_code_has_the_picture_it_was_encoded_from(from_folder: FromFolder, binarise: str):
    loaded = from_folder(binarise=binarise)
    parts = parts_of(loaded)
    expected = torch.cat(
        [parts["test"].images, chosen_images(parts["train"], FILLING, seed=report.SEED).images]
    ).permute(0, 2, 3, 1)
    found = shown(loaded)
    assert len(found) == len(parts["test"]) + FILLING
    for picture, image in zip(found, expected, strict=True):
        assert picture is not None
        np.testing.assert_array_equal(picture, image.numpy())


def test_a_folder_with_other_pictures_is_not_shown(from_folder: FromFolder, folder: Path):
    loaded = from_folder()
    before = shown(loaded)
    assert all(picture is not None for picture in before)
    originals._parts.forget()
    for number in range(7):
        save_noise(folder / f"new {number}.png", seed=2000 + number)
    for picture, earlier in zip(shown(loaded), before, strict=True):  # of a part that is as it was they are shown
        assert picture is None or np.array_equal(picture, earlier)
    assert any(picture is None for picture in shown(loaded))


def test_a_picture_whose_code_is_another_is_not_shown(from_folder: FromFolder):
    loaded = from_folder()
    loaded.need_reference().means[2] += 1
    found = shown(loaded)
    assert found[2] is None
    assert sum(picture is None for picture in found) == 1


def test_nothing_is_shown_beside_a_model_that_does_not_say_what_it_has_seen(from_folder: FromFolder):
    """A model from elsewhere may name an id that is a folder of this machine, and give any codes."""
    assert all(picture is None for picture in shown(from_folder(says=False)))


def test_a_folder_that_a_model_names_by_its_path_is_not_opened(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delattr(originals, "load_dataset")
    assert original_of(engine(), store("path", training=TrainingConfig(str(folder))), 0) is None


def test_a_folder_that_is_gone_or_too_small_shows_nothing(from_folder: FromFolder, folder: Path):
    loaded = from_folder()
    for number in range(2, PICTURES):
        (folder / f"{number}.png").unlink()
    assert original_of(engine(), loaded, 0) is None
    folder.rename(folder.with_name("elsewhere"))
    assert original_of(engine(), loaded, 0) is None
    assert original_of(engine(), loaded, 10) is None


def test_a_model_that_does_not_say_what_it_was_trained_on_has_none(tiny: StoredModel):
    assert original_of(engine(), tiny, 0) is None


def test_photographs_of_people_are_not_shown(store: Store, monkeypatch: pytest.MonkeyPatch):
    def load(*_: object, **__: object) -> LabelledImages:
        raise AssertionError("not even loaded")

    monkeypatch.setattr(originals, "load_dataset", load)
    assert original_of(engine(), store("people", training=TrainingConfig("faces")), 0) is None


def test_nothing_is_fetched(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fetch(*_: object, **__: object) -> LabelledImages:
        raise AssertionError("asked another host")

    monkeypatch.setattr(originals, "load_dataset", fetch)
    monkeypatch.setenv("VAE_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("VAE_DATA_DIR", raising=False)
    loaded = store("digits", height=28, width=28, training=TrainingConfig("mnist"))
    assert original_of(engine(), loaded, 0) is None
    monkeypatch.setenv("VAE_DATA_DIR", str(tmp_path / "absent"))
    assert original_of(engine(), loaded, 0) is None


def test_the_shipped_digits_are_the_test_images():
    need_data("mnist")
    loaded = engine().load("mnist-16d")
    test, reference = load_dataset("mnist", "test"), loaded.need_reference()
    assert isinstance(reference, Reference)
    for index in (0, 1234, 9999):
        picture = original_of(engine(), loaded, index)
        assert picture is not None
        np.testing.assert_array_equal(picture[:, :, 0], test.images[index, 0].numpy())
