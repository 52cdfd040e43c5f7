"""No command removes or writes over what the program did not write."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file
from torch import zeros

from vae_core.cli.main import main
from vae_core.runtime.ownership import MARKER_FILE
from vae_core.store.stored_models import list_models
from vae_core.training.run_state import CHECKPOINT_FILE

TINY = ("--architecture", "mlp", "--widths", "8", "--latent-dim", "2", "--epochs", "1", "--threads", "1", "--grey")

Train = Callable[..., tuple[int, str]]


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_shipped: None) -> Path:
    """A person's pictures, in data/cats below the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "cats"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for index in range(20):
        Image.fromarray(generator.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def train(pictures: Path, capsys: pytest.CaptureFixture[str]) -> Train:
    """Trains on the pictures; returns the exit code and what was said."""

    def train(*options: str, name: str = "cats") -> tuple[int, str]:
        given = ("--dataset", "data/cats", "--image-size", "8", "--name", name, "--models-dir", "models")
        code = main(["train", *given, *TINY, *options])
        return code, "".join(capsys.readouterr())

    return train


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- runs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fresh", [(), ("--fresh",)], ids=["resumed", "fresh"])
def test_a_person_s_pictures_are_no_run_folder(pictures: Path, train: Train, fresh: tuple[str, ...]) -> None:
    before = contents(pictures)
    code, said = train("--run-dir", "data", *fresh)
    assert code == 2
    assert "data/cats holds files that are not of a training run, and they are left as they are" in said
    assert "choose another --run-dir or --name" in said
    assert contents(pictures) == before
    assert list_models(Path("models")) == []


def test_fresh_removes_what_a_run_wrote_and_nothing_else(train: Train) -> None:
    assert train("--run-dir", "runs")[0] == 0
    run = Path("runs/cats")
    (run / "notes.txt").write_text("mine")
    (run / "plots").mkdir()
    code, said = train("--run-dir", "runs", "--fresh", "--overwrite", "--seed", "1")
    assert code == 0, said
    assert "going on" not in said
    written = {MARKER_FILE, ".lock", CHECKPOINT_FILE, "pictures.json"}
    assert {path.name for path in run.iterdir()} == {*written, "notes.txt", "plots"}
    assert (run / "notes.txt").read_text() == "mine"


def test_a_run_of_before_there_were_markers_goes_on(train: Train) -> None:
    assert train("--run-dir", "runs")[0] == 0
    for name in (MARKER_FILE, ".lock", "pictures.json"):
        (Path("runs/cats") / name).unlink()
    code, said = train("--run-dir", "runs", "--overwrite")
    assert code == 0
    assert "going on after epoch 1" in said
    assert (Path("runs/cats") / MARKER_FILE).is_file()


def test_weights_of_another_program_are_no_checkpoint(train: Train) -> None:
    run = Path("runs/cats")
    run.mkdir(parents=True)
    save_file({"a": zeros(1)}, run / CHECKPOINT_FILE, metadata={"format": "pt"})
    before = contents(run)
    code, said = train("--run-dir", "runs", "--fresh")
    assert code == 2
    assert "not of a training run" in said
    assert contents(run) == before


def test_a_model_and_its_run_do_not_share_a_folder(train: Train) -> None:
    code, said = train("--run-dir", "models")
    assert code == 2
    assert "have a folder each" in said
    assert not Path("models").exists()


# --- models --------------------------------------------------------------------------------------------------

OTHERS: dict[str, dict[str, str]] = {
    "a diary": {"README.md": "my diary", "metrics.json": '{"mine": 1}'},
    "another program's model": {
        "config.json": '{"model_type": "bert"}',
        "model.safetensors": "weights",
        "README.md": "",
    },
    "a configuration alone": {"config.json": "{}"},
    "a hidden file": {".gitkeep": ""},
    "pictures": {"0.png": "pixels"},
}


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)], ids=["", "overwrite"])
@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_model_of_ours_is_not_replaced_by_one(train: Train, case: str, overwrite: tuple[str, ...]) -> None:
    folder = Path("notes")
    folder.mkdir()
    for name, text in OTHERS[case].items():
        (folder / name).write_text(text)
    before = contents(folder)
    code, said = train("--models-dir", ".", *overwrite, name="notes")
    assert code == 2
    assert "notes holds files that are not a model of this program, and they are left as they are" in said
    assert contents(folder) == before
    assert list(Path().glob(".notes*")) == []


def test_a_file_in_place_of_the_folder_is_left(train: Train) -> None:
    Path("notes").write_text("mine")
    assert train("--models-dir", ".", "--overwrite", name="notes")[0] == 2
    assert Path("notes").read_text() == "mine"


def test_an_empty_folder_becomes_a_model(train: Train) -> None:
    Path("models/cats").mkdir(parents=True)
    assert train()[0] == 0
    assert list_models(Path("models")) == ["cats"]


def test_a_model_of_before_there_were_markers_is_replaced(train: Train) -> None:
    assert train()[0] == 0
    (Path("models/cats") / MARKER_FILE).unlink()
    (Path("models/cats") / "notes.txt").write_text("mine")
    assert train("--overwrite")[0] == 0
    assert json.loads((Path("models/cats") / MARKER_FILE).read_text()) == {"kind": "model", "format": 1}
    assert (Path("models/cats") / "notes.txt").read_text() == "mine"


def test_a_damaged_model_of_ours_is_replaced_by_its_marker(train: Train) -> None:
    assert train()[0] == 0
    (Path("models/cats") / "config.json").write_text("{")
    assert train("--overwrite")[0] == 0
    assert list_models(Path("models")) == ["cats"]


def test_what_somebody_put_beside_a_model_outlasts_training_and_evaluation(train: Train) -> None:
    assert train()[0] == 0
    (Path("models/cats") / "notes.txt").write_text("mine")
    assert main(["evaluate", "cats", "--models-dir", "models", "--no-reference", "--threads", "1"]) == 0
    assert train("--overwrite", "--fresh")[0] == 0
    assert (Path("models/cats") / "notes.txt").read_text() == "mine"
