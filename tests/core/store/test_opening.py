"""A stored model opened: what it takes and gives, and that whatever is wrong with its files is one sentence."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from vae_core.errors import ConfigError, InputError, ModelError
from vae_core.images.files import open_picture
from vae_core.images.preparation import prepare_picture
from vae_core.latent.paths import interpolate
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.spec import Model, spec_of
from vae_core.models.vae import CONFIG_FILE, VAE, WEIGHTS_FILE
from vae_core.reference.reference_set import Reference
from vae_core.runtime.strict_json import config_to_json
from vae_core.store import opening
from vae_core.store.identity import reference_digest, weights_digest
from vae_core.store.opening import StoredModel, load_model, open_stored_model
from vae_core.store.stored_models import REFERENCE_FILE, models_dirs, save_model

THREE = np.zeros((9, 9), np.uint8)


@pytest.fixture
def folder(models_dir: Path) -> Path:
    return models_dir / "tiny"


@pytest.fixture
def model(folder: Path) -> StoredModel:
    return open_stored_model(folder)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))


# -- what it is ----------------------------------------------------------------------------------------------------


def test_an_opened_model_says_what_it_is(model: StoredModel, folder: Path, tiny_config: ModelConfig):
    assert (model.name, model.folder) == ("tiny", folder)
    assert model.spec == spec_of(tiny_config)
    assert (model.digest, model.reference_digest) == (weights_digest(folder), reference_digest(folder))
    assert model.training is None


def test_a_network_and_a_stored_model_are_models(model: StoredModel, tiny_model: VAE):
    assert isinstance(tiny_model, Model)
    assert isinstance(model, Model)
    assert not isinstance(object(), Model)
    ours: list[Model] = [tiny_model, model]  # mypy checks the rest
    assert [each.spec.latent_dim for each in ours] == [3, 3]


def test_a_spec_has_what_the_configuration_says(tiny_config: ModelConfig):
    training = TrainingConfig(dataset="mnist", binarise="dynamic")
    spec = spec_of(replace(tiny_config, training=training, variational=False))
    assert (spec.image_shape, spec.latent_dim, spec.variational, spec.likelihood) == ((1, 8, 8), 3, False, "bernoulli")
    assert (spec.pixels, spec.dataset) == ("Bernoulli on dynamically binarised pixels", "mnist")
    assert spec_of(tiny_config).dataset is None


def test_what_was_trained_on_what_is_known(folder: Path, tiny_config: ModelConfig):
    training = TrainingConfig(dataset="mnist")
    (folder / CONFIG_FILE).write_text(config_to_json(replace(tiny_config, training=training)))
    opened = open_stored_model(folder)
    assert (opened.training, opened.spec.dataset) == (training, "mnist")


def test_a_size_counts_weights_and_reference_set(model: StoredModel, folder: Path):
    weights = sum(4 * tensor.numel() for tensor in load_file(folder / WEIGHTS_FILE).values())
    assert model.size == weights + model.need_reference().size
    assert model.need_reference().size > model.need_reference().means.nbytes
    (folder / REFERENCE_FILE).unlink()
    assert open_stored_model(folder).size == weights


# -- inference -----------------------------------------------------------------------------------------------------


def test_codes_and_images_are_plain_numbers(model: StoredModel, images: Tensor):
    """As a notebook goes on with them, with numpy or in place."""
    posterior = model.encode(images)
    means = posterior.mean.numpy()
    assert means.shape == (5, 3)
    posterior.mean[0, 1] = 2
    assert model.decode(posterior.mean).numpy().shape == (5, 1, 8, 8)
    torch.testing.assert_close(model.decode(means), model.decode(posterior.mean))
    path = interpolate(means[0], means[1], frames=4, kind="linear")
    assert model.decode(path).shape == (4, 1, 8, 8)
    assert model.decode(path.astype(np.float64)).dtype == torch.float32


def test_it_computes_what_its_network_computes(model: StoredModel, images: Tensor):
    with torch.no_grad():
        posterior = model.network.encode(images)
        assert torch.equal(model.encode(images).mean, posterior.mean)
        assert torch.equal(model.decode(posterior.mean), model.network.decode(posterior.mean))
        nats = model.network.reconstruction_nats(images, posterior.mean)
    assert torch.equal(model.reconstruction_nats(images, posterior.mean), nats)
    assert torch.equal(model.reconstruction_nats(images, posterior.mean.numpy()), nats)


def test_a_network_alone_keeps_its_gradients(tiny_model: VAE, images: Tensor):
    assert tiny_model.encode(images).mean.requires_grad
    tiny_model.reconstruction_nats(images, torch.zeros(5, 3)).mean().backward()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((2, 1, 8, 8), np.float32), r"got a numpy array; give torch.from_numpy\(images\).float\(\)"),
        ([[0.0]], "got list"),
        (None, "got NoneType"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), r"got uint8; give images.float\(\) / 255"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.int64), r"got int64; give images.float\(\) / 255"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.float64), r"got float64; give images.float\(\)\."),
        (torch.zeros(2, 1, 8, 8, dtype=torch.float16), r"got float16; give images.float\(\)\."),
        (torch.zeros(1, 8, 8), r"got one image without a batch, \[1, 8, 8\]; give images?\[None\]"),
        (torch.zeros(8, 8), r"got \[8, 8\]; `prepare` brings"),
        (torch.zeros(2, 3, 8, 8), r"got \[2, 3, 8, 8\]; `prepare` brings"),
        (torch.full((2, 1, 8, 8), 255.0), "got values from 255 to 255; pixels from 0 to 255 are divided by 255"),
        (torch.linspace(-1, 1, 64).view(1, 1, 8, 8), r"got values from -1 to 1\."),
        (torch.full((1, 1, 8, 8), float("nan")), "got some that are no numbers"),
        (torch.full((1, 1, 8, 8), float("inf")), "got values from inf to inf"),
    ],
    ids=str,
)
def test_what_are_no_images_of_the_models_is_said_with_what_to_do(model: StoredModel, given: object, said: str):
    for use in (model.encode, lambda images: model.reconstruction_nats(images, torch.zeros(2, 3))):
        with pytest.raises(InputError, match=said) as caught:
            use(given)
        assert "images must be a torch tensor of float32, [n, 1, 8, 8], with values from 0 to 1" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[0.0, 0.0, 0.0]], "got list; give numpy.array"),
        (torch.zeros(3), r"got one code without a batch, \[3\]; give z\[None\]"),
        (np.zeros(3), r"got one code without a batch, \[3\]; give z\[None\]"),
        (torch.zeros(2, 4), r"got \[2, 4\]"),
        (torch.zeros(()), r"got \[\]"),
        (torch.zeros(2, 3, dtype=torch.int64), "got int64"),
        (np.zeros((2, 3), object), "got object"),
        (torch.full((1, 3), float("nan")), "finite number"),
        (np.full((1, 3), 1e300), "finite number"),
    ],
    ids=str,
)
def test_what_are_no_codes_of_the_models_is_said(model: StoredModel, images: Tensor, given: object, said: str):
    for use in (model.decode, lambda z: model.reconstruction_nats(images, z)):
        with pytest.raises(InputError, match=said):
            use(given)


def test_each_image_has_a_code(model: StoredModel, images: Tensor):
    with pytest.raises(InputError, match="got 5 images and 1 codes"):
        model.reconstruction_nats(images, torch.zeros(1, 3))


def test_none_of_either_is_none(model: StoredModel):
    assert model.encode(torch.zeros(0, 1, 8, 8)).mean.shape == (0, 3)
    assert model.decode(np.zeros((0, 3))).shape == (0, 1, 8, 8)


def test_values_that_resizing_rounded_beyond_the_ends_will_do(model: StoredModel):
    assert model.encode(torch.full((1, 1, 8, 8), 1.0001)).mean.shape == (1, 3)


def test_a_picture_is_prepared_as_the_model_wants_it(model: StoredModel, tmp_path: Path):
    Image.fromarray(np.arange(81, dtype=np.uint8).reshape(9, 9)).save(tmp_path / "a.png")
    picture = open_picture(tmp_path / "a.png")
    prepared = model.prepare(picture)
    expected = prepare_picture(picture, shape=(1, 8, 8), preparation=model.spec.preparation)
    assert torch.equal(prepared, expected)
    with pytest.raises(InputError, match="takes a picture as `open_picture` gives it, got str"):
        model.prepare("a.png")


# -- by name or by path --------------------------------------------------------------------------------------------


def test_a_model_is_loaded_by_name_or_by_path(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    elsewhere = shutil.copytree(folder, tmp_path / "my models" / "Mixed Case")
    digest = load_model("tiny").digest
    for place in (elsewhere, str(elsewhere)):
        model = load_model(place)
        assert (model.name, model.digest) == ("Mixed Case", digest)
    monkeypatch.chdir(elsewhere.parent)
    assert load_model("Mixed Case").name == "Mixed Case"
    assert load_model(Path() / "Mixed Case").digest == digest
    monkeypatch.chdir(elsewhere)
    assert load_model(".").name == "Mixed Case"


def test_a_name_goes_before_a_folder_of_that_name(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_model("tiny").folder == folder


def test_a_name_of_nothing_is_told_with_where_was_looked(models_dir: Path):
    with pytest.raises(ModelError, match="no model named 'none'") as caught:
        load_model("none")
    for place in models_dirs():
        assert str(place) in str(caught.value)
    assert "the stored models are: " in str(caught.value)
    assert "tiny" in str(caught.value)


@pytest.mark.parametrize("path", ["no/such/folder", Path("no-such-folder"), "~nobody-has-this-name/x"])
def test_a_path_to_nothing_is_one_sentence(models_dir: Path, path: str | Path):
    with pytest.raises(ModelError, match="there is no folder"):
        load_model(path)


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path):
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        load_model(tmp_path)


# -- files of strangers --------------------------------------------------------------------------------------------


def of_impossible_widths(folder: Path) -> None:
    (folder / CONFIG_FILE).write_text('{"widths": [10000000, 10000000]}')


def of_other_widths(folder: Path) -> None:
    (folder / CONFIG_FILE).write_text(config_to_json(ModelConfig(architecture="mlp", widths=(12_000, 3_000))))


def wrapped(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS_FILE)
    save_file({f"module.{name}": tensor for name, tensor in tensors.items()}, folder / WEIGHTS_FILE)


def not_a_number(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS_FILE)
    tensors["encoder.mean.bias"][0] = float("nan")
    save_file(tensors, folder / WEIGHTS_FILE)


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def emptied(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(b"")


def made_a_folder(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return change


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "impossible widths": (of_impossible_widths, "widths.0 must be a whole number from 1 to 16,384"),
    "widths of another model": (of_other_widths, "does not fit its configuration"),
    "weights of a wrapped network": (wrapped, "all names in it begin with 'module.'"),
    "weights that are no numbers": (not_a_number, "encoder.mean.bias holds numbers that are not finite"),
    "no configuration": (without(CONFIG_FILE), "holds no config.json"),
    "no weights": (without(WEIGHTS_FILE), "cannot be read as weights"),
    "an empty configuration": (emptied(CONFIG_FILE), "config.json: "),
    "empty weights": (emptied(WEIGHTS_FILE), "cannot be read as weights"),
    "an empty reference set": (emptied(REFERENCE_FILE), "no reference set"),
    "a folder for weights": (made_a_folder(WEIGHTS_FILE), "cannot be read as weights"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_whatever_is_wrong_is_one_sentence(folder: Path, case: str):
    change, said = DAMAGE[case]
    change(folder)
    with pytest.raises((ModelError, ConfigError)) as caught:
        open_stored_model(folder)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_reference_set_of_another_model_is_one_sentence(folder: Path, tmp_path: Path, tiny_config: ModelConfig):
    save_model(VAE.build_seeded(replace(tiny_config, latent_dim=2), seed=0), tmp_path / "two")
    shutil.copy(folder / REFERENCE_FILE, tmp_path / "two")
    with pytest.raises(ModelError, match="codes of 3 dimensions, the model has 2; run evaluate"):
        open_stored_model(tmp_path / "two")


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RecursionError("too deep"), RuntimeError("line one\nline two"), KeyError("x"), SystemError()],
)
def test_what_nobody_foresaw_is_one_sentence_and_logged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
):
    def fail(_path: Path) -> Reference:
        raise error

    monkeypatch.setattr(opening.Reference, "load", fail)
    with caplog.at_level(logging.WARNING), pytest.raises(ModelError, match="tiny cannot be opened") as caught:
        open_stored_model(folder)
    assert type(error).__name__ in str(caught.value)
    assert "\n" not in str(caught.value)
    assert type(error).__name__ in caplog.text
