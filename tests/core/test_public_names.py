"""`import vae_core as vae`: exactly the names that are promised, each when it is asked for."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import vae_core as vae
from vae_core.evaluation import runs
from vae_core.evaluation.report import Report
from vae_core.latent.directions import Direction
from vae_core.store.opening import StoredModel

NAMES = {
    "load_model",
    "list_models",
    "open_picture",
    "prepare_picture",
    "load_dataset",
    "train",
    "evaluate",
    "VAE",
    "Posterior",
    "ModelConfig",
    "TrainingConfig",
    "Preparation",
    "Reference",
    "Direction",
    "difference",
    "principal_directions",
    "interpolate",
    "VAEExplorerError",
}


def told_by(code: str) -> object:
    """What a fresh Python prints as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_exactly_these_names_are_offered():
    assert set(vae.__all__) == NAMES
    taken: dict[str, object] = {}
    exec("from vae_core import *", taken)  # noqa: S102 - our own
    assert {name for name in taken if not name.startswith("__")} == NAMES
    assert set(dir(vae)) >= NAMES


def test_each_name_is_the_thing_itself():
    assert vae.Direction is Direction
    assert callable(vae.load_model)
    assert issubclass(vae.VAE, torch.nn.Module)


def test_another_name_is_missing_as_in_any_module():
    with pytest.raises(AttributeError, match="module 'vae_core' has no attribute 'numpy'"):
        _ = vae.numpy


def test_importing_the_package_imports_nothing_heavy():
    heavy = ["torch", "numpy", "pydantic", "PIL", "scipy", "sklearn"]
    code = f"import json, sys, vae_core; print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    assert told_by(code) == []


@pytest.mark.parametrize(("name", "without"), [("ModelConfig", "torch"), ("interpolate", "torch")])
def test_a_light_name_imports_no_network(name: str, without: str):
    code = f"import json, sys, vae_core; vae_core.{name}; print(json.dumps({without!r} in sys.modules))"
    assert told_by(code) is False


# -- a notebook ----------------------------------------------------------------------------------------------------


def test_a_model_is_trained_opened_and_measured(own_places: Path, monkeypatch: pytest.MonkeyPatch):
    training = vae.TrainingConfig(dataset="digits", epochs=1, batch_size=200, lr_warmup_steps=1)
    config = vae.ModelConfig(architecture="mlp", latent_dim=2, widths=(8,), training=training)
    events: list[object] = []
    model = vae.train(config, "mine", on_event=events.append)
    assert isinstance(model, StoredModel)
    assert [type(event).__name__ for event in events if type(event).__name__ != "Progress"] == ["Loading", "Stored"]
    assert "mine" in vae.list_models()
    assert vae.load_model("mine").digest == model.digest
    with pytest.raises(vae.VAEExplorerError, match="holds a model already"):
        vae.train(config, "mine")
    again = replace(config, training=replace(training, seed=1))
    assert vae.train(again, "mine", overwrite=True, fresh=True).digest != model.digest

    figures = {"test": {"images": 2}}
    monkeypatch.setattr(runs, "measure", lambda *_, **__: Report(figures, None))
    monkeypatch.setattr(runs, "with_metrics", lambda card, *_: card)
    measured = vae.evaluate("mine", with_reference=False)
    assert (measured.stored, measured.metrics) == (True, figures)


def test_codes_go_from_hand_to_hand():
    model = vae.load_model("mnist-2d")
    images = vae.load_dataset("digits", "test").images[:4].float() / 255
    posterior = model.encode(images)
    means = posterior.mean.numpy()
    path = vae.interpolate(means[0], means[1], frames=3, kind="linear")
    np.testing.assert_allclose(path[[0, -1]], means[:2], atol=1e-6)
    assert model.decode(path).shape == (3, 1, 28, 28)
    assert isinstance(posterior, vae.Posterior)
    assert isinstance(model.reference, vae.Reference)
