"""The command line: a model from training to its card, and one line for whatever goes wrong."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import vae_core
from vae_core.cli.main import main
from vae_core.datasets.registry import load_dataset
from vae_core.errors import ModelError
from vae_core.evaluation import runs
from vae_core.evaluation.elbo import evaluate_elbo
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.config_file import read_config
from vae_core.models.inputs import model_input
from vae_core.models.vae import VAE
from vae_core.reference.build import REFERENCE_MINIMUM
from vae_core.reference.draws import draw_codes
from vae_core.reference.reference_set import Reference
from vae_core.runtime import locations
from vae_core.runtime.ownership import MARKER_FILE
from vae_core.store.cards import BEGIN, END, card_text, with_metrics
from vae_core.store.metrics_file import read_metrics, write_metrics
from vae_core.store.presets import PRESETS, Preset
from vae_core.store.stored_models import list_models, model_folder, save_model
from vae_core.training.run_folder import held_run_folder
from vae_core.training.run_state import CHECKPOINT_FILE
from vae_core.training.trainer import Metrics, Trainer

TINY = ("--architecture", "mlp", "--widths", "8", "--latent-dim", "2", "--batch-size", "100", "--threads", "1")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_shipped: None) -> None:
    """Nothing is read from or written to the project's folders or the machine's data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_RUNS_DIR", "runs")
    monkeypatch.delenv("VAE_DATA_DIR", raising=False)


def run(*arguments: str) -> int:
    """The exit code of one command."""
    try:
        return main(list(arguments))
    except SystemExit as left:
        return int(left.code or 0)


def train(*options: str, name: str = "tiny", dataset: str = "digits") -> int:
    given = dict(zip(options[::2], options[1::2], strict=False)) if options and options[0] == "--epochs" else {}
    epochs = () if given else ("--epochs", "1")
    return run("train", "--dataset", dataset, "--name", name, "--models-dir", "models", *TINY, *epochs, *options)


def refused(capsys: pytest.CaptureFixture[str], code: int) -> str:
    """The one line on the standard error output of a command that ended with 2."""
    error = capsys.readouterr().err
    assert code == 2, error
    assert error.endswith("\n")
    assert error.count("\n") == 1, error
    return error


def network_of(name: str) -> VAE:
    return VAE.from_pretrained(model_folder(name))


