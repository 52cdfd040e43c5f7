"""The precision of networks' products, on whichever device they run."""

from contextlib import AbstractContextManager, nullcontext

import torch

from vae_core.models.config import Precision

__all__ = ["products_in"]


def products_in(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """A context in which matrix products and convolutions on the device are of the given precision.

    ``"float32"`` ends what an outer context asks for.
    """
    if not torch.amp.is_autocast_available(device.type):  # such as that of tensors without values
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")
