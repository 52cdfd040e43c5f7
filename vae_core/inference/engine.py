"""The engine: owns the loaded models, one copy a process, and runs them from any number of threads.

Requests for the same network that wait at the same time are run as one batch. There are two lanes, each a
thread with a bounded queue: live requests of a few rows never wait behind a page's large ones.
"""

import atexit
import functools
import hashlib
import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vae_core.errors import InputError, ModelError
from vae_core.models.config import ModelConfig
from vae_core.models.objective import reconstruction_nats
from vae_core.models.posterior import Posterior
from vae_core.models.vae import CONFIG_FILE, VAE, WEIGHTS_FILE
from vae_core.reference.reference_set import Reference
from vae_core.runtime.lanes import Lane
from vae_core.store.stored_models import REFERENCE_FILE, load_model, model_folder

__all__ = ["BULK_ROWS", "ELBO_SAMPLES", "Analysis", "Engine", "LoadedModel", "engine"]

LIVE_ROWS = 8  # rows in one live batch; measured: larger ones only add to the wait
BULK_ROWS = 64  # rows in one batch of a page's request
ELBO_SAMPLES = 64  # posterior samples behind each figure on a page
ELBO_SEED = 0


@dataclass(frozen=True)
class LoadedModel:
    """A stored model in memory.

    Attributes:
        name: Its name.
        folder: Where it is stored.
        digest: Twelve hexadecimal digits that change with the configuration, the weights or the reference set.
        model: The network, in evaluation mode.
        reference: Its reference set; None when none is stored.
    """

    name: str
    folder: Path
    digest: str
    model: VAE
    reference: Reference | None

    @property
    def config(self) -> ModelConfig:
        """The model's configuration."""
        return self.model.config

    def need_reference(self) -> Reference:
        """The reference set.

        Raises:
            ModelError: None is stored.
        """
        if self.reference is None:
            raise ModelError(
                f"{self.name} has no reference set, so no map; run `python -m vae_core evaluate {self.name}`."
            )
        return self.reference


@dataclass(frozen=True)
class Analysis:
    """What the model makes of one image.

    Attributes:
        mean: mu, [latent].
        std: sigma, [latent].
        kl: KL of each dimension in nats, [latent]; zero for a plain autoencoder.
        reconstruction: The image decoded from the mean, [channel, height, width] in [0, 1].
        reconstruction_nats: -log p(x|z), average of `ELBO_SAMPLES` posterior samples.
    """

    mean: Float[np.ndarray, " d"]
    std: Float[np.ndarray, " d"]
    kl: Float[np.ndarray, " d"]
    reconstruction: Float[Tensor, "channel height width"]
    reconstruction_nats: float

    @property
    def kl_nats(self) -> float:
        """KL summed over dimensions, nats."""
        return float(self.kl.sum())

    @property
    def elbo(self) -> float:
        """The evidence lower bound, nats; for a plain autoencoder minus the reconstruction term."""
        return -(self.reconstruction_nats + self.kl_nats)


