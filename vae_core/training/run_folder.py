"""A training run's folder: one run at a time, and what a run that was begun there before has left."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vae_core.errors import TrainingError
from vae_core.runtime.locks import locked
from vae_core.runtime.whole_files import remove_unfinished
from vae_core.training.run_state import CHECKPOINT_FILE

__all__ = ["held_run_folder"]

LOCK_FILE = ".lock"
RUN_FILES = (CHECKPOINT_FILE,)  # that a run writes and --fresh removes


@contextmanager
def held_run_folder(folder: Path, *, fresh: bool) -> Iterator[None]:
    """Hold a run's folder while the block runs: no other run writes there meanwhile.

    Args:
        folder: made when missing.
        fresh: whether to remove what an earlier run wrote there.

    Raises:
        TrainingError: Another training has the folder, or it cannot be written.
    """
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(folder / LOCK_FILE, patience=0))
            _tidy(folder, fresh=fresh)
        except TimeoutError as error:
            raise TrainingError(
                f"{folder} is in use by another training; wait for its end, or choose another --name or --run-dir."
            ) from error
        except OSError as error:
            raise TrainingError(f"{folder} cannot be written ({error.strerror}); choose another --run-dir.") from error
        yield


def _tidy(folder: Path, *, fresh: bool) -> None:
    for name in RUN_FILES:
        remove_unfinished(folder / name)
        if fresh:
            (folder / name).unlink(missing_ok=True)
