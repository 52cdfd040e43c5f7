"""Where everything lies: a variable for each place, the operating system's folders else, and the former ones kept."""

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from vae_core.errors import ConfigError
from vae_core.runtime.locations import (
    CACHE_VARIABLE,
    DATA_VARIABLE,
    HOME_VARIABLE,
    LOCATIONS,
    MODELS_VARIABLE,
    RUNS_VARIABLE,
    cache_folder,
    data_folder,
    home_folder,
    own_file,
    own_models,
    runs_folder,
    shipped_models,
)

MOVED = {RUNS_VARIABLE: runs_folder, CACHE_VARIABLE: cache_folder, HOME_VARIABLE: home_folder}
DATA = platformdirs.user_data_path
DEFAULTS: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    MODELS_VARIABLE: (own_models, lambda: [DATA("vae-explorer") / "models"]),
    RUNS_VARIABLE: (runs_folder, lambda: platformdirs.user_state_path("vae-explorer") / "runs"),
    CACHE_VARIABLE: (cache_folder, lambda: platformdirs.user_cache_path("vae-explorer")),
    HOME_VARIABLE: (home_folder, lambda: DATA("vae-explorer")),
    DATA_VARIABLE: (data_folder, lambda: None),
}


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of an account in which no variable is set."""
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", *DEFAULTS):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_every_variable_is_in_the_table_once() -> None:
    assert sorted(place.variable for place in LOCATIONS if place.variable) == sorted(DEFAULTS)


@pytest.mark.parametrize("place", LOCATIONS, ids=lambda place: place.name)
def test_the_table_gives_the_folders_and_makes_none(own_places: Path, place: object) -> None:
    for folder in place.folders():
        assert folder.is_relative_to(own_places) or place.variable in ("", DATA_VARIABLE)
    assert not own_places.exists()


@pytest.mark.parametrize("variable", MOVED)
def test_a_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "mine"))
    assert MOVED[variable]() == tmp_path / "mine"


@pytest.mark.parametrize("variable", DEFAULTS)
@pytest.mark.parametrize("value", [None, ""])
def test_else_it_is_the_operating_system_s(
    account: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv(variable, value)
    asked, expected = DEFAULTS[variable]
    assert asked() == expected()


@pytest.mark.parametrize("variable", DEFAULTS)
def test_a_tilde_stands_for_the_home_folder(account: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "~/mine")
    found = DEFAULTS[variable][0]()
    assert found in ([account / "mine"], account / "mine")


def test_own_models_may_lie_in_several_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, os.pathsep.join(["a", "", "b"]))
    assert own_models() == [Path("a"), Path("b")]


def test_own_models_go_with_the_owner_s_folder(account: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "mine"))
    assert own_models() == [tmp_path / "mine" / "models"]


def test_without_a_home_folder_the_variable_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", nowhere)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda app: Path("~/.cache") / app)
    monkeypatch.delenv(CACHE_VARIABLE)
    for variable, asked in (
        (CACHE_VARIABLE, cache_folder),
        (HOME_VARIABLE, home_folder),
        (MODELS_VARIABLE, own_models),
    ):
        with pytest.raises(ConfigError, match=f"set {variable}"):
            asked()


# --- the owner's folder of version 0.1 -----------------------------------------------------------------------


def test_a_file_is_read_from_the_former_folder_while_it_is_only_there(account: Path) -> None:
    former = account / ".vae-explorer" / "directions" / "tiny.json"
    present = home_folder() / "directions" / "tiny.json"
    assert own_file("directions/tiny.json") == present
    former.parent.mkdir(parents=True)
    former.touch()
    assert own_file("directions/tiny.json") == former
    present.parent.mkdir(parents=True)
    present.touch()
    assert own_file("directions/tiny.json") == present
    assert former.exists()


def test_a_folder_that_a_variable_names_has_no_former_one(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (account / ".vae-explorer").mkdir()
    (account / ".vae-explorer" / "notes.json").touch()
    monkeypatch.setenv(HOME_VARIABLE, str(account / "mine"))
    assert own_file("notes.json") == account / "mine" / "notes.json"


# --- the shipped models --------------------------------------------------------------------------------------


def test_the_shipped_models_lie_beside_the_packages() -> None:
    assert (shipped_models() / "mnist-16d" / "config.json").is_file()
