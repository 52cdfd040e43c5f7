"""A training run's folder: the program's own, one run at a time, and what a run that was begun there has left."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vae_core.errors import TrainingError
from vae_core.runtime.locks import locked
from vae_core.runtime.ownership import is_empty, is_marked, mark
from vae_core.runtime.whole_files import remove_unfinished
from vae_core.training.run_state import CHECKPOINT_FILE, is_checkpoint

__all__ = ["held_run_folder"]

LOCK_FILE = ".lock"
UNFINISHED = f"{CHECKPOINT_FILE}.part"  # as version 0.1 named it
RUN_FILES = (CHECKPOINT_FILE,)  # that a run writes and --fresh removes


@contextmanager
def held_run_folder(folder: Path, *, fresh: bool) -> Iterator[None]:
    """Hold a run's folder while the block runs: no other run writes there meanwhile.

    Args:
        folder: made when missing.
        fresh: whether to remove what an earlier run wrote there; all else stays.

    Raises:
        TrainingError: The folder holds what no run wrote, another training has it, or it cannot be written.
    """
    with ExitStack() as held:
        try:
            _check_own(folder)
            folder.mkdir(parents=True, exist_ok=True)
            mark(folder, "run")
            held.enter_context(locked(folder / LOCK_FILE, patience=0))
            _tidy(folder, fresh=fresh)
        except TimeoutError as error:
            raise TrainingError(
                f"{folder} is in use by another training; wait for its end, or choose another --name or --run-dir."
            ) from error
        except OSError as error:
            raise TrainingError(f"{folder} cannot be written ({error.strerror}); choose another --run-dir.") from error
        yield


def _check_own(folder: Path) -> None:
    """Let a folder pass that is missing or empty, has the program's marker, or holds a run of before there were any."""
    if is_empty(folder) or is_marked(folder, "run"):
        return
    if {path.name for path in folder.iterdir()} <= {CHECKPOINT_FILE, UNFINISHED} and is_checkpoint(
        folder / CHECKPOINT_FILE
    ):
        return
    raise TrainingError(
        f"{folder} holds files that are not of a training run, and they are left as they are; "
        "choose another --run-dir or --name."
    )


def _tidy(folder: Path, *, fresh: bool) -> None:
    for name in RUN_FILES:
        remove_unfinished(folder / name)
        if fresh:
            (folder / name).unlink(missing_ok=True)
