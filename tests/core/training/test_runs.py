"""A training told step by step: what is told in which order, what is stored, and what is read how often."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vae_core.datasets import archived_sets, folders
from vae_core.datasets.own_sets import register_folder
from vae_core.errors import DatasetError, ModelError, TrainingError
from vae_core.images.preparation_options import Preparation
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.runtime.locations import own_models, runs_folder
from vae_core.store.metrics_file import read_metrics
from vae_core.store.opening import load_model
from vae_core.store.stored_models import list_models
from vae_core.training.requests import Places, TrainingRequest
from vae_core.training.run_state import CHECKPOINT_FILE
from vae_core.training.runs import Event, Loading, Resumed, Stored, run_training
from vae_core.training.trainer import Progress

PICTURES = 40


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(PICTURES):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def request_for_own(pictures: Path) -> TrainingRequest:
    """A tiny model of the pictures, two epochs, at the person's own places."""
    training = TrainingConfig(register_folder(pictures, taken=()), epochs=2, batch_size=10)
    config = ModelConfig(
        architecture="mlp", height=8, width=8, latent_dim=2, widths=(8,), preparation=Preparation(), training=training
    )
    return TrainingRequest("own", config)


def kinds(events: list[Event]) -> list[type]:
    """The kinds of events in their order, each once where several follow each other."""
    found = [type(event) for event in events]
    return [kind for number, kind in enumerate(found) if number == 0 or kind != found[number - 1]]


def test_a_training_tells_each_of_its_steps(request_for_own: TrainingRequest) -> None:
    events = list(run_training(request_for_own))
    assert kinds(events) == [Loading, Progress, Stored]
    assert events[0] == Loading("pictures")
    assert events[-1] == Stored("own", own_models()[0] / "own")
    ends = [event.epoch for event in events if isinstance(event, Progress) and event.validation is not None]
    assert ends == [1, 2]
    assert load_model("own").network.config == request_for_own.config
    assert (runs_folder() / "own" / CHECKPOINT_FILE).is_file()


def test_one_that_is_left_goes_on_from_its_last_whole_epoch(request_for_own: TrainingRequest) -> None:
    events = run_training(request_for_own)
    for event in events:
        if isinstance(event, Progress) and event.epoch == 2:
            break
    events.close()
    assert "own" not in list_models()
    events = list(run_training(request_for_own))
    assert kinds(events) == [Loading, Resumed, Progress, Stored]
    assert events[1] == Resumed(1, runs_folder() / "own")
    assert all(event.epoch == 2 for event in events if isinstance(event, Progress))


def test_nothing_happens_before_it_is_asked_for(request_for_own: TrainingRequest, own_places: Path) -> None:
    before = sorted(own_places.rglob("*"))
    run_training(request_for_own)
    assert sorted(own_places.rglob("*")) == before


def test_the_record_says_what_was_asked_for_and_what_was_seen(request_for_own: TrainingRequest) -> None:
    list(run_training(request_for_own))
    record = read_metrics(own_models()[0] / "own")["training"]
    assert record["request"]["name"] == "own"
    assert record["request"]["config"]["training"]["dataset"] == "pictures"
    assert record["pictures"]["split_rule"] == folders.BY_CONTENT
    assert sum(record["pictures"]["images"].values()) < PICTURES, "the test images were not seen"
    assert set(record) == {
        *("request", "pictures", "seed", "seconds", "machine", "best_epoch", "validation_loss"),
    }


def test_places_may_be_named(request_for_own: TrainingRequest, tmp_path: Path) -> None:
    places = Places(models=tmp_path / "a", runs=tmp_path / "b")
    list(run_training(replace(request_for_own, places=places)))
    assert list_models(tmp_path / "a") == ["own"]
    assert (tmp_path / "b" / "own" / CHECKPOINT_FILE).is_file()
    assert "own" not in list_models()


def test_a_folder_is_read_once(request_for_own: TrainingRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    content = folders._content

    def counted(path: Path) -> bytes:
        opened.append(path.name)
        return content(path)

    monkeypatch.setattr(folders, "_content", counted)
    list(run_training(request_for_own))
    assert len(set(opened)) == PICTURES
    assert len(opened) <= PICTURES + 1, "once more to see that a picture of the test can be read"


def test_an_archive_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    arrays = {f"x_{part}": generator.integers(0, 256, (60, 28, 28), np.uint8) for part in ("train", "test")}
    arrays |= {f"y_{part}": np.zeros(60, np.int64) for part in ("train", "test")}
    np.savez(tmp_path / "quickdraw.npz", label_names=np.array(["cat"]), **arrays)
    calls: list[tuple[str, ...]] = []
    read_archive = archived_sets.read_archive

    def counted(path: Path, keys: tuple[str, ...]) -> list[np.ndarray]:
        calls.append(keys)
        return read_archive(path, keys)

    monkeypatch.setattr(archived_sets, "read_archive", counted)
    training = TrainingConfig("quickdraw", epochs=1)
    config = ModelConfig(architecture="mlp", latent_dim=2, widths=(8,), training=training)
    list(run_training(TrainingRequest("own", config, places=Places(data=tmp_path))))
    assert calls == [("x_train", "y_train", "label_names")], "for training and validation, and nothing of the test"


REFUSED = {
    "a name that is none": ({"name": "../own"}, ModelError, "a model's name has"),
    "a shipped model's name": ({"name": "mnist-2d"}, ModelError, "mnist-2d is the name of a model that comes with"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_stored_is_refused_before_anything_is_read(request_for_own: TrainingRequest, case: str) -> None:
    changes, kind, said = REFUSED[case]
    with pytest.raises(kind, match=said):
        next(run_training(replace(request_for_own, **changes)))


def test_a_model_of_the_collection_may_have_its_name_in_any_folder(
    request_for_own: TrainingRequest, tmp_path: Path
) -> None:
    places = Places(models=tmp_path / "models")
    list(run_training(replace(request_for_own, name="mnist-2d", of_collection=True, places=places)))
    assert list_models(tmp_path / "models") == ["mnist-2d"]


def test_a_stored_model_is_replaced_only_when_that_is_asked_for(request_for_own: TrainingRequest) -> None:
    list(run_training(request_for_own))
    with pytest.raises(ModelError, match="holds a model already; choose another --name or give --overwrite"):
        next(run_training(request_for_own))
    assert kinds(list(run_training(replace(request_for_own, overwrite=True)))) == [Loading, Resumed, Stored]
    assert kinds(list(run_training(replace(request_for_own, overwrite=True, fresh=True)))) == [
        Loading,
        Progress,
        Stored,
    ]


def test_two_of_a_name_do_not_run_at_once(request_for_own: TrainingRequest) -> None:
    first = run_training(request_for_own)
    next(first)
    with pytest.raises(TrainingError, match="is in use by another training"):
        next(run_training(request_for_own))
    first.close()
    assert list(run_training(request_for_own))


def test_a_data_set_that_is_not_known_ends_the_training(request_for_own: TrainingRequest, pictures: Path) -> None:
    training = replace(request_for_own.config.training, dataset=str(pictures))
    request = replace(request_for_own, config=replace(request_for_own.config, training=training))
    with pytest.raises(DatasetError, match="must be one of mnist"):
        list(run_training(request))
