"""metrics.json under the number of its format, and without a path of the machine that wrote it."""

import json
from pathlib import Path

import pytest

from vae_core.errors import ModelError
from vae_core.store.metrics_file import METRICS_FORMAT, read_metrics, write_metrics

RECORD = {"seed": 3, "seconds": 1.5}


def stored(folder: Path, found: object) -> Path:
    (folder / "metrics.json").write_text(json.dumps(found))
    return folder


def test_the_file_has_the_number_and_the_sections_have_it_not(tmp_path: Path) -> None:
    write_metrics(tmp_path, {"training": RECORD})
    write_metrics(tmp_path, {"test": {"kl": 1.0}})
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert list(content.items()) == [("format", METRICS_FORMAT), ("training", RECORD), ("test", {"kl": 1.0})]
    assert read_metrics(tmp_path) == {"training": RECORD, "test": {"kl": 1.0}}


def test_a_file_of_before_there_were_numbers_is_read(tmp_path: Path) -> None:
    assert read_metrics(stored(tmp_path, {"training": RECORD})) == {"training": RECORD}


def test_a_file_of_a_newer_version_says_so_and_stays(tmp_path: Path) -> None:
    stored(tmp_path, {"format": METRICS_FORMAT + 1, "training": RECORD})
    before = (tmp_path / "metrics.json").read_bytes()
    for use in (lambda: read_metrics(tmp_path), lambda: write_metrics(tmp_path, {"test": {}})):
        with pytest.raises(ModelError, match=r"metrics\.json was made by a newer version of VAE Explorer"):
            use()
    assert (tmp_path / "metrics.json").read_bytes() == before


@pytest.mark.parametrize("number", [0, "1", 1.5, None, True])
def test_a_number_that_is_none_is_refused(tmp_path: Path, number: object) -> None:
    stored(tmp_path, {"format": number, "training": RECORD})
    if number is None:  # the same as nothing
        assert read_metrics(tmp_path) == {"training": RECORD}
        return
    with pytest.raises(ModelError, match="format must be a whole number"):
        read_metrics(tmp_path)


@pytest.mark.parametrize(
    ("command", "is_kept"),
    [
        ("python -m vae_core train --preset mnist-2d", True),
        ("python -m vae_core train --dataset /srv/somebody/pictures", False),
        ("python -m vae_core train --models-dir=~/m", False),
        ("python -m vae_core train --dataset C:\\\\pictures", False),
        ("python -m vae_core train --dataset a/b", False),
    ],
)
def test_a_command_of_version_0_1_is_kept_where_it_names_no_folder(tmp_path: Path, command: str, is_kept: bool) -> None:
    stored(tmp_path, {"training": {**RECORD, "command": command}, "test": {"kl": 1.0}})
    expected = {**RECORD, "command": command} if is_kept else RECORD
    assert read_metrics(tmp_path) == {"training": expected, "test": {"kl": 1.0}}
