"""Every error that the project raises on purpose.

VAEExplorerError
├── ConfigError         a configuration value or file breaks a rule
├── ModelError          a stored model is missing, damaged or not a VAE of ours
├── ImageError          a picture from outside cannot be used
├── DatasetError        a data set is unknown, missing or damaged
│   └── DownloadError   a data set could not be fetched whole
├── TrainingError       a training run cannot start, go on or be resumed
├── InputError          an argument or a message has the wrong shape or value
├── BusyError           a queue is full; the same call may succeed later
├── ChangedError        a model is not any more what the asker takes it for
├── GoneError           what is asked for by a number or id is not remembered any more
└── InternalError       something that nobody foresaw; the log has it under the number that the message names

The text of each error is one sentence for the person at the screen: the rule, the value
received, and what to do. Pages and the command line print it as it is. The `code` of its class
tells programs what went wrong: it stays the same when a sentence is put better.
"""

from typing import ClassVar

__all__ = [
    "BusyError",
    "ChangedError",
    "ConfigError",
    "DatasetError",
    "DownloadError",
    "GoneError",
    "ImageError",
    "InputError",
    "InternalError",
    "ModelError",
    "TrainingError",
    "VAEExplorerError",
]


class VAEExplorerError(Exception):
    """The root of the tree: catch this to catch every error the project raises on purpose.

    Attributes:
        code: One word for programs; each class has its own.
    """

    code: ClassVar[str] = "error"


class ConfigError(VAEExplorerError):
    """A configuration value or file breaks a rule."""

    code = "config"


class ModelError(VAEExplorerError):
    """A stored model is missing, damaged or not a VAE of ours."""

    code = "model"


class ImageError(VAEExplorerError):
    """A picture from outside cannot be used."""

    code = "image"


class DatasetError(VAEExplorerError):
    """A data set is unknown, missing or damaged."""

    code = "dataset"


class DownloadError(DatasetError):
    """A data set could not be fetched whole."""

    code = "download"


class TrainingError(VAEExplorerError):
    """A training run cannot start, go on or be resumed."""

    code = "training"


class InputError(VAEExplorerError):
    """An argument or a message has the wrong shape or value."""

    code = "input"


class BusyError(VAEExplorerError):
    """A queue is full; the same call may succeed later."""

    code = "busy"


class ChangedError(VAEExplorerError):
    """A model is not any more what the asker takes it for: it was trained or evaluated anew."""

    code = "changed"


class GoneError(VAEExplorerError):
    """What is asked for by a number or id is not remembered any more: it has to be made again."""

    code = "gone"


class InternalError(VAEExplorerError):
    """Something that nobody foresaw; the log has it, with its traceback, under the number that the message names."""

    code = "internal"
