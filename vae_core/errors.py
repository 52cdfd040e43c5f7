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
└── InternalError       something that nobody foresaw; the log has it under the number that the message names

The text of each error is one sentence for the person at the screen: the rule, the value
received, and what to do. Pages and the command line print it as it is.
"""

__all__ = [
    "BusyError",
    "ConfigError",
    "DatasetError",
    "DownloadError",
    "ImageError",
    "InputError",
    "InternalError",
    "ModelError",
    "TrainingError",
    "VAEExplorerError",
]


class VAEExplorerError(Exception):
    """The root of the tree: catch this to catch every error the project raises on purpose."""


class ConfigError(VAEExplorerError):
    """A configuration value or file breaks a rule."""


class ModelError(VAEExplorerError):
    """A stored model is missing, damaged or not a VAE of ours."""


class ImageError(VAEExplorerError):
    """A picture from outside cannot be used."""


class DatasetError(VAEExplorerError):
    """A data set is unknown, missing or damaged."""


class DownloadError(DatasetError):
    """A data set could not be fetched whole."""


class TrainingError(VAEExplorerError):
    """A training run cannot start, go on or be resumed."""


class InputError(VAEExplorerError):
    """An argument or a message has the wrong shape or value."""


class BusyError(VAEExplorerError):
    """A queue is full; the same call may succeed later."""


class InternalError(VAEExplorerError):
    """Something that nobody foresaw; the log has it, with its traceback, under the number that the message names."""
