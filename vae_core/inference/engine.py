"""The engine: owns the loaded models, one copy a process, and runs them from any number of threads.

Requests for the same network that wait at the same time are run as one batch. There are two lanes, each a
thread with a bounded queue: live requests of a few rows never wait behind a page's large ones.
"""

import atexit
import functools
import itertools
import threading
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.errors import ModelError
from vae_core.inference.loaded import LoadedModel
from vae_core.latent.codes import check_finite
from vae_core.models.objective import reconstruction_nats
from vae_core.models.posterior import Posterior
from vae_core.models.vae import CONFIG_FILE, WEIGHTS_FILE
from vae_core.reference.reference_set import Reference
from vae_core.runtime.file_states import FileState, file_states
from vae_core.runtime.lanes import Lane
from vae_core.runtime.whole_folders import read_whole
from vae_core.store.identity import reference_digest, weights_digest
from vae_core.store.stored_models import REFERENCE_FILE, load_model, model_folder

__all__ = ["BULK_ROWS", "Engine", "engine"]

LIVE_ROWS = 8  # rows in one live batch; measured: larger ones only add to the wait
BULK_ROWS = 64  # rows in one batch of a page's request
READINGS = 3  # of a model whose files change while they are read


class Engine:
    """Loads models once and runs them for every thread of the process."""

    def __init__(self) -> None:
        self._live = Lane("live", max_rows=LIVE_ROWS)
        self._bulk = Lane("bulk", max_rows=BULK_ROWS)
        self._models: dict[str, tuple[tuple[FileState, ...], LoadedModel]] = {}  # with the files it was read from
        self._loading = threading.Lock()
        self._alone = itertools.count()  # numbers for jobs that share no batch; a picture's id() may come again

    def close(self) -> None:
        """End both threads; what waits is still answered, and nothing may be asked afterwards."""
        self._live.stop()
        self._bulk.stop()

    def load(self, name: str) -> LoadedModel:
        """The model of that name, loaded at the first call and again when its files have changed.

        Raises:
            ModelError: No stored model has that name, or its files are damaged.
            ConfigError: Its config.json breaks a rule.
        """
        folder = model_folder(name)
        states, known = _states(folder), self._models.get(name)
        if known is not None and known[0] == states:
            return known[1]  # without the lock: while one model loads, the others go on
        with self._loading:
            known = self._models.get(name)
            if known is None or known[0] != _states(folder):
                self._models[name] = _read(name, folder, None if known is None else known[1])
            return self._models[name][1]

    def decode(
        self, loaded: LoadedModel, z: Float[np.ndarray, "n d"], *, live: bool = False, alone: bool = False
    ) -> Float[Tensor, "n c h w"]:
        """Decode codes [n, latent] to images [n, channel, height, width] in [0, 1].

        Args:
            loaded: The model, as `load` gave it.
            z: The codes.
            live: Use the lane of small, urgent requests.
            alone: Share no batch with other requests, so that the last bits do not depend on them.

        Raises:
            InputError: z has the wrong shape or holds a number that is not finite.
            BusyError: Too many requests wait.
        """
        lane = self._live if live else self._bulk
        rows = torch.from_numpy(_checked_codes(z, loaded.config.latent_dim))
        operation = self._own("decode") if alone else "decode"
        images: Tensor = lane.submit((loaded.digest, operation), loaded.model.decode, rows).result()
        return images

    def encode(self, loaded: LoadedModel, images: Float[Tensor, "n c h w"], *, alone: bool = False) -> Posterior:
        """Posteriors of images [n, channel, height, width] in [0, 1].

        Args:
            loaded: The model, as `load` gave it.
            images: The images.
            alone: Share no batch with other requests, so that the last bits do not depend on them.

        Raises:
            InputError: The images have another shape than the model's.
            BusyError: Too many requests wait.
        """
        loaded.model.check_images(images)  # here rather than in the lane, where it would fail the whole batch

        def run(rows: Tensor) -> Tensor:
            posterior = loaded.model.encode(rows)
            return torch.stack([posterior.mean, posterior.logvar], dim=1)  # [n, 2, latent]

        operation = self._own("encode") if alone else "encode"
        both = self._bulk.submit((loaded.digest, operation), run, images).result()
        return Posterior(both[:, 0], both[:, 1])

    def reconstruction_nats(
        self, loaded: LoadedModel, images: Float[Tensor, "n c h w"], z: Float[Tensor, "n d"], *, alone: bool = False
    ) -> Float[Tensor, " n"]:
        """-log p(x|z) of each image at its z, nats, [n].

        Args:
            loaded: The model, as `load` gave it.
            images: [n, channel, height, width] in [0, 1].
            z: Codes, [n, latent].
            alone: Share no batch with other requests, so that the last bits do not depend on them.

        Raises:
            InputError: The images have another shape than the model's.
            BusyError: Too many requests wait.
        """
        loaded.model.check_images(images)
        latent = loaded.config.latent_dim

        def run(rows: Tensor) -> Tensor:
            codes, pixels = rows[:, :latent], rows[:, latent:].unflatten(1, loaded.config.image_shape)
            return reconstruction_nats(loaded.model, loaded.model.logits(codes), pixels)

        rows = torch.cat([z, images.flatten(start_dim=1)], dim=1)  # [n, latent + pixels]
        operation = self._own("nats") if alone else "nats"
        nats: Tensor = self._bulk.submit((loaded.digest, operation), run, rows).result()
        return nats

    def _own(self, operation: str) -> str:
        """An operation that no other job shares: company in its batch could change the last bits of its results."""
        return f"{operation}-{next(self._alone)}"


