"""A UMAP fitted anew with other settings, in a process of its own, while the map that is there stays in use.

A process can be ended at once, and its long computations do not hold this interpreter's lock, so that live pictures
go on. The process is started by the name of its module rather than by multiprocessing, which would run the page that
asks for it once more in the new process.
"""

import io
import json
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
from jaxtyping import Float

from vae_core.errors import InputError, VAEExplorerError
from vae_core.latent.codes import check_finite
from vae_core.projection.alignment import align
from vae_core.projection.refit_settings import METRICS, UmapSettings
from vae_core.runtime.jobs import BackgroundJob
from vae_core.runtime.processes import manner_of_end, start_process
from vae_core.runtime.strict_json import config_to_json

__all__ = ["Refit", "prepare_refit"]

FEWEST_CODES = 16  # as many as a reference set

COMMAND = [sys.executable, "-W", "ignore", "-m", "vae_core.projection.refit_worker"]

# Where each phase begins as a share of the time that 10,000 codes of 16 dimensions take with the first settings:
# 3 s until umap-learn is imported, 5 s for the neighbours and their graph, 8 s for 500 epochs.
NEIGHBOURS_FROM, LAYOUT_FROM = 0.2, 0.5


class Refit(BackgroundJob[Float[np.ndarray, "n 2"]]):
    """A map that is being fitted; `result` is where each code lies on it, float32 [code, 2].

    Args:
        task: Bytes that the process reads.
        onto: The places that the new ones are turned towards; None to leave them as they are.
    """

    def __init__(self, task: bytes, onto: Float[np.ndarray, "n 2"] | None) -> None:
        super().__init__("refit")
        self._task = task
        self._onto = onto
        self._starting = threading.Lock()  # so that a stop comes either before the process or when there is one to end
        self._process: subprocess.Popen[bytes] | None = None

    def _work(self) -> Float[np.ndarray, "n 2"] | None:
        process = self._begin()
        if process is None:
            return None
        with process:  # closes its pipes and waits for its end
            try:
                with suppress(OSError), process.stdin:  # type: ignore[union-attr]  # it may have died by now
                    process.stdin.write(self._task)  # type: ignore[union-attr]
                places = self._listen(process)
            finally:
                process.kill()
        return places if places is None or self._onto is None else align(places, self._onto)

    def _begin(self) -> subprocess.Popen[bytes] | None:
        with self._starting:
            if self._stopping.is_set():
                return None
            self._process = start_process(COMMAND)
            return self._process

    def _listen(self, process: subprocess.Popen[bytes]) -> Float[np.ndarray, "n 2"] | None:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        for line in process.stdout:
            if not line.endswith(b"\n"):  # it died while it was writing
                break
            news = json.loads(line)
            if "failed" in news:
                raise VAEExplorerError(news["failed"])
            if "places" in news:
                return np.array(news["places"], np.float32)
            self._pass_on(news)
        if self._stopping.is_set():
            return None
        raise VAEExplorerError(
            f"the process that fits the map ended by itself ({manner_of_end(process.wait())}); "
            "where memory is short, try fewer neighbours."
        )

    def _pass_on(self, news: dict[str, int]) -> None:
        done, epochs = news.get("done", 0), news.get("epochs", 0)
        if not epochs:
            return self._say("neighbours", NEIGHBOURS_FROM, "finding each code's neighbours")
        share = LAYOUT_FROM + (1 - LAYOUT_FROM) * done / epochs
        return self._say("layout", share, f"laying the map out: epoch {done} of {epochs}")

    def _interrupt(self) -> None:
        with self._starting:
            if self._process is not None:
                self._process.kill()


def prepare_refit(
    codes: Float[np.ndarray, "n d"],
    scale: Float[np.ndarray, " e"],
    settings: UmapSettings,
    *,
    initial: Float[np.ndarray, "m 2"] | None = None,
    onto: Float[np.ndarray, "m 2"] | None = None,
) -> Refit:
    """A job, not started yet, that fits a UMAP; 10,000 codes of 16 dimensions take about 16 s of one core.

    Each code's neighbours are exact, while those of a stored map come from umap-learn's approximate search: the same
    settings give nearly, but not exactly, the stored map.

    Args:
        codes: Posterior means, [code, latent].
        scale: What a step along each dimension counts for where `settings.scaled`, [latent].
        settings: Settings of the UMAP.
        initial: The places to start from, [code, 2]: the new map then keeps the old one's arrangement. By default the
            settings alone decide.
        onto: The old map's places, [code, 2], which the new ones are turned towards (see `align`).

    Raises:
        InputError: There are fewer than 16 codes, an array has another shape or a value that is not finite, the
            metric needs more dimensions, or `initial` is a line or a point.
    """
    _check_codes(codes, scale, settings)
    for name, places in (("initial", initial), ("old", onto)):
        if places is not None:
            check_finite(f"the {name} places", places, (len(codes), 2))
    if initial is not None and np.ptp(initial, axis=0).min() == 0:
        raise InputError("the initial places must spread along both axes, got a line or a point; leave them out.")
    compared = codes * scale if settings.scaled else codes
    return Refit(_pack(compared, settings, initial), onto)


def _check_codes(codes: Float[np.ndarray, "n d"], scale: Float[np.ndarray, " e"], settings: UmapSettings) -> None:
    count, latent = codes.shape
    if count < FEWEST_CODES:
        raise InputError(f"a map is fitted to at least {FEWEST_CODES} codes, got {count}; take more.")
    check_finite("codes", codes, remedy="leave such codes out")
    check_finite("the scale", scale, (latent,))
    if latent < METRICS[settings.metric]:
        raise InputError(
            f"{settings.metric} compares codes of at least {METRICS[settings.metric]} dimensions, got {latent}; "
            "choose euclidean."
        )


def _pack(codes: Float[np.ndarray, "n d"], settings: UmapSettings, initial: Float[np.ndarray, "n 2"] | None) -> bytes:
    """The task as the process reads it: an npz."""
    arrays = {"codes": codes.astype(np.float32), "settings": np.array(config_to_json(settings))}
    if initial is not None:
        arrays["initial"] = initial.astype(np.float32)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
