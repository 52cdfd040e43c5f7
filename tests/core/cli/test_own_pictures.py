"""A maker's own pictures: which of them a run and a model have seen, where they are, and what is told of them."""

import dataclasses
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vae_core.cli.main import main
from vae_core.datasets.folders import BY_POSITION
from vae_core.datasets.own_sets import OwnSet, own_sets
from vae_core.models.config_file import read_config
from vae_core.runtime.strict_json import config_to_json
from vae_core.store.metrics_file import read_metrics
from vae_core.store.training_record import seen_pictures
from vae_core.training.run_state import CHECKPOINT_FILE

SMALL = ("--architecture", "mlp", "--widths", "8", "--latent-dim", "2", "--epochs", "1", "--threads", "1", "--grey")
PICTURES = 120

Command = Callable[..., tuple[int, str]]


def save_noise(path: Path, seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)).save(path)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_shipped: None) -> Path:
    """A folder "pics" of pictures below the folder that commands run in, and models beside it that are looked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_MODELS_DIR", str(tmp_path / "models"))
    folder = tmp_path / "pics"
    folder.mkdir()
    for number in range(PICTURES):
        save_noise(folder / f"{number:03}.png", seed=number)
    return folder


@pytest.fixture
def command(pictures: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command; returns the exit code and what was said."""

    def command(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        return main(list(words)), "".join(capsys.readouterr())

    return command


@pytest.fixture
def train(command: Command) -> Command:
    """Trains the model "m" on the pictures."""
    return lambda *more: command("train", "--dataset", "pics", "--image-size", "8", "--name", "m", *SMALL, *more)


@pytest.fixture
def evaluate(command: Command) -> Command:
    return lambda *more: command("evaluate", "m", "--no-reference", "--threads", "1", *more)


def weights() -> bytes:
    return Path("models/m/model.safetensors").read_bytes()


# --- other pictures than a run began with --------------------------------------------------------------------


def test_other_pictures_are_not_trained_on_by_a_run_that_began_with_these(pictures: Path, train: Command) -> None:
    assert train()[0] == 0
    before = weights()
    for path in pictures.iterdir():
        path.unlink()
    for number in range(80):
        save_noise(pictures / f"{number:03}.png", seed=1000 + number)
    code, said = train("--overwrite")
    assert code == 2
    assert "was begun with other pictures than there are now: " in said
    assert "Give --fresh to begin anew, or another --name" in said
    assert weights() == before
    assert train("--overwrite", "--fresh")[0] == 0
    assert weights() != before


def test_what_has_changed_is_counted(pictures: Path, train: Command) -> None:
    assert train()[0] == 0
    seen = sorted(json.loads(Path(_run_folder(), "pictures.json").read_text())["files"])
    (pictures / seen[0]).unlink()
    first = (pictures / seen[1]).read_bytes()
    (pictures / seen[2]).write_bytes(first)  # a copy of another picture, so in the same part
    (pictures / "new.png").write_bytes((pictures / seen[3]).read_bytes())
    code, said = train("--overwrite")
    assert code == 2
    assert "other pictures than there are now: 1 added, 1 removed, 1 changed." in said


def _run_folder() -> Path:
    [checkpoint] = Path().rglob(CHECKPOINT_FILE)
    return checkpoint.parent


def test_a_picture_that_the_run_never_saw_may_come_and_go(pictures: Path, train: Command) -> None:
    assert train()[0] == 0
    seen = json.loads(Path(_run_folder(), "pictures.json").read_text())["files"]
    unseen = next(path for path in pictures.iterdir() if path.name not in seen)
    unseen.unlink()
    code, said = train("--overwrite")
    assert code == 0
    assert "going on after epoch 1" in said


def test_a_run_that_did_not_finish_an_epoch_has_seen_nothing_yet(
    pictures: Path, train: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vae_core.training.trainer.Trainer._finish_epoch", stop)
        assert train()[0] == 130
    save_noise(pictures / "new.png", seed=5000)
    assert train()[0] == 0


def test_another_archive_of_a_named_set_is_another_set_of_pictures(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store(seed: int) -> None:
        generator = np.random.default_rng(seed)
        arrays = {f"x_{part}": generator.integers(0, 256, (5_010, 28, 28), np.uint8) for part in ("train", "test")}
        arrays |= {f"y_{part}": np.zeros(5_010, np.uint8) for part in ("train", "test")}
        np.savez(tmp_path / "mnist.npz", label_names=np.array(["0"]), **arrays)

    given = [word for word in SMALL if word != "--grey"]
    train = ("train", "--dataset", "mnist", "--name", "m", "--data-dir", str(tmp_path), *given)
    store(1)
    assert command(*train)[0] == 0
    store(2)
    code, said = command(*train, "--overwrite")
    assert code == 2
    assert "was begun with other pictures than there are now. Give --fresh" in said


# --- a folder that grows -------------------------------------------------------------------------------------


def test_a_model_of_a_folder_that_has_grown_is_tested_on_nothing_that_it_was_trained_on(
    pictures: Path, train: Command, evaluate: Command
) -> None:
    assert train()[0] == 0
    trained_on = json.loads(Path(_run_folder(), "pictures.json").read_text())["files"]
    for number in range(100):
        save_noise(pictures / f"00{number}a.png", seed=3000 + number)
    code, said = evaluate()
    assert code == 0
    assert "'pics' has changed since the training" in said
    assert "none that it was trained on is tested on" in said
    seen, images = seen_pictures(Path("models/m")), read_metrics(Path("models/m"))["test"]["images"]
    assert seen.images["test"] == images
    assert seen.images["train"] + seen.images["validation"] == len(trained_on)
    assert images > PICTURES - len(trained_on), "some of the new ones are tested on"


def test_of_so_few_pictures_that_the_split_was_bent_none_may_come_or_go(
    pictures: Path, train: Command, evaluate: Command
) -> None:
    for path in sorted(pictures.iterdir())[3:]:
        path.unlink()
    assert train()[0] == 0
    assert evaluate()[0] == 0
    assert seen_pictures(Path("models/m")).shifted
    for number in range(50):
        save_noise(pictures / f"new {number}.png", seed=4000 + number)
    code, said = evaluate()
    assert code == 2
    assert "the pictures of 'pics' must be those that m was trained on" in said
    assert "put them back as they were, or train it anew" in said


# --- where the pictures are ----------------------------------------------------------------------------------


def test_a_model_names_its_data_set_by_an_id(pictures: Path, train: Command) -> None:
    code, said = train()
    assert code == 0
    assert "pics is the data set 'pics'" in said
    assert read_config(Path("models/m/config.json")).training.dataset == "pics"
    assert own_sets() == {"pics": OwnSet(str(pictures))}


def test_an_id_may_be_chosen(pictures: Path, train: Command) -> None:
    assert train("--dataset-id", "noise")[0] == 0
    assert read_config(Path("models/m/config.json")).training.dataset == "noise"
    assert own_sets() == {"noise": OwnSet(str(pictures))}


def test_an_id_is_for_folders_alone(command: Command) -> None:
    code, said = command("train", "--dataset", "digits", "--name", "m", "--dataset-id", "x")
    assert code == 2
    assert "--dataset-id is for folders of images, got 'x' for digits" in said


def test_a_setting_that_breaks_a_rule_registers_nothing(train: Command) -> None:
    assert train("--latent-dim", "0")[0] == 2
    assert own_sets() == {}


def test_a_registered_folder_is_trained_on_by_its_id(
    train: Command, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train()[0] == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert command("train", "--dataset", "pics", "--image-size", "8", "--name", "n", *SMALL)[0] == 0
    assert (tmp_path / "models/n/model.safetensors").read_bytes() == (
        tmp_path / "models/m/model.safetensors"
    ).read_bytes()


def test_a_model_of_a_folder_is_evaluated_from_anywhere(
    train: Command, evaluate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train()[0] == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert evaluate()[0] == 0


def test_evaluate_is_told_where_a_folder_is_that_was_moved(pictures: Path, train: Command, evaluate: Command) -> None:
    assert train()[0] == 0
    moved = pictures.rename(pictures.with_name("moved"))
    code, said = evaluate()
    assert code == 2
    assert f"the folder {pictures} of the data set 'pics' must exist; give --dataset FOLDER" in said
    assert evaluate("--dataset", "moved")[0] == 0
    assert own_sets() == {"pics": OwnSet(str(moved))}
    assert evaluate()[0] == 0


def test_a_folder_that_is_not_known_here_is_asked_for(
    train: Command, evaluate: Command, own_places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train()[0] == 0
    monkeypatch.setenv("VAE_EXPLORER_HOME", str(own_places / "another machine"))
    code, said = evaluate()
    assert code == 2
    assert "m was trained on a folder of images that this machine does not know; give --dataset FOLDER" in said
    assert evaluate("--dataset", "nowhere")[0] == 2
    assert evaluate("--dataset", "pics")[0] == 0


def test_a_named_set_has_no_folder(command: Command, evaluate: Command) -> None:
    given = [word for word in SMALL if word != "--grey"]
    assert command("train", "--dataset", "digits", "--name", "m", *given)[0] == 0
    code, said = evaluate("--dataset", "pics")
    assert code == 2
    assert "m was trained on digits" in said


# --- models of version 0.1 -----------------------------------------------------------------------------------


@pytest.fixture
def old(pictures: Path, train: Command) -> Path:
    """The model as version 0.1 stored it: it names the path, and says nothing of what it has seen."""
    assert train()[0] == 0
    folder = Path("models/m")
    config = read_config(folder / "config.json")
    named = dataclasses.replace(config, training=dataclasses.replace(config.training, dataset=str(pictures)))
    (folder / "config.json").write_text(config_to_json(named))
    metrics = read_metrics(folder)
    del metrics["training"]["pictures"]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    for path in Path().rglob("datasets.json"):
        path.unlink()
    return folder


def test_a_path_in_a_model_is_not_followed(old: Path, evaluate: Command) -> None:
    code, said = evaluate()
    assert code == 2
    assert "m was trained on a folder of images that this machine does not know; give --dataset FOLDER" in said


def test_the_owner_s_old_model_is_measured_by_the_rule_that_it_was_trained_by(
    old: Path, pictures: Path, evaluate: Command
) -> None:
    assert evaluate("--dataset", "pics")[0] == 0
    assert own_sets() == {"pics": OwnSet(str(pictures), BY_POSITION)}
    assert read_config(old / "config.json").training.dataset == "pics"
    assert seen_pictures(old).split_rule == BY_POSITION
    assert read_metrics(old)["test"]["images"] == PICTURES // 10
    assert evaluate()[0] == 0
    save_noise(pictures / "new.png", seed=7000)
    code, said = evaluate()
    assert code == 2, "by that rule one picture moves many"
    assert "must be those that m was trained on" in said


# --- what is told to others ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "folders",
    [
        ("--models-dir", "MODELS", "--run-dir", "RUNS", "--data-dir", "DATA", "--dataset", "PICS"),
        ("--models-dir=MODELS", "--run-dir=RUNS", "--data-dir=DATA", "--dataset=PICS"),
        ("--models", "MODELS", "--run", "RUNS", "--data-d", "DATA", "--dataset", "PICS"),
    ],
    ids=["apart", "joined", "abbreviated"],
)
def test_no_path_of_the_machine_is_in_what_is_stored(
    pictures: Path, tmp_path: Path, command: Command, folders: tuple[str, ...]
) -> None:
    places = {"MODELS": tmp_path / "models", "RUNS": tmp_path / "r", "DATA": tmp_path, "PICS": pictures}
    words = []
    for word in folders:
        for place, path in places.items():
            word = word.replace(place, str(path))
        words.append(word)
    assert command("train", "--name", "m", "--image-size", "8", *SMALL, *words)[0] == 0
    assert command("evaluate", "m", "--no-reference", "--threads", "1", f"--data-dir={tmp_path}")[0] == 0
    for name in ("README.md", "config.json", "metrics.json", "model.safetensors"):
        content = (tmp_path / "models" / "m" / name).read_bytes()
        assert str(tmp_path).encode() not in content
        assert b"/pics" not in content


@pytest.mark.parametrize(
    "given",
    [(), ("--models-dir", "somewhere/my models"), ("--models-dir", "models"), ("--data-dir", ".")],
    ids=["own", "another", "own, named", "data"],
)
def test_the_command_that_is_told_next_works(train: Command, command: Command, given: tuple[str, ...]) -> None:
    code, said = train(*given)
    assert code == 0
    hint = shlex.split(said.rpartition("; next: ")[2])
    assert hint[:4] == ["python", "-m", "vae_core", "evaluate"]
    code, said = command(*hint[3:], "--no-reference", "--threads", "1")
    assert code == 0, said
