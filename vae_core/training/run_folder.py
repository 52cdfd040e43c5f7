"""A training run's folder: the program's own, one run at a time, and what a run that was begun there has left."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vae_core.datasets.fingerprint import SeenFiles
from vae_core.errors import ConfigError, TrainingError
from vae_core.runtime.locks import locked
from vae_core.runtime.ownership import is_empty, is_marked, mark
from vae_core.runtime.strict_json import config_from_json, config_to_json
from vae_core.runtime.whole_files import remove_unfinished, write_text_whole
from vae_core.training.run_state import CHECKPOINT_FILE, is_checkpoint

__all__ = ["held_run_folder", "read_seen", "write_seen"]

LOCK_FILE = ".lock"
UNFINISHED = f"{CHECKPOINT_FILE}.part"  # as version 0.1 named it
SEEN_FILE = "pictures.json"
RUN_FILES = (CHECKPOINT_FILE, SEEN_FILE)  # that a run writes and --fresh removes


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


def write_seen(folder: Path, seen: SeenFiles) -> None:
    """Note the files that a run begins with.

    Raises:
        TrainingError: The folder cannot be written.
    """
    try:
        write_text_whole(folder / SEEN_FILE, config_to_json(seen))
    except OSError as error:
        raise TrainingError(f"{folder} cannot be written ({error.strerror}); choose another --run-dir.") from error


def read_seen(folder: Path) -> SeenFiles:
    """The files that a run began with; none where that is not noted, or cannot be read."""
    try:
        return config_from_json(SeenFiles, (folder / SEEN_FILE).read_bytes())
    except (OSError, ConfigError):
        return SeenFiles()


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
