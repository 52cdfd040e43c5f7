"""Commands that are killed, each in a process of its own, and what is found afterwards: a line of JSON for each kill.

python -m tests.core.cli.killed FOLDER train|evaluate steps|moments

FOLDER holds the stored model as it is before, in ``before/m``. One process loads torch and then makes a copy of itself
for each kill, since loading takes longer than all else.
"""

import hashlib
import itertools
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import reference_of
from tests.kills import die_at_step
from vae_core.cli.main import main
from vae_core.evaluation import runs
from vae_core.evaluation.report import Report
from vae_core.store.metrics_file import read_metrics
from vae_core.store.opening import load_model
from vae_core.store.stored_models import list_models, model_folder

TINY = ("--architecture", "mlp", "--widths", "8", "--latent-dim", "2", "--batch-size", "200", "--threads", "1")
TRAIN = ("train", "--dataset", "digits", "--name", "m", "--epochs", "2", *TINY)
TRAIN_ANEW = (*TRAIN, "--seed", "1", "--overwrite")
EVALUATE = ("evaluate", "m", "--threads", "1")
MEASURED = {
    "test": {
        "images": 2,
        "negative_elbo": 3.0,
        "negative_elbo_standard_error": 1.0,
        "reconstruction": 2.0,
        "kl": 1.0,
        "kl_per_dimension": [1.0, 0.0],
        "active_units": 1,
        "seed": 0,
        "pixels": "cross-entropy on grey pixels",
    }
}
MOMENTS = 12  # chosen at random, from the first to a little after the last of a whole run


def measured(*_: object, **__: object) -> Report:
    """In place of measuring, which fits a UMAP: that takes ten seconds to compile and writes nothing."""
    means = np.random.default_rng(0).standard_normal((40, 2), dtype=np.float32)
    return Report(MEASURED, reference_of(means, np.full_like(means, -1), seed=0))


def found() -> dict[str, Any]:
    """What there is of the model, however it is looked for."""
    model, folder = load_model("m"), model_folder("m")
    metrics = read_metrics(folder)
    return {
        "listed": list_models(folder.parent),
        "files": sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")),
        "seed": model.training.seed,  # type: ignore[union-attr]
        "weights": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "training": {name: value for name, value in metrics["training"].items() if name != "seconds"},
        "sections": sorted(metrics),
        "shown": "On the 2 test images" in (folder / "README.md").read_text("utf-8"),
    }


def run(command: tuple[str, ...], before: Callable[[], None] = lambda: None) -> int:
    """Run a command in a copy of this process; returns its number at once."""
    process = os.fork()
    if process:
        return process
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
        before()
        os._exit(main(list(command)))


def is_killed(process: int) -> bool:
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert status in (0, -signal.SIGKILL), status
    return status != 0


def restore(folder: Path) -> None:
    for name in ("models", "runs"):
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(folder / "before", folder / "models")


def at_every_step(folder: Path, command: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Killed before the first, second, ... change to the models' folder, until it is not killed any more."""
    for step in itertools.count(1):
        restore(folder)
        killed = is_killed(run(command, lambda step=step: die_at_step(step, folder / "models")))  # type: ignore[misc]
        yield {"killed": killed, **found()}
        if not killed:
            return


def at_some_moments(folder: Path, command: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Killed at moments of chance; then once more, to the end: it goes on from the checkpoint that is there."""
    restore(folder)
    started = time.monotonic()
    assert not is_killed(run(command))
    whole = time.monotonic() - started
    moments = np.random.default_rng(0)
    for _ in range(MOMENTS):
        restore(folder)
        process = run(command)
        time.sleep(moments.uniform(0, 1.1 * whole))
        os.kill(process, signal.SIGKILL)
        yield {"killed": is_killed(process), **found()}
        assert not is_killed(run(command))
        yield {"killed": False, **found()}


if __name__ == "__main__":
    own = Path(sys.argv[1])
    os.environ |= {"VAE_MODELS_DIR": str(own / "models"), "VAE_RUNS_DIR": str(own / "runs")}
    runs.measure = measured  # type: ignore[assignment]
    commands = {"train": TRAIN_ANEW, "evaluate": EVALUATE}
    kills = {"steps": at_every_step, "moments": at_some_moments}
    for each in kills[sys.argv[3]](own, commands[sys.argv[2]]):
        print(json.dumps(each), flush=True)
