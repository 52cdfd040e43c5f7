"""train and evaluate, killed: what is stored afterwards is the old model or the new one, whole, and nothing is lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.core.cli import killed
from vae_core.cli.main import main
from vae_core.evaluation import runs

ROOT = Path(__file__).resolve().parents[3]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model "m" that was trained and evaluated."""
    monkeypatch.setenv("VAE_MODELS_DIR", str(tmp_path / "before"))
    monkeypatch.setattr(runs, "measure", killed.measured)
    assert main(list(killed.TRAIN)) == 0
    assert main(list(killed.EVALUATE)) == 0
    return tmp_path


def kill(folder: Path, command: str, how: str) -> list[dict[str, Any]]:
    """What was found after each kill."""
    arguments = [sys.executable, "-m", "tests.core.cli.killed", str(folder), command, how]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def old_and_new(
    found: list[dict[str, Any]], *, old: dict[str, Any], new: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those found that are the old model and those that are the new one; each of them is one or the other."""
    parts: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for each in found:
        assert each["listed"] == ["m"]
        is_old = all(each[name] == value for name, value in old.items())
        is_new = all(each[name] == value for name, value in new.items())
        assert is_old != is_new, each
        parts[is_old].append(each)
    return parts[True], parts[False]


FIVE = ["README.md", "config.json", "metrics.json", "model.safetensors", "reference.npz"]
EVALUATED = {"seed": 0, "files": FIVE, "sections": ["test", "training"], "shown": True}
TRAINED = {"files": [name for name in FIVE if name != "reference.npz"], "sections": ["training"], "shown": False}


def test_train_killed_at_each_step_leaves_the_old_model_or_the_new_one(folder: Path) -> None:
    found = kill(folder, "train", "steps")
    assert [each["killed"] for each in found] == [True] * (len(found) - 1) + [False]
    assert len(found) > 15
    old, new = old_and_new(found, old=EVALUATED, new={**TRAINED, "seed": 1})
    assert found == old + new, "first the old one, then the new one"
    assert new[0]["killed"], "some kills came after the new one was there"
    for part in (old, new):
        assert len({each["weights"] for each in part}) == 1
        assert all(each["training"] == part[-1]["training"] for each in part)


def test_train_killed_at_any_moment_goes_on_to_the_same_model(folder: Path) -> None:
    found = kill(folder, "train", "moments")
    old, new = old_and_new(found, old=EVALUATED, new={**TRAINED, "seed": 1})
    assert old, "some kills came before the new one was there"
    assert len({each["weights"] for each in old}) == 1
    assert len({each["weights"] for each in new}) == 1, "wherever it was killed, it goes on bit for bit"
    assert [each["seed"] for each in found[1::2]] == [1] * killed.MOMENTS


def test_evaluate_killed_at_each_step_leaves_the_old_figures_and_map_or_the_new_ones(folder: Path) -> None:
    shutil.rmtree(folder / "before")
    assert main(list(killed.TRAIN)) == 0
    found = kill(folder, "evaluate", "steps")
    old, new = old_and_new(found, old={**TRAINED, "seed": 0}, new=EVALUATED)
    assert found == old + new
    assert new[0]["killed"]
    assert len(old) > 10
    assert len({each["weights"] for each in found}) == 1
