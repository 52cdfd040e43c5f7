"""The person's own folder."""

from pathlib import Path

import pytest

from vae_core.errors import ConfigError
from vae_core.runtime.locations import HOME_VARIABLE, home_folder


def test_the_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "mine"))
    assert home_folder() == tmp_path / "mine"
    assert not home_folder().exists(), "asking makes nothing"


@pytest.mark.parametrize("value", [None, ""])
def test_else_it_lies_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    if value is None:
        monkeypatch.delenv(HOME_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(HOME_VARIABLE, value)
    assert home_folder() == tmp_path / ".vae-explorer"


def test_a_tilde_stands_for_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv(HOME_VARIABLE, "~/mine")
    assert home_folder() == tmp_path / "mine"


def test_without_a_home_folder_the_variable_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(ConfigError, match=f"set {HOME_VARIABLE}"):
        home_folder()
