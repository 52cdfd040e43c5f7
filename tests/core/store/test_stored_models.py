"""Stored models: what comes back, what is refused, and loading from a hub that runs on this machine."""

import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from vae_core.errors import ConfigError, ModelError, VAEExplorerError
from vae_core.models.config import ModelConfig, TrainingConfig
from vae_core.models.vae import CONFIG_FILE, VAE, WEIGHTS_FILE
from vae_core.runtime.locations import shipped_models
from vae_core.store import stored_models
from vae_core.store.metrics_file import read_metrics, write_metrics
from vae_core.store.stored_models import check_name, find_model, list_models, model_folder, models_dirs, save_model

CONFIGS = [
    ModelConfig(architecture="mlp", channels=3, height=4, width=6, latent_dim=2, likelihood="gaussian", widths=(5, 4)),
    ModelConfig(architecture="conv", height=8, width=8, latent_dim=2, widths=(4, 6), blocks=2, dense_units=5),
    ModelConfig(architecture="mlp", height=4, width=4, variational=False, widths=(5,), training=TrainingConfig("x")),
]


@pytest.fixture
def stored(tmp_path: Path, tiny_model: VAE) -> Path:
    """A folder with the tiny model."""
    save_model(tiny_model, tmp_path / "tiny")
    return tmp_path / "tiny"


def refused(folder: Path) -> str:
    """The message with which the folder is refused: one sentence, from our own tree of errors."""
    with pytest.raises(VAEExplorerError) as caught:
        VAE.from_pretrained(folder)
    assert isinstance(caught.value, ModelError | ConfigError)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return str(caught.value)


# --- what comes back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", CONFIGS, ids=["mlp", "conv", "plain"])
def test_full_precision_comes_back_bit_for_bit(tmp_path: Path, config: ModelConfig) -> None:
    model = VAE.build_seeded(config, seed=3)
    save_model(model, tmp_path / "m", half=False)
    back = VAE.from_pretrained(tmp_path / "m")
    assert back.config == config
    assert_same(back.state_dict(), model.state_dict())


@pytest.mark.parametrize("config", CONFIGS, ids=["mlp", "conv", "plain"])
def test_half_precision_comes_back_as_the_rounded_weights_in_float32(tmp_path: Path, config: ModelConfig) -> None:
    model = VAE.build_seeded(config, seed=3)
    save_model(model, tmp_path / "m")
    assert {tensor.dtype for tensor in load_file(tmp_path / "m" / WEIGHTS_FILE).values()} == {torch.float16}
    back = VAE.from_pretrained(tmp_path / "m").state_dict()
    assert {tensor.dtype for tensor in back.values()} == {torch.float32}
    assert_same(back, {name: tensor.half().float() for name, tensor in model.state_dict().items()})