@pytest.fixture
def trained(capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a model that was trained for one epoch."""
    assert train() == 0
    capsys.readouterr()
    return Path("models/tiny").resolve()


# --- train ---------------------------------------------------------------------------------------------------


def test_training_stores_the_best_weights_with_what_made_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Trainer, "_validate", lambda trainer: Metrics(5.0 + trainer.history.epochs_done, 0.0, 0.0))
    assert train("--epochs", "2", "--beta", "0.5") == 0
    shown = capsys.readouterr().out
    assert "epoch 2: training" in shown
    assert shown.splitlines()[-1] == "stored in models/tiny; next: python -m vae_core evaluate tiny"

    model = network_of("tiny")
    assert (model.config.architecture, model.config.widths, model.config.latent_dim) == ("mlp", (8,), 2)
    assert model.config.image_shape == (1, 28, 28)
    assert (model.config.training.dataset, model.config.training.epochs) == ("digits", 2)
    assert model.config.training.beta == 0.5
    assert list_models() == ["tiny"]

    expected = trainer_of(model.config)
    list(expected.run())
    for name, weights in expected.state.best_weights.items():
        assert torch.equal(model.state_dict()[name], weights.half().float()), name
    training = read_metrics(Path("models/tiny"))["training"]
    assert (training["best_epoch"], training["validation_loss"]) == (1, 5.0)
    assert training["seconds"] >= 0


def trainer_of(config: ModelConfig) -> Trainer:
    return Trainer(config, load_dataset("digits", "train").images, load_dataset("digits", "validation").images)


def test_the_card_gives_the_command_that_made_the_model(trained: Path) -> None:
    card = (trained / "README.md").read_text(encoding="utf-8")
    command = command_in(card)
    assert shlex.split(command)[:4] == ["python", "-m", "vae_core", "train"]
    assert "--widths 8" in command
    assert card.startswith("# tiny\n\nA fully connected variational autoencoder with 2 latent dimensions.")
    assert "Licence: CC BY 4.0" in card


def command_in(card: str) -> str:
    [command] = re.findall(r"```\n(.*)\n```", card)
    return command


def test_the_recorded_command_trains_the_same_model_again(trained: Path, tmp_path: Path) -> None:
    command = shlex.split(command_in((trained / "README.md").read_text(encoding="utf-8")))
    before = (trained / "model.safetensors").read_bytes()
    assert run(*command[3:], "--overwrite", "--fresh", "--models-dir", "models") == 0
    assert (trained / "model.safetensors").read_bytes() == before


def test_an_interrupted_run_goes_on_with_the_same_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_finish_epoch", interrupted_in_epoch(2))
        assert train("--epochs", "3") == 130
    assert "the same command goes on from here" in capsys.readouterr().err.splitlines()[-1]
    assert list_models() == [], "nothing half trained is stored"
    assert (Path("runs/tiny") / CHECKPOINT_FILE).is_file()

    assert train("--epochs", "3") == 0
    assert "going on after epoch 1 of runs/tiny" in capsys.readouterr().out
    assert train("--epochs", "3", name="whole") == 0
    one, other = (Path("models") / name / "model.safetensors" for name in ("tiny", "whole"))
    assert one.read_bytes() == other.read_bytes()


def test_the_way_to_go_on_is_told_where_there_is_one(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Trainer, "_finish_epoch", interrupted_in_epoch(1))
    assert train("--overwrite", "--fresh") == 130
    assert "; the same command without --fresh goes on from here." in capsys.readouterr().err.splitlines()[-1]
    monkeypatch.setattr(VAE, "encode", interrupt)
    assert run("evaluate", "tiny", "--threads", "1") == 130
    assert capsys.readouterr().err.splitlines()[-1] == "vae_core evaluate: stopped."


def test_training_all_goes_on_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("vae_core.training.runs.load_splits", interrupt)
    assert run("train-all", "--only", "mnist-2d", "--models-dir", "models", "--threads", "1") == 130
    assert capsys.readouterr().err.splitlines()[-1].endswith("stopped; the same command goes on from here.")


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def interrupted_in_epoch(epoch: int) -> Callable[..., Any]:
    original = Trainer._finish_epoch

    def finish(trainer: Trainer, *arguments: Any) -> Any:
        if trainer.history.epochs_done + 1 == epoch:
            raise KeyboardInterrupt
        return original(trainer, *arguments)

    return finish


def test_new_weights_are_not_stored_beside_the_figures_of_old_ones(trained: Path) -> None:
    assert run("evaluate", "tiny", "--no-reference", "--threads", "1") == 0
    write_metrics(trained, {"placement": {}})
    (trained / "reference.npz").touch()
    assert train("--overwrite", "--fresh", "--seed", "1") == 0
    assert {path.name for path in trained.iterdir()} == {
        "config.json",
        "model.safetensors",
        "metrics.json",
        "README.md",
        MARKER_FILE,
    }
    assert list(read_metrics(trained)) == ["training"]
    assert f"{BEGIN}\n{END}" in (trained / "README.md").read_text(encoding="utf-8")


def test_one_training_at_a_time_has_a_run_folder(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(Path("runs/tiny"))
    with held_run_folder(Path("runs/tiny"), fresh=False):
        line = refused(capsys, train("--overwrite", "--fresh"))
    assert "runs/tiny is in use by another training" in line
    assert contents(Path("runs/tiny")) == before
    assert train("--overwrite", "--fresh") == 0


def test_weights_may_be_read_by_whoever_may_read_their_card(trained: Path) -> None:
    assert len({path.stat().st_mode for path in trained.iterdir()}) == 1


def test_figures_of_weights_that_were_replaced_meanwhile_are_not_stored(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure = runs.measure

    def train_meanwhile(*arguments: Any, **options: Any) -> Any:
        assert train("--overwrite", "--fresh", "--seed", "1") == 0
        return measure(*arguments, **options)

    monkeypatch.setattr(runs, "measure", train_meanwhile)
    assert run("evaluate", "tiny", "--no-reference", "--threads", "1") == 2
    assert "tiny was trained anew while it was measured; run evaluate again" in capsys.readouterr().err
    assert list(read_metrics(trained)) == ["training"]


def test_fresh_forgets_the_earlier_run(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--overwrite", "--fresh") == 0
    assert "going on" not in capsys.readouterr().out


def test_a_folder_of_pictures_can_be_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = picture_folder(tmp_path / "pictures", 12)
    assert train("--image-size", "8", "--grey", "--autoencoder", dataset=str(folder)) == 0
    model = network_of("tiny")
    assert model.config.image_shape == (1, 8, 8)
    assert not model.config.variational
    card = Path("models/tiny/README.md").read_text(encoding="utf-8")
    assert "plain autoencoder" in card
    assert "A folder of pictures." in card


def picture_folder(folder: Path, count: int) -> Path:
    folder.mkdir()
    generator = np.random.default_rng(0)
    for index in range(count):
        pixels = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


# --- evaluate ------------------------------------------------------------------------------------------------


def test_figures_are_those_of_the_stored_model_on_the_test_images(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("evaluate", "tiny", "--no-reference", "--threads", "1") == 0
    model, images = network_of("tiny"), load_dataset("digits", "test").images
    expected = evaluate_elbo(model, model_input(images, model.config.training, seed=0), seed=0).metrics()
    metrics = read_metrics(trained)
    assert metrics["test"] == {**expected, "seed": 0, "pixels": "cross-entropy on grey pixels"}
    assert "seconds" in metrics["training"], "what training wrote stays"
    assert not (trained / "reference.npz").exists()
    card = (trained / "README.md").read_text(encoding="utf-8")
    assert f"| reconstruction, nats | {expected['reconstruction']:.2f} |" in card
    assert f"{expected['negative_elbo']:.2f} nats = " in capsys.readouterr().out


def test_a_plain_autoencoder_has_reconstruction_and_no_elbo(capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--autoencoder") == 0
    capsys.readouterr()
    assert run("evaluate", "tiny", "--no-reference", "--threads", "1") == 0
    test, shown = read_metrics(Path("models/tiny"))["test"], capsys.readouterr().out
    assert shown.startswith(f"tiny: {test['reconstruction']:.2f} nats of reconstruction on {test['images']} test ")
    assert run("models") == 0
    listed = capsys.readouterr().out
    assert f"{test['reconstruction']:.2f}" in listed
    card = Path("models/tiny/README.md").read_text(encoding="utf-8")
    error = f"{test['reconstruction']:.2f} ± {test['negative_elbo_standard_error']:.2f}"
    assert f"| reconstruction, nats | {error} |\n| PSNR" in card, "and neither KL nor active units"
    assert f"On the {test['images']} test images, seed 0; cross-entropy on grey pixels." in card
    assert not any("ELBO" in text or "KL" in text for text in (shown, card))
    assert listed.splitlines()[1].split()[6] == "-", "no KL"


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_evaluating_builds_the_reference_set_and_measures_placement(trained: Path) -> None:
    assert run("evaluate", "tiny", "--threads", "1") == 0
    reference, test = Reference.load(trained / "reference.npz"), load_dataset("digits", "test")
    model = network_of("tiny")
    with torch.inference_mode():
        means = model.encode(test.images.float() / 255).mean.numpy()
    np.testing.assert_allclose(reference.means[: len(test)], means, rtol=1e-3, atol=1e-5)  # half precision
    assert np.array_equal(reference.labels[: len(test)], test.labels.numpy())
    assert reference.label_names == test.label_names
    metrics = read_metrics(trained)
    assert reference.reconstruction[: len(test)].mean() == pytest.approx(metrics["test"]["reconstruction"], rel=1e-5)
    placement = metrics["placement"]
    assert placement["codes"] == len(load_dataset("digits", "validation"))
    assert 0 <= placement["distance_median_percent"] < 25
    assert 0 < placement["neighbours_kept"] <= 1
    assert metrics["quality"]["images"] == len(test)
    assert 0 < metrics["probe"]["accuracy"] <= 1
    assert metrics["samples"]["images"] == len(test)
    assert "likelihood" not in metrics, "grey pixels have none"
    assert "disentanglement" not in metrics, "digits have no factors"
    card = (trained / "README.md").read_text(encoding="utf-8")
    for shown in ("placement of", "PSNR of reconstructions", "linear probe, 550 labels", "Fréchet distance"):
        assert shown in card
    assert reference.held_out.sum() == len(test)
    assert len(reference) == len(test) + len(load_dataset("digits", "train")), "filled up with training images"
    assert draw_codes(reference.mixture, 3, torch.Generator().manual_seed(0)).shape == (3, 2)


def test_too_few_test_images_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = picture_folder(tmp_path / "pictures", 12)
    assert train("--image-size", "8", dataset=str(folder)) == 0
    capsys.readouterr()
    line = refused(capsys, run("evaluate", "tiny", "--threads", "1"))
    [held_out] = re.findall(rf"at least {REFERENCE_MINIMUM} held-out images, got (\d+)", line)
    assert "test" not in read_metrics(Path("models/tiny"))
    assert run("evaluate", "tiny", "--threads", "1", "--no-reference") == 0
    assert read_metrics(Path("models/tiny"))["test"]["images"] == int(held_out)


def test_a_model_that_was_never_trained_is_refused(models_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no training part" in refused(capsys, run("evaluate", "tiny"))


# --- shipped models ------------------------------------------------------------------------------------------


@pytest.fixture
def shipped(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a model named "comes-with-it" that comes with the program."""
    monkeypatch.setattr(locations, "SHIPPED", tmp_path / "shipped")
    shutil.copytree(trained, tmp_path / "shipped" / "comes-with-it")
    return tmp_path / "shipped" / "comes-with-it"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_model_of_one_s_own_does_not_take_a_shipped_one_s_name(
    shipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(shipped)
    line = refused(capsys, train("--overwrite", name="comes-with-it"))
    assert "comes-with-it is the name of a model that comes with the program; choose another --name" in line
    assert f"--models-dir {shipped.parent}" in line
    assert list_models() == ["comes-with-it", "tiny"]
    assert contents(shipped) == before
    assert train("--overwrite", "--seed", "1", "--models-dir", str(shipped.parent), name="comes-with-it") == 0
    assert contents(shipped)["model.safetensors"] != before["model.safetensors"]


def test_without_a_folder_a_model_is_stored_in_the_person_s_own(shipped: Path) -> None:
    before = contents(shipped)
    assert run("train", "--dataset", "digits", "--name", "own", "--epochs", "1", *TINY) == 0
    assert Path("models/own/model.safetensors").is_file()
    assert contents(shipped) == before


def test_a_shipped_model_is_measured_and_left_as_it_is(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(shipped)
    measuring = ("evaluate", "comes-with-it", "--no-reference", "--threads", "1")
    assert run(*measuring) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("comes-with-it: ")
    assert " nats = " in first
    assert f"left as it is; --models-dir {shipped.parent} stores this" in second
    assert contents(shipped) == before
    assert run(*measuring, "--models-dir", str(shipped.parent)) == 0
    assert "test" in read_metrics(shipped)


def test_training_all_stores_beside_the_shipped_models(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vae_core.cli.main.run_evaluate", lambda _options: None)
    tiny = read_config(shipped / "config.json")
    monkeypatch.setitem(PRESETS, "new", Preset("new", "A new one.", tiny))
    assert run("train-all", "--only", "new", "--threads", "1") == 0
    assert (shipped.parent / "new" / "model.safetensors").is_file()


def test_the_places_are_told(own_places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("places") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("VAE_")[0].strip() for line in lines[:2]] == ["own models", "runs"]
    assert lines[0].endswith(f"VAE_MODELS_DIR       {Path.cwd() / 'models'}")
    assert any(line.endswith(str(own_places / "vae_cache_dir")) for line in lines)
    assert lines[4].endswith("VAE_DATA_DIR         none")


# --- models --------------------------------------------------------------------------------------------------


def test_models_are_listed_with_their_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_config: ModelConfig
) -> None:
    root = tmp_path / "models"
    plain = replace(tiny_config, variational=False, training=TrainingConfig("digits"))
    save_model(VAE(plain), root / "plain")
    save_model(VAE(tiny_config), root / "tiny")
    figures = {"test": {"negative_elbo": 12.345, "kl": 0.0, "active_units": 3}, "quality": {"psnr": 20.004}}
    (root / "plain" / "metrics.json").write_text(json.dumps(figures), encoding="utf-8")
    assert run("models") == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["plain", "mlp", "AE", "3", "1x8x8", "12.35", "-", "3", "20.00", "-", "-", "digits"],
        ["tiny", "mlp", "VAE", "3", "1x8x8", "-", "-", "-", "-", "-", "-", "-"],
    ]
    assert run("models", "--markdown") == 0
    head, rule, first, second = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == first.count("|") == second.count("|")
    assert first.startswith("| [plain](pretrained/plain/README.md) | mlp AE | 3 | 1x8x8 | 12.35 | - | 3 | 20.00 |")


def test_a_damaged_model_does_not_hide_the_others(
    models_dir: Path, capsys: pytest.CaptureFixture[str], tiny_model: VAE
) -> None:
    for name in ("a-broken", "b-broken"):
        save_model(tiny_model, models_dir / name)
    (models_dir / "a-broken" / "config.json").write_text("{", encoding="utf-8")
    (models_dir / "b-broken" / "metrics.json").write_text("{", encoding="utf-8")
    assert run("models") == 0
    _, first, second, third = capsys.readouterr().out.splitlines()
    assert str(models_dir / "a-broken" / "config.json") in first
    assert str(models_dir / "b-broken" / "metrics.json") in second
    assert third.split()[0] == "tiny"


# What a hand may write into metrics.json, and what the table then says.
BY_HAND: dict[str, tuple[str, str]] = {
    "not JSON": ("{", "is not JSON"),
    "not text": ("\udcff", "is not JSON"),
    "nothing but brackets": ("[" * 100_000, "is not JSON"),
    "no object": ("[" + "1, " * 1000 + "1]", "must hold one JSON object, got [1, 1, 1, 1, 1, 1, ...]"),
    "sections missing": ("{}", " - "),
    "a section that is none": ('{"test": 3, "quality": null, "probe": [1]}', " - "),
    "figures that are no numbers": ('{"test": {"negative_elbo": "12", "kl": [], "active_units": true}}', " - "),
    "figures that are not finite": ('{"test": {"negative_elbo": NaN, "kl": Infinity, "active_units": 1e999}}', " - "),
    "a figure beyond all": ('{"test": {"negative_elbo": 1' + "0" * 400 + "}}", " - "),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_figures_that_were_edited_by_hand_are_blank_or_a_sentence(
    models_dir: Path, capsys: pytest.CaptureFixture[str], tiny_model: VAE, case: str
) -> None:
    content, said = BY_HAND[case]
    save_model(tiny_model, models_dir / "edited")
    (models_dir / "edited" / "metrics.json").write_bytes(content.encode(errors="surrogateescape"))
    assert run("models") == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert said in first
    assert second.split()[0] == "tiny"
    if said == " - ":
        assert first.split()[5:] == ["-"] * 7
        assert run("models", "--markdown") == 0
        assert "| - | - | - | - | - | - |" in capsys.readouterr().out
    else:
        assert len(first) < 300
        assert "delete it and run evaluate." in first
        assert said in refused(capsys, run("models", "--markdown"))


def test_a_model_in_a_folder_of_another_name_is_told_and_not_listed(
    models_dir: Path, capsys: pytest.CaptureFixture[str], tiny_model: VAE
) -> None:
    for name in ("Mixed_Case", "my model", ".hidden"):
        save_model(tiny_model, models_dir / name)
    (models_dir / "Notes").mkdir()
    assert run("models") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" is passed over")[0].strip() for line in lines[-2:]] == ["Mixed_Case", "my model"]
    assert "a model's name has 1 to 64 of a-z" in lines[-1]
    assert not any("hidden" in line or "Notes" in line for line in lines)


def test_figures_that_cannot_be_read_do_not_hide_the_other_models(
    models_dir: Path, capsys: pytest.CaptureFixture[str], tiny_model: VAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(tiny_model, models_dir / "locked")
    (models_dir / "locked" / "metrics.json").write_text("{}")
    original = Path.open

    def opened(path: Path, *mode: str, **options: object) -> object:
        if path.name == "metrics.json":
            raise PermissionError(13, "Permission denied")
        return original(path, *mode, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", opened)
    assert run("models") == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert "cannot be read (Permission denied)" in first
    assert second.split()[0] == "tiny"


# --- trouble -------------------------------------------------------------------------------------------------


def test_the_module_can_be_run() -> None:
    root = Path(vae_core.__file__).parent.parent
    command = [sys.executable, "-m", "vae_core"]
    helped = subprocess.run([*command, "--help"], cwd=root, capture_output=True, text=True, check=True)
    assert helped.stderr == ""
    for name in ("train", "train-all", "evaluate", "models"):
        assert name in helped.stdout
    wrong = subprocess.run([*command, "paint"], cwd=root, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["train", "train-all", "evaluate", "models"])
def test_every_command_explains_its_options(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert run(command, "--help") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "--threads" in shown.out


USAGE: dict[str, tuple[tuple[str, ...], str]] = {
    "no command": ((), "required"),
    "unknown command": (("paint",), "paint"),
    "unknown option": (("models", "--colour"), "--colour"),
    "unknown choice": (("train", "--dataset", "digits", "--name", "x", "--architecture", "gan"), "gan"),
    "no number": (("train", "--dataset", "digits", "--name", "x", "--epochs", "many"), "many"),
    "no widths": (("train", "--dataset", "digits", "--name", "x", "--widths", "8;8"), "8;8"),
    "no threads": (("models", "--threads", "0"), "--threads"),
    "minus one thread": (("models", "--threads", "-1"), "--threads"),
    "no model named": (("evaluate",), "NAME"),
}


@pytest.mark.parametrize("case", USAGE)
def test_a_command_that_cannot_be_understood_is_one_line(capsys: pytest.CaptureFixture[str], case: str) -> None:
    arguments, said = USAGE[case]
    line = refused(capsys, run(*arguments))
    assert said in line
    assert "--help" in line


SETTINGS: dict[str, tuple[tuple[str, ...], str]] = {
    "no epochs": (("--epochs", "0"), "epochs must be a whole number of at least 1, got 0"),
    "no step": (("--learning-rate", "0"), "learning_rate must be a finite number above 0"),
    "a step that is no number": (("--learning-rate", "nan"), "learning_rate"),
    "a beta that is no number": (("--beta", "nan"), "beta must be a finite number of at least 0, got nan"),
    "a width of zero": (("--widths", "8,0"), "widths.1 must be"),
    "too deep": (("--architecture", "conv", "--widths", "4,4,4"), "multiples of 8"),
    "no latent dimension": (("--latent-dim", "0"), "latent_dim must be a whole number from 1 to 256"),
    "a negative seed": (("--seed", "-1"), "seed must be"),
    "a seed beyond 64 bits": (("--seed", "18446744073709551616"), "seed must be"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_setting_that_breaks_a_rule_is_one_line(capsys: pytest.CaptureFixture[str], case: str) -> None:
    options, said = SETTINGS[case]
    assert said in refused(capsys, train(*options))
    assert list_models() == []


@pytest.mark.parametrize("dataset", ["nosuch", "", "a/b", "\0", "x" * 5000])
def test_an_unknown_data_set_is_one_line(capsys: pytest.CaptureFixture[str], dataset: str) -> None:
    line = refused(capsys, train(dataset=dataset))
    assert "mnist" in line
    assert "digits" in line


@pytest.mark.parametrize("name", ["../x", "..", "a/b", "", "Capital", "x" * 65])
def test_a_bad_name_is_one_line_and_makes_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert "a model's name has" in refused(capsys, train(name=name))
    assert "a model's name has" in refused(capsys, run("evaluate", name))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no model named 'tiny'; the stored models are: none yet" in refused(capsys, run("evaluate", "tiny"))


@pytest.mark.parametrize("option", ["--models-dir", "--run-dir"])
def test_a_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    (tmp_path / "file").touch()
    line = refused(capsys, train(option, str(tmp_path / "file")))
    assert str(tmp_path / "file") in line
    assert "cannot be written" in line


def test_figures_that_cannot_be_written_are_one_line(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (trained / "README.md").unlink()
    (trained / "README.md").mkdir()
    assert run("evaluate", "tiny", "--no-reference", "--threads", "1") == 2
    *steps, line = capsys.readouterr().err.splitlines()
    assert steps == ["tiny: quality", "tiny: probe"]
    assert line.startswith("vae_core evaluate: ")
    assert "README.md" in line


def test_a_stored_model_is_not_replaced_unasked(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    line = refused(capsys, train())
    assert "holds a model already" in line
    assert "--overwrite" in line
    assert {path.name: path.read_bytes() for path in trained.iterdir()} == before
    assert train("--overwrite") == 0


def test_a_run_of_other_settings_is_not_gone_on_with(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, train("--overwrite", "--seed", "1"))
    assert "other settings" in line
    assert CHECKPOINT_FILE in line


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--optimizer", "sgd", "--learning-rate", "1e30", "--lr-warmup-steps", "0")
    assert train(*options) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("vae_core train: the loss became ")
    assert list_models() == []


# --- the card ------------------------------------------------------------------------------------------------

MEASURED = {
    "test": {
        "images": 1234,
        "negative_elbo": 100.125,
        "negative_elbo_standard_error": 0.25,
        "reconstruction": 80.0,
        "kl": 20.125,
        "kl_per_dimension": [20.0, 0.125],
        "active_units": 1,
        "seed": 0,
        "pixels": "cross-entropy on grey pixels",
    }
}


def test_the_card_s_figures_are_replaced_and_all_else_stays(tmp_path: Path) -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter \\1\n"
    for _ in range(2):
        text = with_metrics(text, tmp_path, MEASURED, ModelConfig())
    assert text.startswith(f"before\n{BEGIN}\nOn the 1,234 test images, ")
    assert text.endswith(f"{END}\nafter \\1\n")
    assert "| -ELBO, nats | 100.12 ± 0.25 |\n" in text
    assert "| active units | 1 of 2 |\n" in text
    assert "old" not in text
    assert text.count(BEGIN) == 1


def test_a_model_without_a_card_gets_one_with_its_figures(tmp_path: Path) -> None:
    text = with_metrics(card_text(tmp_path), tmp_path, MEASURED, ModelConfig())
    assert text.startswith(f"# {tmp_path.name}\n\n{BEGIN}\nOn the 1,234 test images, ")


def test_a_card_without_a_place_for_figures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no place for figures"):
        with_metrics("by hand", tmp_path, MEASURED, ModelConfig())


def test_a_card_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"\xff")
    with pytest.raises(ModelError, match="cannot be read as text"):
        card_text(tmp_path)


def test_tests_of_this_file_leave_the_project_s_folders_alone() -> None:
    assert Path.cwd() != Path(vae_core.__file__).parent.parent
    assert os.environ["VAE_MODELS_DIR"] == str(Path.cwd() / "models")
