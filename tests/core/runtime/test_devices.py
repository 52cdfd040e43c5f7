"""Which device a name stands for."""

import pytest
import torch

from vae_core.errors import ConfigError
from vae_core.runtime.devices import DEVICES, find_device


def test_the_processor_is_there_under_its_name():
    assert find_device("cpu") == torch.device("cpu")
    assert find_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("accelerator", [None, torch.device("cuda"), torch.device("mps")])
def test_by_itself_it_is_the_accelerator_where_torch_has_one(
    monkeypatch: pytest.MonkeyPatch, accelerator: torch.device | None
):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: accelerator)  # noqa: ARG005
    assert find_device("auto") == (accelerator or torch.device("cpu"))


def test_a_device_that_torch_does_not_know_is_refused_with_those_it_may_be():
    with pytest.raises(ConfigError, match=f"no device 'nosuch' that torch can use; .* {', '.join(DEVICES)}"):
        find_device("nosuch")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has one")
def test_a_device_that_this_machine_lacks_is_refused():
    with pytest.raises(ConfigError, match="this machine has no device 'cuda'"):
        find_device("cuda")