class Engine:
    """Loads models once and runs them for every thread of the process."""

    def __init__(self) -> None:
        self._live = Lane("live", max_rows=LIVE_ROWS)
        self._bulk = Lane("bulk", max_rows=BULK_ROWS)
        self._models: dict[str, LoadedModel] = {}
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
        digest = _digest(folder)
        known = self._models.get(name)
        if known is not None and known.digest == digest:
            return known  # without the lock: while one model loads, the others go on
        with self._loading:
            known = self._models.get(name)
            if known is None or known.digest != digest:
                self._models[name] = _load(name, folder, digest)
            return self._models[name]

    def decode(self, name: str, z: Float[np.ndarray, "n d"], *, live: bool = False) -> Float[Tensor, "n c h w"]:
        """Decode codes [n, latent] to images [n, channel, height, width] in [0, 1].

        Args:
            name: A stored model.
            z: The codes.
            live: Use the lane of small, urgent requests.

        Raises:
            InputError: z has the wrong shape or holds a number that is not finite.
            BusyError: Too many requests wait.
        """
        return self._decode(self.load(name), z, "decode", self._live if live else self._bulk)

    def _decode(
        self, loaded: LoadedModel, z: Float[np.ndarray, "n d"], operation: str, lane: Lane
    ) -> Float[Tensor, "n c h w"]:
        rows = torch.from_numpy(_checked_codes(z, loaded.config.latent_dim))
        return lane.submit((loaded.digest, operation), loaded.model.decode, rows).result()

    def encode(self, name: str, images: Float[Tensor, "n c h w"]) -> Posterior:
        """Posteriors of images [n, channel, height, width] in [0, 1].

        Raises:
            InputError: The images have another shape than the model's.
            BusyError: Too many requests wait.
        """
        return self._encode(self.load(name), images, "encode")

    def _encode(self, loaded: LoadedModel, images: Float[Tensor, "n c h w"], operation: str) -> Posterior:
        loaded.model.check_images(images)  # here rather than in the lane, where it would fail the whole batch

        def run(rows: Tensor) -> Tensor:
            posterior = loaded.model.encode(rows)
            return torch.stack([posterior.mean, posterior.logvar], dim=1)  # [n, 2, latent]

        both = self._bulk.submit((loaded.digest, operation), run, images).result()
        return Posterior(both[:, 0], both[:, 1])

    def analyse(self, name: str, images: Sequence[Float[Tensor, "c h w"]]) -> list[Analysis]:
        """Encode and reconstruct images, each on its own, so that its figures never depend on its company.

        Raises:
            InputError: An image has another shape than the model's.
            BusyError: Too many requests wait.
        """
        loaded = self.load(name)
        return [self._analyse_one(loaded, image[None]) for image in images]

    def _analyse_one(self, loaded: LoadedModel, image: Float[Tensor, "1 c h w"]) -> Analysis:
        posterior = self._encode(loaded, image, self._own("encode"))
        variational = loaded.config.variational
        kl = posterior.kl() if variational else torch.zeros_like(posterior.mean)
        return Analysis(
            mean=posterior.mean[0].numpy(),
            std=posterior.std[0].numpy(),
            kl=kl[0].numpy(),
            reconstruction=self._decode(loaded, posterior.mean.numpy(), self._own("decode"), self._bulk)[0],
            reconstruction_nats=self._sampled_nats(loaded, image, posterior),
        )

    def _sampled_nats(self, loaded: LoadedModel, image: Float[Tensor, "1 c h w"], posterior: Posterior) -> float:
        many = Posterior(posterior.mean.expand(ELBO_SAMPLES, -1), posterior.logvar.expand(ELBO_SAMPLES, -1))
        z = many.sample(torch.Generator().manual_seed(ELBO_SEED))  # [sample, latent]

        def run(rows: Tensor) -> Tensor:
            return reconstruction_nats(loaded.model, loaded.model.logits(rows), image.expand(len(rows), -1, -1, -1))

        nats = self._bulk.submit((loaded.digest, self._own("nats")), run, z).result()
        return nats.mean().item()

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


def _load(name: str, folder: Path, digest: str) -> LoadedModel:
    reference_file = folder / REFERENCE_FILE
    model = load_model(name).channels_last()
    reference = Reference.load(reference_file) if reference_file.is_file() else None
    if reference is not None and reference.latent_dim != model.config.latent_dim:
        raise ModelError(
            f"{reference_file} holds codes of {reference.latent_dim} dimensions, the model has "
            f"{model.config.latent_dim}; run evaluate to build it again."
        )
    return LoadedModel(name, folder, digest, model, reference)


def _digest(folder: Path) -> str:
    """A fingerprint of a stored model from its files' sizes and times, cheap enough for every request."""
    files = [folder / name for name in (CONFIG_FILE, WEIGHTS_FILE, REFERENCE_FILE)]
    states = [path.stat() for path in files if path.is_file()]
    text = repr([str(folder), *((state.st_size, state.st_mtime_ns) for state in states)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _checked_codes(z: Float[np.ndarray, "n d"], latent_dim: int) -> np.ndarray:
    if z.ndim != 2 or z.shape[1] != latent_dim:
        raise InputError(f"z must be [n, {latent_dim}] for this model, got {list(z.shape)}.")
    if not (np.abs(z) <= np.finfo(np.float32).max).all():  # false for NaN as well
        raise InputError("every value of z must be a finite number, got NaN or infinity.")
    return np.array(z, dtype=np.float32)  # a copy: the caller may write to its own while this one waits