def assert_same(got: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert got.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(got[name], tensor), name


def test_saving_in_half_precision_leaves_the_model_as_it_was(tmp_path: Path, tiny_model: VAE) -> None:
    before = {name: tensor.clone() for name, tensor in tiny_model.state_dict().items()}
    save_model(tiny_model, tmp_path / "m")
    assert_same(tiny_model.state_dict(), before)
    assert {tensor.dtype for tensor in tiny_model.state_dict().values()} == {torch.float32}


def test_weights_in_another_memory_order_are_stored_alike(tmp_path: Path) -> None:
    model = VAE.build_seeded(CONFIGS[1], seed=3)
    save_model(model, tmp_path / "one", half=False)
    save_model(model.to(memory_format=torch.channels_last), tmp_path / "two", half=False)
    assert (tmp_path / "one" / WEIGHTS_FILE).read_bytes() == (tmp_path / "two" / WEIGHTS_FILE).read_bytes()


def test_a_loaded_model_is_ready_to_be_used(stored: Path) -> None:
    assert not VAE.from_pretrained(stored).training


def test_a_path_may_be_given_as_text(stored: Path) -> None:
    assert_same(VAE.from_pretrained(str(stored)).state_dict(), VAE.from_pretrained(stored).state_dict())


def test_saving_again_replaces_weights_and_configuration(stored: Path) -> None:
    other = VAE.build_seeded(CONFIGS[0], seed=9)
    save_model(other, stored, half=False)
    back = VAE.from_pretrained(stored)
    assert back.config == CONFIGS[0]
    assert_same(back.state_dict(), other.state_dict())


def test_saving_writes_a_card_that_says_what_the_model_is(stored: Path) -> None:
    card = (stored / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# tiny\n")
    assert "mlp variational autoencoder for images of 1 x 8 x 8" in card
    assert "3 latent dimensions" in card


def test_saving_keeps_a_card_that_is_there(stored: Path, tiny_model: VAE) -> None:
    (stored / "README.md").write_text("written by hand", encoding="utf-8")
    save_model(tiny_model, stored)
    assert (stored / "README.md").read_text(encoding="utf-8") == "written by hand"


def test_saving_where_a_file_lies_is_refused_by_name(tmp_path: Path, tiny_model: VAE) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError) as caught:
        save_model(tiny_model, tmp_path / "file" / "m")
    assert str(tmp_path / "file" / "m") in str(caught.value)


def test_weights_that_cannot_be_written_are_a_model_error(stored: Path, tiny_model: VAE) -> None:
    (stored / WEIGHTS_FILE).unlink()
    (stored / WEIGHTS_FILE).mkdir()
    with pytest.raises(ModelError) as caught:
        save_model(tiny_model, stored)
    assert str(stored) in str(caught.value)


# --- what is refused -----------------------------------------------------------------------------------------


def test_a_missing_tensor_is_refused(stored: Path) -> None:
    weights = load_file(stored / WEIGHTS_FILE)
    del weights["encoder.mean.bias"]
    save_file(weights, stored / WEIGHTS_FILE)
    assert "encoder.mean.bias" in refused(stored)


def test_an_extra_tensor_is_refused(stored: Path) -> None:
    save_file(load_file(stored / WEIGHTS_FILE) | {"encoder.extra": torch.zeros(2)}, stored / WEIGHTS_FILE)
    assert "encoder.extra" in refused(stored)


def test_a_tensor_of_another_shape_is_refused(stored: Path) -> None:
    save_file(load_file(stored / WEIGHTS_FILE) | {"encoder.mean.bias": torch.zeros(2)}, stored / WEIGHTS_FILE)
    assert "encoder.mean.bias" in refused(stored)


def test_weights_of_another_configuration_are_refused(stored: Path, tiny_config: ModelConfig) -> None:
    save_model(VAE(replace(tiny_config, latent_dim=2)), stored.parent / "other")
    (stored.parent / "other" / WEIGHTS_FILE).replace(stored / WEIGHTS_FILE)
    assert WEIGHTS_FILE in refused(stored)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_truncated_weights_are_refused(stored: Path, kept: int) -> None:
    content = (stored / WEIGHTS_FILE).read_bytes()
    (stored / WEIGHTS_FILE).write_bytes(content[:kept])
    assert WEIGHTS_FILE in refused(stored)


class Trap:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_in_place_of_the_weights_is_refused_unopened(stored: Path, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps({"encoder.mean.bias": Trap(sprung)})
    (stored / WEIGHTS_FILE).write_bytes(trap)
    assert WEIGHTS_FILE in refused(stored)
    assert not sprung.exists()
    pickle.loads(trap)
    assert sprung.exists(), "the trap works"


def test_a_pickle_beside_the_configuration_is_not_taken_for_the_weights(stored: Path, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    torch.save(Trap(sprung), stored / "pytorch_model.bin")
    (stored / WEIGHTS_FILE).unlink()
    assert WEIGHTS_FILE in refused(stored)
    assert not sprung.exists()


def test_a_folder_in_place_of_the_weights_is_refused(stored: Path) -> None:
    (stored / WEIGHTS_FILE).unlink()
    (stored / WEIGHTS_FILE).mkdir()
    assert WEIGHTS_FILE in refused(stored)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"mlp"', '{"architecture": "mlp", "layers": 3}'])
def test_a_configuration_that_is_none_is_refused(stored: Path, text: str) -> None:
    (stored / CONFIG_FILE).write_text(text, encoding="utf-8")
    assert CONFIG_FILE in refused(stored)


def test_a_missing_configuration_is_refused(stored: Path) -> None:
    (stored / CONFIG_FILE).unlink()
    assert CONFIG_FILE in refused(stored)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert CONFIG_FILE in refused(tmp_path)


# --- names and lists -----------------------------------------------------------------------------------------


@pytest.fixture
def two_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: VAE, nothing_shipped: None
) -> tuple[Path, Path]:
    """Two folders of models, nothing shipped: "both" is in each, "one" and "two" in one."""
    roots = tmp_path / "one", tmp_path / "two"
    for root in roots:
        save_model(tiny_model, root / root.name)
        save_model(tiny_model, root / "both")
    monkeypatch.setenv("VAE_MODELS_DIR", os.pathsep.join(map(str, roots)))
    return roots


def test_models_of_all_folders_are_listed_once_by_name(two_roots: tuple[Path, Path]) -> None:
    assert list_models() == ["both", "one", "two"]


def test_the_first_folder_wins(two_roots: tuple[Path, Path]) -> None:
    assert model_folder("both") == two_roots[0] / "both"
    assert model_folder("two") == two_roots[1] / "two"


def test_what_is_no_model_is_not_listed(two_roots: tuple[Path, Path], tiny_model: VAE) -> None:
    root = two_roots[0]
    (root / "notes.txt").touch()
    (root / "empty").mkdir()
    save_model(tiny_model, root / ".hidden")
    save_model(tiny_model, root / "Capital")
    save_model(tiny_model, root / "no-weights")
    (root / "no-weights" / WEIGHTS_FILE).unlink()
    assert list_models() == ["both", "one", "two"]


def test_an_unknown_name_is_answered_with_the_known_ones(two_roots: tuple[Path, Path]) -> None:
    with pytest.raises(ModelError, match=r"no model named 'three'.*: both, one, two\."):
        model_folder("three")


@pytest.mark.usefixtures("nothing_shipped")
def test_without_any_model_the_message_says_so() -> None:
    assert list_models() == []
    with pytest.raises(ModelError, match="none yet"):
        model_folder("any")


def test_the_shipped_models_are_looked_for_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_MODELS_DIR", os.pathsep.join(["a", "", "b"]))
    assert models_dirs() == [Path("a"), Path("b"), shipped_models()]


@pytest.mark.parametrize("name", ["a", "7", "mnist-2d", "digits_v1.5", "x" * 64])
def test_plain_names_pass(name: str) -> None:
    assert check_name(name) == name


BAD_NAMES = ["", ".", "..", "../x", "a/b", "a\\b", "/etc", ".hidden", "-x", "A", "ä", "a b", "a\n", "a\0", "x" * 65]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_be_a_path_is_refused(models_dir: Path, name: str) -> None:
    for use in (check_name, model_folder):
        with pytest.raises(ModelError, match="a model's name has"):
            use(name)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_be_a_path_finds_nothing(models_dir: Path, tiny_model: VAE, name: str) -> None:
    save_model(tiny_model, models_dir.parent / "x")
    assert find_model(name) is None
    assert find_model("tiny") == models_dir / "tiny"


def test_a_model_is_loaded_by_name(models_dir: Path, tiny_model: VAE) -> None:
    images = torch.rand(2, 1, 8, 8)
    assert torch.allclose(VAE.from_pretrained(model_folder("tiny"))(images), tiny_model(images), atol=1e-3)


# --- figures -------------------------------------------------------------------------------------------------


def test_figures_are_merged_with_those_that_are_there(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == {}
    write_metrics(tmp_path, {"training": {"seconds": 3.0}, "test": {"kl": 1.0}})
    write_metrics(tmp_path, {"test": {"kl": 2.0}})
    assert read_metrics(tmp_path) == {"training": {"seconds": 3.0}, "test": {"kl": 2.0}}


def test_a_figure_that_json_cannot_hold_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write_metrics(tmp_path, {"test": {"kl": 1.0}})
    with pytest.raises(ModelError, match=r"metrics\.json can hold finite numbers only \(.*nan"):
        write_metrics(tmp_path, {"test": {"kl": float("nan")}})
    assert read_metrics(tmp_path) == {"test": {"kl": 1.0}}


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_damaged_figures_are_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        read_metrics(tmp_path)
    assert str(tmp_path / "metrics.json") in str(caught.value)


# --- the hub -------------------------------------------------------------------------------------------------

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """What huggingface_hub asks of the hub: a revision, its list of files, then the head and content of each."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.root = root  # owner/name/file
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"] and parts[3] == "portal":
            self._answer(b"<html>Please log in to this network.</html>", "text/html")
        elif parts[:2] == ["api", "models"] and (self.server.root / parts[2] / parts[3]).is_dir():
            self._answer(json.dumps(self._listing(parts)).encode(), "application/json")
        elif parts[2:3] == ["resolve"]:
            path = self.server.root / parts[0] / parts[1] / parts[4]
            self._answer(path.read_bytes(), "application/octet-stream")
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET  # noqa: N815 - http.server looks for this name

    def _listing(self, parts: list[str]) -> object:
        if parts[4] == "revision":
            return {"id": "/".join(parts[2:4]), "sha": COMMIT}
        files = sorted((self.server.root / parts[2] / parts[3]).iterdir())
        return [{"type": "file", "path": file.name, "size": file.stat().st_size, "oid": file.name} for file in files]

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        headers = {"Content-Type": kind, "Content-Length": len(body), "X-Repo-Commit": COMMIT}
        for name, value in {**headers, "ETag": f'"{hash(body):x}"'}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def hub(tmp_path: Path, tiny_model: VAE) -> Iterator[Hub]:
    root = tmp_path / "hub"
    save_model(tiny_model, root / "owner" / "name", half=False)
    save_model(tiny_model, root / "owner" / "pickled")
    for repository in ("name", "pickled"):
        torch.save(tiny_model.state_dict(), root / "owner" / repository / "pytorch_model.bin")
    (root / "owner" / "pickled" / WEIGHTS_FILE).unlink()
    with Hub(root) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


# Loads each model by its id and stores it under its name; prints the message of one that is refused.
LOAD_AND_STORE = """
import sys
from pathlib import Path
from vae_core.errors import ModelError
from vae_core.models.vae import VAE
for hub_id in sys.argv[2:]:
    try:
        VAE.from_pretrained(hub_id).save_pretrained(Path(sys.argv[1]) / Path(hub_id).name)
        print("loaded")
    except ModelError as error:
        print(error)
"""


def load_from_hub(url: str, home: Path, *hub_ids: str) -> list[str]:
    """What becomes of each id in a process of its own, since the hub's address is read at import."""
    own = {"HF_ENDPOINT": url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    own |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", LOAD_AND_STORE, str(home), *hub_ids]
    root = Path(stored_models.__file__).parents[2]
    done = subprocess.run(
        command, env={**os.environ, **own}, cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_model_is_loaded_by_its_hub_id(hub: Hub, tmp_path: Path, tiny_model: VAE) -> None:
    ids = ("owner/name", "owner/pickled", "owner/missing", "owner/portal", "no/hub/id")
    loaded, pickled, missing, portal, malformed = load_from_hub(hub.url, tmp_path / "home", *ids)

    assert loaded == "loaded"
    assert_same(VAE.from_pretrained(tmp_path / "home" / "name").state_dict(), tiny_model.state_dict())
    contents = {line.rpartition("/")[2] for line in hub.requests if line.startswith("GET /owner/")}
    assert contents == {CONFIG_FILE, WEIGHTS_FILE}, "no pickle is fetched"

    assert WEIGHTS_FILE in pickled
    assert missing.startswith("no model at 'owner/missing'")
    assert portal.startswith("no model at 'owner/portal'")
    assert malformed.startswith("no model at 'no/hub/id'")


def test_a_hub_that_cannot_be_reached_is_a_model_error(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), HubHandler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
    (message,) = load_from_hub(url, tmp_path / "home", "owner/name")  # nobody listens there any more
    assert message.startswith("no model at 'owner/name'")
