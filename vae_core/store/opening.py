"""A stored model opened: its network, its reference set and what it is known by, as one value.

`open_stored_model` is the one way from files to a model in use. It trusts none of them: sizes are compared before
anything is allocated, and whatever is wrong with a model is one sentence about that model.
"""

import functools
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from vae_core.errors import InputError, ModelError, VAEExplorerError
from vae_core.images.preparation import prepare_picture
from vae_core.models.config import TrainingConfig
from vae_core.models.inputs import checked_codes, checked_images
from vae_core.models.posterior import Posterior
from vae_core.models.spec import Model, ModelSpec
from vae_core.models.vae import VAE
from vae_core.reference.reference_set import Reference
from vae_core.runtime.whole_folders import put_back, read_whole
from vae_core.store.identity import reference_digest, weights_digest
from vae_core.store.stored_models import REFERENCE_FILE, find_model, list_models, models_dirs

__all__ = ["StoredModel", "load_model", "open_stored_model"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A stored model in memory: a `Model` for inference, with its reference set.

    Its three methods check what they are given and compute without gradients; to train a network, take `VAE`.

    Attributes:
        name: Name of the model.
        folder: Folder that holds its files.
        digest: 32 hexadecimal digits of what the network computes (see `vae_core.store.identity`): codes are of it.
        reference_digest: 32 hexadecimal digits of the reference set, of which indices and places on maps are; empty
            when none is stored.
        network: The network alone, in evaluation mode, unchecked.
        training: How the weights came to be; None where that is not known.
        reference: Its reference set; None when none is stored.
    """

    name: str
    folder: Path
    digest: str
    reference_digest: str
    network: Model
    training: TrainingConfig | None
    reference: Reference | None

    @functools.cached_property
    def spec(self) -> ModelSpec:
        """What the model takes and gives."""
        return self.network.spec

    @functools.cached_property
    def size(self) -> int:
        """Bytes of memory that weights and reference set take."""
        weights = self.network.state_dict() if isinstance(self.network, torch.nn.Module) else {}
        bytes_of_weights = sum(int(weight.nbytes) for weight in weights.values())
        return bytes_of_weights + (self.reference.size if self.reference else 0)

    def prepare(self, picture: object) -> Float[Tensor, "channel height width"]:
        """A picture as the model sees it, float32 [channel, height, width] in [0, 1].

        Args:
            picture: Picture of Pillow's, as `open_picture` gives it; it is left as it is.

        Raises:
            InputError: It is no picture of Pillow's.
            ImageError: It holds NaN or infinity.
        """
        if not isinstance(picture, Image.Image):
            raise InputError(f"`prepare` takes a picture as `open_picture` gives it, got {type(picture).__name__}.")
        return prepare_picture(picture, shape=self.spec.image_shape, preparation=self.spec.preparation)

    def encode(self, images: object) -> Posterior:
        """Posteriors of images, without gradients; nothing random happens.

        Args:
            images: torch tensor of float32, [n, channel, height, width], with values from 0 to 1.

        Raises:
            InputError: They are something else.
        """
        checked = checked_images(images, self.spec.image_shape)
        with torch.no_grad():
            return self.network.encode(checked)

    def decode(self, z: object) -> Float[Tensor, "n channel height width"]:
        """Images at codes: the likelihood's mean, float32 [n, channel, height, width] in [0, 1], without gradients.

        Args:
            z: torch tensor or numpy array of floating-point numbers, [n, latent].

        Raises:
            InputError: They are something else.
        """
        checked = checked_codes(z, self.spec.latent_dim)
        with torch.no_grad():
            return self.network.decode(checked)

    def reconstruction_nats(self, images: object, z: object) -> Float[Tensor, " n"]:
        """-log p(x|z) of each image at its code, in nats, [n], without gradients.

        Args:
            images: As for `encode`.
            z: As for `decode`, one for each image.

        Raises:
            InputError: They are something else, or not as many codes as images.
        """
        pixels, codes = checked_images(images, self.spec.image_shape), checked_codes(z, self.spec.latent_dim)
        if len(pixels) != len(codes):
            raise InputError(f"each image needs a code of its own, got {len(pixels)} images and {len(codes)} codes.")
        with torch.no_grad():
            return self.network.reconstruction_nats(pixels, codes)

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


def load_model(model: str | os.PathLike[str]) -> StoredModel:
    """A stored model by its name, or by the path of its folder.

    Args:
        model: A name, which is looked for in the person's own folder and among the shipped models; or a path.

    Raises:
        ModelError: There is no such model, or it is damaged.
        ConfigError: Its config.json breaks a rule.
    """
    if isinstance(model, str) and (folder := find_model(model)) is not None:
        return open_stored_model(folder, model)
    path = Path(os.path.expanduser(model))  # noqa: PTH111 - Path's own raises where no account has the name
    put_back(path)
    if path.is_dir():
        return open_stored_model(path)
    if isinstance(model, str) and path.name == model:
        searched = ", ".join(map(str, models_dirs()))
        known = ", ".join(list_models()) or "none yet"
        raise ModelError(
            f"there is no model named {model!r} in {searched}, and no folder of that path; the stored models are: "
            f"{known}."
        )
    raise ModelError(f"there is no folder {path}; give the name of a stored model or the path of its folder.")


def open_stored_model(folder: Path, name: str | None = None) -> StoredModel:
    """Open the model in a folder, whoever made its files.

    Args:
        folder: Folder that holds config.json, model.safetensors and, where it was evaluated, reference.npz.
        name: Name of the model; the folder's when not given.

    Raises:
        ModelError: A file is missing or damaged, or they do not fit each other.
        ConfigError: config.json breaks a rule.
    """
    name = folder.resolve().name if name is None else name
    try:
        return read_whole(folder, lambda: _open(folder, name))
    except VAEExplorerError:
        raise
    except (
        Exception
    ) as error:  # files of strangers make libraries raise what nobody listed; it concerns this model alone
        logger.warning("%s cannot be opened", folder, exc_info=error)
        reason = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise ModelError(f"{name} cannot be opened ({reason}); fetch or train it again.") from error


def _open(folder: Path, name: str) -> StoredModel:
    network = VAE.from_pretrained(folder).channels_last()
    path = folder / REFERENCE_FILE
    reference = Reference.load(path) if path.is_file() else None
    if reference is not None and reference.latent_dim != network.spec.latent_dim:
        raise ModelError(
            f"{path} holds codes of {reference.latent_dim} dimensions, the model has {network.spec.latent_dim}; run "
            "evaluate to build it again."
        )
    digests = weights_digest(folder), reference_digest(folder, reference)
    return StoredModel(name, folder, *digests, network, network.config.training, reference)
