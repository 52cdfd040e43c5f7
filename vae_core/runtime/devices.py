"""Where networks are trained and measured: the processor, or an accelerator that torch can use."""

from typing import Literal, get_args

import torch

from vae_core.errors import ConfigError

__all__ = ["DEVICES", "DeviceName", "find_device"]

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[DeviceName, ...] = get_args(DeviceName)


def find_device(name: str | torch.device = "auto") -> torch.device:
    """The device of that name; ``"auto"`` is the accelerator where torch has one, else the processor.

    What is random is drawn on the processor and moved, so that a seed means the same on every device.

    Raises:
        ConfigError: Torch knows no such device, or this machine has none.
    """
    if isinstance(name, torch.device):
        return name
    if name == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        return torch.device("cpu") if found is None else found
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # how torch says that it lacks one
        raise ConfigError(
            f"this machine has no device {name!r} that torch can use; choose one of {', '.join(DEVICES)}."
        ) from error
    return device