_first_engine = threading.Lock()


def engine() -> Engine:
    """The process's one engine."""
    with _first_engine:  # a cache alone would let two threads that come first make one each
        return _cached_engine()


@functools.cache
def _cached_engine() -> Engine:
    made = Engine()
    atexit.register(made.close)  # a thread that still holds tensors while Python ends can abort the process
    return made


def _read(name: str, folder: Path, known: LoadedModel | None) -> tuple[tuple[FileState, ...], LoadedModel]:
    """The model with the states of the files that it was read from, all of one moment where that can be had.

    `known` stays in use where it is the same model still, as after a `touch`: what was computed with it is kept.
    """
    for _ in range(READINGS):
        states, loaded = read_whole(folder, lambda: (_states(folder), _load(name, folder)))
        if states == _states(folder):
            break
    is_same = known is not None and (known.folder, known.config) == (folder, loaded.config)
    if known is not None and is_same and _digests(known) == _digests(loaded):
        return states, known
    return states, loaded


def _states(folder: Path) -> tuple[FileState, ...]:
    return file_states(folder / name for name in (CONFIG_FILE, WEIGHTS_FILE, REFERENCE_FILE))


def _digests(loaded: LoadedModel) -> tuple[str, str]:
    return loaded.digest, loaded.reference_digest


def _load(name: str, folder: Path) -> LoadedModel:
    reference_file = folder / REFERENCE_FILE
    model = load_model(name).channels_last()
    reference = Reference.load(reference_file) if reference_file.is_file() else None
    if reference is not None and reference.latent_dim != model.config.latent_dim:
        raise ModelError(
            f"{reference_file} holds codes of {reference.latent_dim} dimensions, the model has "
            f"{model.config.latent_dim}; run evaluate to build it again."
        )
    return LoadedModel(name, folder, weights_digest(folder), reference_digest(folder, reference), model, reference)


def _checked_codes(z: Float[np.ndarray, "n d"], latent_dim: int) -> np.ndarray:
    check_finite("z", z, (None, latent_dim))
    return np.array(z, dtype=np.float32)  # a copy: the caller may write to its own while this one waits
