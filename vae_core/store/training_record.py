"""What metrics.json says of the training: the pictures that a stored model was made from."""

import json
from pathlib import Path

from vae_core.datasets.fingerprint import Fingerprint
from vae_core.errors import ConfigError, ModelError
from vae_core.runtime.strict_json import config_from_json
from vae_core.store.metrics_file import read_metrics

__all__ = ["seen_pictures"]


def seen_pictures(folder: Path) -> Fingerprint | None:
    """The fingerprint of the pictures that a stored model has seen; None where metrics.json does not say.

    Models of version 0.1 do not say, nor does a file that is damaged.
    """
    try:
        training = read_metrics(folder).get("training")
        found = training.get("pictures") if isinstance(training, dict) else None
        return config_from_json(Fingerprint, json.dumps(found)) if isinstance(found, dict) else None
    except (ModelError, ConfigError):
        return None
