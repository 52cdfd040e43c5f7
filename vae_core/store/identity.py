"""What makes a stored model the same model: digests of its content, whichever folder, file or format it lies in.

`weights_digest` stands for what the network computes: codes, directions, keyframes and links are of the weights.
`reference_digest` stands for the reference set: groups, selections and maps hold indices and places of its images.
Neither depends on a file's bytes, so that another format number, a card, a data set's id or how pictures are
prepared leaves both as they are. Times of files are a key of what is kept in memory, nothing more.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from vae_core.errors import ModelError
from vae_core.models.config import ModelConfig
from vae_core.models.config_file import read_config
from vae_core.models.vae import CONFIG_FILE, WEIGHTS_FILE
from vae_core.models.weights_file import StoredTensor, read_header
from vae_core.reference.reference_set import Reference
from vae_core.runtime.file_states import file_states
from vae_core.runtime.memo import Memo
from vae_core.store.stored_models import REFERENCE_FILE

__all__ = ["COMPUTING_FIELDS", "former_weights_digest", "reference_digest", "weights_digest"]

# The fields of a configuration that decide what the network computes. A field that is added to it later must join
# the digest only where it differs from its default, so that the models that there are keep theirs.
COMPUTING_FIELDS = (
    "architecture",
    "blocks",
    "channels",
    "decoder",
    "dense_units",
    "height",
    "latent_dim",
    "likelihood",
    "linear_path",
    "variational",
    "width",
    "widths",
)
DIGITS = 32  # hexadecimal: 128 bits, so that nobody can make a model that passes for another
CHUNK = 2**20  # bytes read at a time
MAX_DIGESTS = 1_000  # digests in memory

_weights: Memo[str] = Memo(MAX_DIGESTS)
_former: Memo[str] = Memo(MAX_DIGESTS)
_references: Memo[str] = Memo(MAX_DIGESTS)


def weights_digest(folder: Path) -> str:
    """32 hexadecimal digits of a stored model's weights and of those fields of its configuration that use them.

    Raises:
        ModelError: The weights cannot be read.
        ConfigError: config.json cannot be read or breaks a rule.
    """
    config, weights = folder / CONFIG_FILE, folder / WEIGHTS_FILE
    return _weights.get(file_states([config, weights]), lambda: _digest_weights(read_config(config), weights))


def reference_digest(folder: Path, reference: Reference | None = None) -> str:
    """32 hexadecimal digits of a stored model's reference set; empty where it has none.

    Args:
        folder: Folder of the stored model.
        reference: Its reference set, where that was read already.

    Raises:
        ModelError: The reference set is damaged.
    """
    path = folder / REFERENCE_FILE
    states = file_states([path])
    return _references.get(states, lambda: (reference or Reference.load(path)).digest[:DIGITS]) if states else ""


def former_weights_digest(folder: Path) -> str:
    """Digits by which version 0.1 knew a stored model's weights, their file's bytes: for what it saved under them.

    Raises:
        ModelError: The weights cannot be read.
    """
    path = folder / WEIGHTS_FILE
    return _former.get(file_states([path]), lambda: _digest_file(path))


def _digest_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); fetch or train the model again.") from error


def _digest_weights(config: ModelConfig, path: Path) -> str:
    digest = hashlib.sha256()
    digest.update(_canonical({name: getattr(config, name) for name in COMPUTING_FIELDS}))
    for name, tensor in sorted(read_header(path).items()):
        digest.update(_canonical([name, tensor.dtype, tensor.shape]))
        for part in _bytes_of(path, tensor):
            digest.update(part)
    return digest.hexdigest()[:DIGITS]


def _canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces, and a line's end, which stands nowhere within it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _bytes_of(path: Path, tensor: StoredTensor) -> Iterator[bytes]:
    """A tensor's bytes as stored; read, not mapped: a file that is cut off meanwhile must not end the process."""
    try:
        with path.open("rb") as file:
            file.seek(tensor.start)
            left = tensor.stop - tensor.start
            while left:
                part = file.read(min(left, CHUNK))
                if not part:
                    raise ModelError(f"{path} was cut off while it was read; fetch or train the model again.")
                left -= len(part)
                yield part
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); fetch or train the model again.") from error
