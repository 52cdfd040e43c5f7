"""The engine: owns the loaded models, one copy a process, and runs them from any number of threads.

Requests for the same network that wait at the same time are run as one batch. There are two lanes, each a
thread with a bounded queue: live requests of a few rows never wait behind a page's large ones.
"""

import atexit
import functools
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.latent.codes import check_finite
from vae_core.models.inputs import checked_images
from vae_core.models.posterior import Posterior
from vae_core.models.vae import CONFIG_FILE, WEIGHTS_FILE
from vae_core.runtime.file_states import FileState, file_states
from vae_core.runtime.lanes import Lane
from vae_core.store.opening import StoredModel, open_stored_model
from vae_core.store.stored_models import REFERENCE_FILE, model_folder

__all__ = ["BULK_ROWS", "LIVE_ROWS", "MODEL_ROOM", "Engine", "engine"]

LIVE_ROWS = 8  # rows in one live batch; measured: larger ones only add to the wait
BULK_ROWS = 64  # rows in one batch of a page's request
MODEL_ROOM = 2 * 2**30  # bytes for the models in memory; the whole collection takes a tenth of it
READINGS = 3  # of a model whose files change while they are read

States = tuple[FileState, ...]


class Engine:
    """Opens models once and runs them for every thread of the process.

    Args:
        live: Lane of small, urgent requests; one of its own when not given.
        bulk: Lane of all others; one of its own when not given.
        open_model: Opens the model of a folder under a name, whatever its files hold.
        room: Bytes that the models in memory may take together; the one asked for last always stays.
    """

    def __init__(
        self,
        *,
        live: Lane | None = None,
        bulk: Lane | None = None,
        open_model: Callable[[Path, str], StoredModel] = open_stored_model,
        room: int = MODEL_ROOM,
    ) -> None:
        self.live = live or Lane("live", max_rows=LIVE_ROWS)
        self.bulk = bulk or Lane("bulk", max_rows=BULK_ROWS)
        self._open_model = open_model
        self._room = room
        # By name, each with the files that it was read from; the one asked for last at the end.
        self._models: OrderedDict[str, tuple[States, StoredModel]] = OrderedDict()
        self._choosing = threading.Lock()
        self._opening = threading.Lock()  # one at a time, so that their memory is never asked for at once
        self._alone = itertools.count()  # numbers for jobs that share no batch; a picture's id() may come again

    def close(self) -> None:
        """End both threads; what waits is still answered, and nothing may be asked afterwards."""
        self.live.stop()
        self.bulk.stop()

    @property
    def room_left(self) -> int:
        """Bytes that further models may take before others are let go."""
        with self._choosing:
            return self._room - sum(loaded.size for _, loaded in self._models.values())

    def load(self, name: str) -> StoredModel:
        """The model of that name, opened at the first call and again when its files have changed.

        Who holds a model keeps it: what is let go for want of room, or replaced, goes when nobody uses it any more.

        Raises:
            ModelError: No stored model has that name, or its files are damaged.
            ConfigError: Its config.json breaks a rule.
        """
        folder = model_folder(name)
        if (known := self._known(name, _states(folder))) is not None:
            return known  # without waiting: while one model is opened, the others go on
        with self._opening:
            if (known := self._known(name, _states(folder))) is None:
                states, known = self._read(name, folder)
                self._keep(name, states, known)
            return known

    def _known(self, name: str, states: States) -> StoredModel | None:
        with self._choosing:
            kept_states, loaded = self._models.get(name, ((), None))
            if loaded is None or kept_states != states:
                return None
            self._models.move_to_end(name)
            return loaded

    def _keep(self, name: str, states: States, loaded: StoredModel) -> None:
        with self._choosing:
            self._models[name] = (states, loaded)
            self._models.move_to_end(name)
            sizes = {name: kept.size for name, (_, kept) in self._models.items()}
            while len(self._models) > 1 and sum(sizes.values()) > self._room:
                longest_ago, _ = self._models.popitem(last=False)
                del sizes[longest_ago]

    def _read(self, name: str, folder: Path) -> tuple[States, StoredModel]:
        """The model with the states of the files that it was read from, all of one moment where that can be had.

        The one that is kept stays in use where it is still the same, as after a `touch`: so does what was computed
        with it.
        """
        for _ in range(READINGS):
            states, loaded = _states(folder), self._open_model(folder, name)
            if states == _states(folder):
                break
        with self._choosing:
            _, known = self._models.get(name, ((), None))
        return states, known if known is not None and _is_same(known, loaded) else loaded

    def decode(
        self, loaded: StoredModel, z: Float[np.ndarray, "n d"], *, live: bool = False, alone: bool = False
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
        lane = self.live if live else self.bulk
        rows = torch.from_numpy(_checked_codes(z, loaded.spec.latent_dim))
        operation = self._own("decode") if alone else "decode"
        images: Tensor = lane.submit((loaded.digest, operation), loaded.network.decode, rows).result()
        return images

    def encode(self, loaded: StoredModel, images: Float[Tensor, "n c h w"], *, alone: bool = False) -> Posterior:
        """Posteriors of images [n, channel, height, width] in [0, 1].

        Args:
            loaded: The model, as `load` gave it.
            images: The images.
            alone: Share no batch with other requests, so that the last bits do not depend on them.

        Raises:
            InputError: The images have another shape than the model's.
            BusyError: Too many requests wait.
        """
        checked_images(images, loaded.spec.image_shape)  # not in the lane, where it would fail the whole batch

        def run(rows: Tensor) -> Tensor:
            posterior = loaded.network.encode(rows)
            return torch.stack([posterior.mean, posterior.logvar], dim=1)  # [n, 2, latent]

        operation = self._own("encode") if alone else "encode"
        both = self.bulk.submit((loaded.digest, operation), run, images).result()
        return Posterior(both[:, 0], both[:, 1])

    def reconstruction_nats(
        self, loaded: StoredModel, images: Float[Tensor, "n c h w"], z: Float[Tensor, "n d"], *, alone: bool = False
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
        checked_images(images, loaded.spec.image_shape)
        latent = loaded.spec.latent_dim

        def run(rows: Tensor) -> Tensor:
            codes, pixels = rows[:, :latent], rows[:, latent:].unflatten(1, loaded.spec.image_shape)
            return loaded.network.reconstruction_nats(pixels, codes)

        rows = torch.cat([z, images.flatten(start_dim=1)], dim=1)  # [n, latent + pixels]
        operation = self._own("nats") if alone else "nats"
        nats: Tensor = self.bulk.submit((loaded.digest, operation), run, rows).result()
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


def _states(folder: Path) -> States:
    return file_states(folder / name for name in (CONFIG_FILE, WEIGHTS_FILE, REFERENCE_FILE))


def _is_same(one: StoredModel, other: StoredModel) -> bool:
    return (one.folder, one.digest, one.reference_digest, one.spec, one.training) == (
        other.folder,
        other.digest,
        other.reference_digest,
        other.spec,
        other.training,
    )


def _checked_codes(z: Float[np.ndarray, "n d"], latent_dim: int) -> np.ndarray:
    check_finite("z", z, (None, latent_dim))
    return np.array(z, dtype=np.float32)  # a copy: the caller may write to its own while this one waits
