"""The classifier that samples are measured with: it learns, the same way each time, and is kept for the next model."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from vae_core.errors import InputError, ModelError
from vae_core.evaluation import classifier as module
from vae_core.evaluation.classifier import FEATURES, Classifier, accuracy, load_or_train, train_classifier


def bars(count: int, side: int = 12, channels: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noisy pictures with a bright bar across (class 0), down (1), or both (2)."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 80, (count, channels, side, side), generator=generator, dtype=torch.uint8)
    labels = torch.arange(count) % 3
    for image, label, place in zip(images, labels, torch.randint(0, side, (count,), generator=generator), strict=True):
        if label != 1:
            image[:, place] = 255
        if label != 0:
            image[:, :, place] = 255
    return images, labels


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 30)


def weights_of(classifier: Classifier) -> Tensor:
    return torch.cat([value.flatten().double() for value in classifier.state_dict().values()])


def test_it_learns_to_tell_unseen_pictures_apart() -> None:
    classifier = train_classifier(*bars(600), classes=3, epochs=4)
    assert not classifier.training
    assert accuracy(classifier, *bars(300, seed=1)) > 0.9


def test_accuracy_is_the_share_found() -> None:
    images, _ = bars(8)
    classifier = Classifier((1, 12, 12), 2).eval()
    with torch.no_grad():
        classifier.head.weight.zero_()
        classifier.head.bias.copy_(torch.tensor([0.0, 1.0]))  # always says 1
    assert accuracy(classifier, images, torch.tensor([1, 1, 1, 0, 0, 0, 0, 0])) == 3 / 8


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64), (1, 64, 64), (1, 5, 9), (1, 4, 4), (1, 1, 2)])
def test_pictures_of_any_size_have_64_features_from_few_weights(shape: tuple[int, int, int]) -> None:
    classifier = Classifier(shape, 10).eval()
    features = classifier.features(torch.rand(2, *shape))
    assert features.shape == (2, FEATURES)
    assert classifier(torch.rand(2, *shape)).shape == (2, 10)
    assert sum(parameter.numel() for parameter in classifier.parameters()) < 200_000


def test_training_depends_on_the_seed_alone() -> None:
    images, labels = bars(61)
    before = torch.get_rng_state()
    first = weights_of(train_classifier(images, labels, classes=3, epochs=1))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(weights_of(train_classifier(images, labels, classes=3, epochs=1)), first)
    assert not torch.equal(weights_of(train_classifier(images, labels, classes=3, epochs=1, seed=1)), first)
    torch.set_rng_state(before)


def test_progress_is_told_after_each_step() -> None:
    told: list[tuple[int, int]] = []
    train_classifier(*bars(61), classes=3, epochs=2, progress=lambda *done: told.append(done))
    assert told == [(step, 6) for step in range(1, 7)]


# --- kept ----------------------------------------------------------------------------------------------------


def test_it_is_trained_once_for_the_same_images_and_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = bars(60)
    before = torch.get_rng_state()
    first = load_or_train(tmp_path / "new", images, labels, classes=3, epochs=1)
    monkeypatch.setattr(module, "train_classifier", lambda *_, **__: pytest.fail("trained again"))
    again = load_or_train(tmp_path / "new", images.clone(), labels.clone(), classes=3, epochs=1)
    assert torch.equal(weights_of(again), weights_of(first))
    assert not again.training
    assert torch.equal(torch.get_rng_state(), before)
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_other_images_labels_or_settings_have_another(tmp_path: Path) -> None:
    images, labels = bars(60)
    changed = images.clone()
    changed[0, 0, 0, 0] += 1
    load_or_train(tmp_path, images, labels, classes=3, epochs=1)
    load_or_train(tmp_path, changed, labels, classes=3, epochs=1)
    load_or_train(tmp_path, images, labels.flip(0), classes=3, epochs=1)
    load_or_train(tmp_path, images, labels, classes=4, epochs=1)
    load_or_train(tmp_path, images, labels, classes=3, epochs=2)
    load_or_train(tmp_path, images, labels, classes=3, epochs=1, seed=1)
    load_or_train(tmp_path, images.reshape(60, 1, 6, 24), labels, classes=3, epochs=1)
    assert len(list(tmp_path.iterdir())) == 7


@pytest.mark.parametrize("damage", [b"", b"no weights", None], ids=["empty", "other", "cut short"])
def test_a_damaged_file_is_written_anew(tmp_path: Path, damage: bytes | None) -> None:
    images, labels = bars(60)
    first = load_or_train(tmp_path, images, labels, classes=3, epochs=1)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] if damage is None else damage)
    again = load_or_train(tmp_path, images, labels, classes=3, epochs=1)
    assert torch.equal(weights_of(again), weights_of(first))
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_another_network_is_written_anew(tmp_path: Path) -> None:
    images, labels = bars(60)
    load_or_train(tmp_path, images, labels, classes=3, epochs=1)
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"\x02\0\0\0\0\0\0\0{}")  # safetensors without a tensor
    assert load_or_train(tmp_path, images, labels, classes=3, epochs=1).head.out_features == 3
    assert len(path.read_bytes()) > 1000


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot be written"):
        load_or_train(tmp_path / "file", *bars(30), classes=3, epochs=1)


# --- refused -------------------------------------------------------------------------------------------------


def test_what_cannot_be_learned_is_refused() -> None:
    images, labels = bars(30)
    for count, classes, epochs in ((1, 3, 1), (0, 3, 1), (30, 1, 1), (30, 3, 0)):
        with pytest.raises(InputError, match=f"got {count}, {classes} and {epochs}"):
            train_classifier(images[:count], labels[:count], classes=classes, epochs=epochs)
    for bad in (labels - 1, labels + 1):
        with pytest.raises(InputError, match="go from 0 to 2"):
            train_classifier(images, bad, classes=3)


def test_pictures_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"takes images of \(1, 12, 12\), got \(1, 28, 28\)"):
        Classifier((1, 12, 12), 3).features(torch.rand(1, 1, 28, 28))
