"""A person's own directions: they come back as they were saved, and nothing else that lies there is taken for them."""

import json
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vae_core.errors import ConfigError, InputError, ModelError
from vae_core.latent.directions import Direction, axis_direction
from vae_core.latent.names import NAME_LIMIT
from vae_core.latent.separation import Separation
from vae_core.runtime.locations import HOME_VARIABLE
from vae_core.store import saved_directions
from vae_core.store.saved_directions import DIRECTION_LIMIT, add_directions, load_directions, save_directions

DIGEST, OTHER = "0123456789ab", "ba9876543210"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own folder, which does not exist yet."""
    folder = tmp_path / "far" / "home"
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    return folder


def named(*names: str, latent: int = 3) -> list[Direction]:
    return [axis_direction(index % latent, latent, name) for index, name in enumerate(names)]


def names(digest: str = DIGEST) -> list[str]:
    return [direction.name for direction in load_directions("tiny", digest).directions]


def file_in(home: Path) -> Path:
    return home / "directions" / "tiny.json"


# --- where they are kept -------------------------------------------------------------------------------------


def test_the_home_folder_is_made_by_the_first_save_alone(home: Path) -> None:
    saved = load_directions("tiny", DIGEST)
    assert (saved.directions, saved.of_other_weights) == ((), 0)
    assert not home.parent.exists()
    save_directions("tiny", DIGEST, named("a"))
    assert [path.name for path in file_in(home).parent.iterdir()] == ["tiny.json"]


def test_those_of_the_former_folder_are_found_and_stay_there(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_directions("tiny", DIGEST, named("a"))
    former = tmp_path / "account" / ".vae-explorer" / "directions" / "tiny.json"
    former.parent.mkdir(parents=True)
    file_in(home).rename(former)
    before = former.read_bytes()
    monkeypatch.delenv(HOME_VARIABLE)
    for variable in ("HOME", "USERPROFILE", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "account"))
    assert names() == ["a"]
    add_directions("tiny", DIGEST, named("b"))
    assert names() == ["a", "b"]
    assert former.read_bytes() == before


def test_those_that_version_0_1_saved_for_the_same_weights_are_adopted(home: Path) -> None:
    save_directions("tiny", OTHER, named("a", "b"))
    save_directions("tiny", DIGEST, named("b", "c"))
    loaded = load_directions("tiny", DIGEST, former_digest=OTHER)
    assert ([each.name for each in loaded.directions], loaded.of_other_weights) == (["b", "c", "a"], 0)
    assert names() == ["b", "c"], "reading changes nothing"
    assert add_directions("tiny", DIGEST, named("d"), former_digest=OTHER) == 4
    assert names() == ["b", "c", "a", "d"]
    assert load_directions("tiny", DIGEST).of_other_weights == 0
    assert load_directions("tiny", "other", former_digest="none").of_other_weights == 4


@pytest.mark.parametrize("name", ["", "..", "../tiny", "a/b", "/etc/passwd", "Tiny", "tiny\n", "a" * 65, "~"])
def test_names_that_no_model_can_have_never_become_a_path(home: Path, name: str) -> None:
    with pytest.raises(ModelError, match="a model's name"):
        save_directions(name, DIGEST, named("a"))
    with pytest.raises(ModelError, match="a model's name"):
        load_directions(name, DIGEST)
    assert not home.exists()


@pytest.mark.parametrize("digest", ["", "a b", "a/b", "ab\n", "a" * 65, "ä"])
def test_digests_that_are_none_are_refused(digest: str) -> None:
    with pytest.raises(InputError, match="a model's digest"):
        save_directions("tiny", digest, named("a"))
    with pytest.raises(InputError, match="a model's digest"):
        load_directions("tiny", digest)


# --- what comes back -----------------------------------------------------------------------------------------


def test_directions_come_back_as_they_were_saved() -> None:
    vectors = np.random.default_rng(0).standard_normal((3, 16), dtype=np.float32)
    vectors[0, :4] = [np.finfo(np.float32).max, -np.finfo(np.float32).max, 1e-45, -0.0]
    saved = [
        Direction("Lächeln 笑顔 👩‍🦰 \"'\\/", vectors[0], "groups", Separation(0.9371, 0.0123, 12, 3456, True)),
        Direction("component 1", vectors[1], "component", variance_share=1 / 3),
        Direction("z1", vectors[2], "axis"),
    ]
    save_directions("tiny", DIGEST, saved)
    back = load_directions("tiny", DIGEST)
    assert back.of_other_weights == 0
    assert len(back.directions) == 3
    for got, expected in zip(back.directions, saved, strict=True):
        assert got.vector.dtype == np.float32
        assert np.array_equal(got.vector, expected.vector)
        for attribute in ("name", "kind", "separation", "variance_share"):
            assert getattr(got, attribute) == getattr(expected, attribute)


def test_a_save_replaces_what_was_saved_before() -> None:
    save_directions("tiny", DIGEST, named("a", "b"))
    save_directions("tiny", DIGEST, named("c"))
    assert names() == ["c"]
    save_directions("tiny", DIGEST, [])
    assert names() == []


def test_what_is_added_takes_the_place_of_its_name_and_leaves_the_others() -> None:
    assert add_directions("tiny", DIGEST, named("a", "b")) == 2
    assert add_directions("tiny", DIGEST, named("c", "a")) == 3
    assert names() == ["b", "c", "a"]
    moved = {each.name: each.vector.tolist() for each in load_directions("tiny", DIGEST).directions}
    assert moved["a"] == [0, 1, 0], "the newer one"
    full = [f"d{index}" for index in range(DIRECTION_LIMIT - 3)]
    add_directions("tiny", DIGEST, named(*full))
    with pytest.raises(InputError, match="at most 200 directions are kept for a model, got 201"):
        add_directions("tiny", DIGEST, named("one more"))
    assert names() == ["b", "c", "a", *full]


def test_each_model_has_its_own() -> None:
    save_directions("tiny", DIGEST, named("a"))
    save_directions("tiny.json", DIGEST, named("b"))
    assert names() == ["a"]
    assert [each.name for each in load_directions("tiny.json", DIGEST).directions] == ["b"]


def test_directions_of_other_weights_are_counted_and_kept() -> None:
    save_directions("tiny", OTHER, named("a", "b", latent=5))
    retrained = load_directions("tiny", DIGEST)
    assert (retrained.directions, retrained.of_other_weights) == ((), 2)
    save_directions("tiny", DIGEST, named("a"))
    assert load_directions("tiny", DIGEST).of_other_weights == 2
    assert names() == ["a"]
    assert names(OTHER) == ["a", "b"], "back to those weights"
    assert load_directions("tiny", "c").of_other_weights == 3


def test_as_many_as_the_limit_are_kept_and_older_weights_make_room() -> None:
    full = [f"d{index}" for index in range(DIRECTION_LIMIT)]
    save_directions("tiny", "older", named(*full[:5]))
    save_directions("tiny", "old", named(*full[: DIRECTION_LIMIT - 3]))
    assert (len(names("old")), len(names("older"))) == (DIRECTION_LIMIT - 3, 3)
    save_directions("tiny", DIGEST, named(*full))
    assert names() == full
    assert (names("old"), names("older")) == ([], [])


def test_the_largest_file_that_can_be_saved_can_be_read() -> None:
    vectors = -np.random.default_rng(0).random((DIRECTION_LIMIT, 256), dtype=np.float32) * np.float32(1.1e-30)
    separation = Separation(0.1 + 0.2, 1 / 3, 10**6, 10**6)
    save_directions(
        "tiny", DIGEST, [Direction(f"{i:4}" + "笑" * 56, v, "groups", separation) for i, v in enumerate(vectors)]
    )
    back = load_directions("tiny", DIGEST).directions
    assert np.array_equal([each.vector for each in back], vectors)


# --- what is not saved ---------------------------------------------------------------------------------------


def test_lists_that_cannot_be_told_apart_or_applied_are_refused() -> None:
    save_directions("tiny", DIGEST, named("kept"))
    with pytest.raises(InputError, match="'a' twice"):
        save_directions("tiny", DIGEST, named("a", "b", "a"))
    with pytest.raises(InputError, match="some of 3 and 4"):
        save_directions("tiny", DIGEST, [*named("a"), *named("b", latent=4)])
    with pytest.raises(InputError, match=f"at most {DIRECTION_LIMIT}.*got {DIRECTION_LIMIT + 1}"):
        save_directions("tiny", DIGEST, named(*map(str, range(DIRECTION_LIMIT + 1))))
    assert names() == ["kept"]


def test_a_write_that_breaks_off_leaves_the_last_file_whole(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_directions("tiny", DIGEST, named("kept"))

    def full_disk(path: Path, text: str, encoding: str) -> None:
        path.write_bytes(text.encode(encoding)[:50])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(ConfigError, match=r"tiny\.json cannot be written \(No space left on device\)"):
        save_directions("tiny", DIGEST, named("lost"))
    assert names() == ["kept"]
    assert [path.name for path in file_in(home).parent.iterdir()] == ["tiny.json"], "nothing half written stays"


def test_a_file_changes_in_one_step(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_directions("tiny", DIGEST, named("a"))
    seen, replace = [], Path.replace

    def watched(self: Path, target: Path) -> Path:
        assert self.parent == target.parent, "a rename within one folder is a single step"
        seen.append((names(), json.loads(self.read_text("utf-8"))["models"][0]["directions"][0]["name"]))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    save_directions("tiny", DIGEST, named("b"))
    assert seen == [(["a"], "b")]
    assert names() == ["b"]


def test_saves_at_the_same_time_lose_nothing_of_each_other() -> None:
    digests = [f"digest{index}" for index in range(8)]
    threads = [threading.Thread(target=save_directions, args=("tiny", digest, named(digest))) for digest in digests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [names(digest) for digest in digests] == [[digest] for digest in digests]


def test_a_home_that_cannot_be_written_is_told(home: Path) -> None:
    home.parent.mkdir()
    home.write_text("a file")
    for act in (lambda: save_directions("tiny", DIGEST, named("a")), lambda: load_directions("tiny", DIGEST)):
        with pytest.raises(ConfigError, match=re.escape(str(file_in(home)))):
            act()
    assert home.read_text() == "a file"


# --- damaged files -------------------------------------------------------------------------------------------


def refusal(home: Path, content: bytes) -> str:
    """The sentence with which a file is refused, by reading and by saving; the file stays as it is."""
    file_in(home).parent.mkdir(parents=True, exist_ok=True)
    file_in(home).write_bytes(content)
    with pytest.raises(ConfigError) as reading:
        load_directions("tiny", DIGEST)
    with pytest.raises(ConfigError) as saving:
        save_directions("tiny", DIGEST, named("new"))
    assert str(saving.value) == str(reading.value)
    assert str(file_in(home)) in str(reading.value)
    assert str(reading.value).endswith("Mend the file or delete it.")
    assert "\n" not in str(reading.value)
    assert len(str(reading.value)) < 500
    assert file_in(home).read_bytes() == content
    return str(reading.value)


def stored(home: Path) -> dict[str, Any]:
    """A file with two directions of three dimensions, as JSON."""
    separation = Separation(0.75, 0.05, 20, 30)
    first = Direction("a", np.array([1, 2, 3], np.float32), "groups", separation)
    save_directions("tiny", DIGEST, [first, *named("b")])
    text: dict[str, Any] = json.loads(file_in(home).read_text("utf-8"))
    return text


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"\x80\x04pickle", b"[" * 100_000, b'{"format": 1}', b'{"models": []}'],
)
def test_other_files_under_its_name_are_refused(home: Path, content: bytes) -> None:
    refusal(home, content)


@pytest.mark.parametrize("kept", [1, 50, -3])
def test_a_truncated_file_is_refused(home: Path, kept: int) -> None:
    stored(home)
    refusal(home, file_in(home).read_bytes()[:kept])


def test_a_file_too_large_is_refused_unparsed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_directions, "BYTES_LIMIT", 1000)
    monkeypatch.setattr(saved_directions, "config_from_json", lambda *_: pytest.fail("it was parsed"))
    assert "at most 1000 bytes" in refusal(home, b" " * 1001)


CHANGES: dict[str, tuple[str, Any]] = {
    "extra": ("extra", 1),
    "name": ("name", ""),
    "name too long": ("name", "x" * (NAME_LIMIT + 1)),
    "name of controls": ("name", "a\u001bb"),
    "name of half a pair": ("name", "\ud800"),
    "name a number": ("name", 1),
    "kind": ("kind", "other"),
    "zero vector": ("vector", [0, 0, 0]),
    "no vector": ("vector", []),
    "vector of text": ("vector", ["1", "2", "3"]),
    "vector of truths": ("vector", [True, 2, 3]),
    "vector of null": ("vector", [None, 2, 3]),
    "vector shorter": ("vector", [1, 2]),
    "vector longer": ("vector", [1, 2, 3, 4]),
    "vector with NaN": ("vector", [1, 2, float("nan")]),
    "vector with infinity": ("vector", [1, 2, float("inf")]),
    "vector beyond single precision": ("vector", [1, 2, 1e39]),
    "vector beyond any precision": ("vector", [1, 2, 10**400]),
    "share": ("variance_share", 1.5),
    "share NaN": ("variance_share", float("nan")),
    "name repeated": ("name", "b"),
}


@pytest.mark.parametrize(("key", "value"), CHANGES.values(), ids=CHANGES)
def test_a_direction_that_breaks_a_rule_is_refused(home: Path, key: str, value: Any) -> None:
    content = stored(home)
    content["models"][0]["directions"][0][key] = value
    refusal(home, json.dumps(content).encode())


@pytest.mark.parametrize("key", ["name", "kind", "vector"])
def test_a_direction_that_lacks_a_part_is_refused(home: Path, key: str) -> None:
    content = stored(home)
    del content["models"][0]["directions"][0][key]
    assert key in refusal(home, json.dumps(content).encode())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("auroc", 1.01), ("auroc", -0.1), ("auroc", "1"), ("auroc_error", -1), ("auroc_error", float("inf"))),
        *(("count_a", 0), ("count_b", 1.5), ("other", 1)),
    ],
)
def test_a_separation_that_breaks_a_rule_is_refused(home: Path, key: str, value: Any) -> None:
    content = stored(home)
    content["models"][0]["directions"][0]["separation"][key] = value
    assert key in refusal(home, json.dumps(content).encode())


def test_a_file_as_a_whole_that_breaks_a_rule_is_refused(home: Path) -> None:
    content = stored(home)
    model = content["models"][0]
    assert "format" in refusal(home, json.dumps(content | {"format": 2}).encode())
    assert "extra" in refusal(home, json.dumps(content | {"extra": 2}).encode())
    assert f"two for '{DIGEST}'" in refusal(home, json.dumps(content | {"models": [model, model]}).encode())
    assert "digest" in refusal(home, json.dumps(content | {"models": [model | {"digest": "../x"}]}).encode())
    many = [{**model["directions"][0], "name": str(index)} for index in range(DIRECTION_LIMIT // 2 + 1)]
    lists = [model | {"digest": digest, "directions": many} for digest in (DIGEST, OTHER)]
    assert f"got {DIRECTION_LIMIT + 2}" in refusal(home, json.dumps(content | {"models": lists}).encode())


def test_a_list_of_other_weights_is_checked_as_well(home: Path) -> None:
    content = stored(home)
    content["models"][0]["digest"] = OTHER
    content["models"][0]["directions"][0]["name"] = "\n"
    refusal(home, json.dumps(content).encode())
