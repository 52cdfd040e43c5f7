"""What leaves with a model: no path of the machine that it was made on, also of what version 0.1 wrote."""

import json
from pathlib import Path

import pytest

from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.config_file import config_text
from vae_core.runtime.strict_json import config_to_json
from vae_core.store.public_files import public_content

PRIVATE = "/srv/somebody/pictures"
COMMAND = f"python -m vae_core train --dataset {PRIVATE} --models-dir=/srv/somebody/m --name own"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A model as version 0.1 stored it."""
    config = ModelConfig(training=TrainingConfig(PRIVATE))
    (tmp_path / "config.json").write_text(config_to_json(config))
    (tmp_path / "metrics.json").write_text(json.dumps({"training": {"command": COMMAND, "seed": 0}, "test": {}}))
    (tmp_path / "README.md").write_text(f"# own\n\n```\n{COMMAND}\n```\n\nMy words.\n")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


@pytest.mark.parametrize("name", ["config.json", "metrics.json", "README.md"])
def test_a_path_that_version_0_1_wrote_does_not_leave(old: Path, name: str) -> None:
    assert b"somebody" in (old / name).read_bytes()
    assert b"somebody" not in public_content(old, name)


def test_all_else_leaves_as_it_is(old: Path) -> None:
    assert json.loads(public_content(old, "config.json")) == json.loads(
        config_text(ModelConfig(training=TrainingConfig("")))
    )
    assert json.loads(public_content(old, "metrics.json")) == {"format": 1, "training": {"seed": 0}, "test": {}}
    assert public_content(old, "README.md").endswith(b"\n```\n\nMy words.\n")
    assert public_content(old, "model.safetensors") == b"weights"


@pytest.mark.parametrize("name", ["config.json", "metrics.json"])
@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"format": 1, "odd":  "layout"}', b"[]"])
def test_what_is_of_a_format_or_cannot_be_read_is_not_written_anew(old: Path, name: str, content: bytes) -> None:
    (old / name).write_bytes(content)
    assert public_content(old, name) == content


def test_a_card_beside_damaged_figures_stays(old: Path) -> None:
    (old / "metrics.json").write_text("{")
    assert public_content(old, "README.md") == (old / "README.md").read_bytes()
