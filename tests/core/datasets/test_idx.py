"""The sets of idx files: archives, official files and their download, against a mirror on this machine."""

import gzip
import hashlib
import os
import pickle
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from vae_core.datasets import idx
from vae_core.datasets.idx import IdxSet
from vae_core.datasets.registry import DATASETS, FASHION_MNIST, MNIST, load_dataset
from vae_core.errors import DatasetError, DownloadError

REAL_DATA_DIR = os.environ.get("VAE_DATA_DIR")

TRAIN_COUNT, VALIDATION_COUNT, TEST_COUNT = 9, 3, 4
SPLITS = ("train", "validation", "test")
TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_FILES = (TRAIN_IMAGES, "train-labels-idx1-ubyte")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the machine's data folder, writes to its cache or leaves the machine."""
    monkeypatch.delenv("VAE_DATA_DIR", raising=False)
    monkeypatch.setenv("VAE_CACHE_DIR", str(tmp_path / "cache"))
    for source in (MNIST, FASHION_MNIST):
        monkeypatch.setenv(source.url_variable, "http://127.0.0.1:1/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(idx, "RETRIES", 0)


# A tiny MNIST and its mirror


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    counts = {"train": TRAIN_COUNT + VALIDATION_COUNT, "test": TEST_COUNT}
    tiny = {f"x_{part}": random.integers(0, 256, (n, 28, 28), dtype=np.uint8) for part, n in counts.items()}
    tiny |= {f"y_{part}": random.integers(0, 10, n, dtype=np.uint8) for part, n in counts.items()}
    return tiny | {"label_names": np.array(list("0123456789"))}


def idx_bytes(values: np.ndarray) -> bytes:
    return struct.pack(f">I{values.ndim}I", 0x0800 + values.ndim, *values.shape) + values.tobytes()


def idx_files(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {
        "train-images-idx3-ubyte": idx_bytes(arrays["x_train"]),
        "train-labels-idx1-ubyte": idx_bytes(arrays["y_train"]),
        "t10k-images-idx3-ubyte": idx_bytes(arrays["x_test"]),
        "t10k-labels-idx1-ubyte": idx_bytes(arrays["y_test"]),
    }


def md5_of(files: dict[str, bytes]) -> dict[str, str]:
    return {file: hashlib.md5(content, usedforsecurity=False).hexdigest() for file, content in files.items()}


def expect_checksums(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], source: IdxSet = MNIST) -> None:
    tiny = replace(source, md5=md5_of(files), validation_count=VALIDATION_COUNT)
    name = source.name
    monkeypatch.setitem(DATASETS, name, replace(DATASETS[name], load=partial(idx.load_idx_set, tiny)))


@pytest.fixture
def tiny_files(monkeypatch: pytest.MonkeyPatch, arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    files = idx_files(arrays)
    expect_checksums(monkeypatch, files)
    return files


Answer = Callable[[BaseHTTPRequestHandler], None]


def whole(content: bytes) -> Answer:
    return cut(content, missing=0)


def cut(content: bytes, missing: int) -> Answer:
    """Promise more bytes than come before the connection closes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content) + missing))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def status(code: int) -> Answer:
    return lambda handler: handler.send_error(code)


@dataclass
class Mirror:
    """What the server answers to each file's name, and the names it was asked for."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def silent(self, _handler: BaseHTTPRequestHandler) -> None:
        self.closing.wait()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tiny_files: dict[str, bytes]) -> Iterator[Mirror]:
    mirror = Mirror(answers={f"{file}.gz": whole(gzip.compress(content)) for file, content in tiny_files.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            mirror.requested.append(name)
            mirror.answers.get(name, status(404))(self)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        mirror.url = f"http://127.0.0.1:{server.server_port}/mnist/"
        monkeypatch.setenv("VAE_MNIST_URL", mirror.url)
        yield mirror
        mirror.closing.set()
        server.shutdown()
        thread.join()


def cached_files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


# Download


def test_the_official_files_are_fetched_and_split(mirror: Mirror, arrays: dict[str, np.ndarray]) -> None:
    parts = {split: load_dataset("mnist", split) for split in SPLITS}
    expected = {
        "train": (arrays["x_train"][:TRAIN_COUNT], arrays["y_train"][:TRAIN_COUNT]),
        "validation": (arrays["x_train"][TRAIN_COUNT:], arrays["y_train"][TRAIN_COUNT:]),
        "test": (arrays["x_test"], arrays["y_test"]),
    }
    for split, (images, labels) in expected.items():
        assert parts[split].images.dtype == torch.uint8
        np.testing.assert_array_equal(parts[split].images[:, 0].numpy(), images)
        np.testing.assert_array_equal(parts[split].labels.numpy(), labels)
        assert parts[split].label_names == tuple("0123456789")
        assert len(parts[split]) == len(labels)


def test_the_second_time_comes_from_the_cache(mirror: Mirror) -> None:
    first = load_dataset("mnist", "train")
    asked_once = list(mirror.requested)
    again = load_dataset("mnist", "train")
    assert mirror.requested == asked_once == [f"{file}.gz" for file in TRAIN_FILES]
    assert torch.equal(first.images, again.images)


def test_train_needs_no_test_files(mirror: Mirror) -> None:
    for name in [name for name in mirror.answers if name.startswith("t10k")]:
        del mirror.answers[name]
    assert len(load_dataset("mnist", "train")) == TRAIN_COUNT
    assert len(load_dataset("mnist", "validation")) == VALIDATION_COUNT
    with pytest.raises(DownloadError, match="404"):
        load_dataset("mnist", "test")


def test_a_mirror_needs_no_final_slash(monkeypatch: pytest.MonkeyPatch, mirror: Mirror) -> None:
    monkeypatch.setenv("VAE_MNIST_URL", mirror.url.rstrip("/"))
    assert len(load_dataset("mnist", "train")) == TRAIN_COUNT


def test_each_set_has_a_mirror_and_a_place_in_the_cache_of_its_own(
    monkeypatch: pytest.MonkeyPatch, mirror: Mirror, tiny_files: dict[str, bytes], tmp_path: Path
) -> None:
    expect_checksums(monkeypatch, tiny_files, FASHION_MNIST)
    assert len(load_dataset("mnist", "train")) == TRAIN_COUNT
    with pytest.raises(DownloadError, match=r"train-images-idx3-ubyte\.gz could not be fetched.*fashion_mnist\.npz"):
        load_dataset("fashion_mnist", "train")

    monkeypatch.setenv("VAE_FASHION_MNIST_URL", mirror.url)
    mirror.requested.clear()
    garments = load_dataset("fashion_mnist", "train")
    assert mirror.requested == [f"{file}.gz" for file in TRAIN_FILES], "under the same names as the digits' files"
    assert garments.label_names[:2] == ("T-shirt/top", "Trouser")
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["fashion_mnist", "mnist"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(404), "the server answered 404 Not Found"),
        (status(500), "the server answered 500 Internal Server Error"),
        (cut(b"only the beginning", missing=1_000), "the connection broke off"),
    ],
    ids=["404", "500", "broken"],
)
def test_a_failed_download_is_one_sentence_and_leaves_no_file(
    mirror: Mirror, tmp_path: Path, answer: Answer, reason: str
) -> None:
    mirror.answers[f"{TRAIN_IMAGES}.gz"] = answer
    with pytest.raises(DownloadError) as caught:
        load_dataset("mnist", "train")
    assert f"{mirror.url}{TRAIN_IMAGES}.gz could not be fetched ({reason})" in str(caught.value)
    assert "VAE_DATA_DIR" in str(caught.value)
    assert cached_files(tmp_path) == []


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch, mirror: Mirror, tmp_path: Path) -> None:
    monkeypatch.setattr(idx, "TIMEOUT_SECONDS", 0.2)
    mirror.answers[f"{TRAIN_IMAGES}.gz"] = mirror.silent
    with pytest.raises(DownloadError, match=r"no answer within 0\.2 s"):
        load_dataset("mnist", "train")
    assert cached_files(tmp_path) == []


def test_a_refused_connection_is_a_download_error(
    monkeypatch: pytest.MonkeyPatch, tiny_files: dict[str, bytes]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    monkeypatch.setenv("VAE_MNIST_URL", url)
    with pytest.raises(DownloadError, match=rf"{url}{TRAIN_IMAGES}\.gz could not be fetched \(no connection"):
        load_dataset("mnist", "train")


def test_an_address_of_another_kind_is_a_download_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_MNIST_URL", "mirror.example/mnist")
    with pytest.raises(DownloadError, match="the address cannot be used"):
        load_dataset("mnist", "train")


def test_a_passing_fault_is_tried_again(monkeypatch: pytest.MonkeyPatch, mirror: Mirror) -> None:
    monkeypatch.setattr(idx, "RETRIES", 1)
    monkeypatch.setattr("pooch.core.time.sleep", lambda _seconds: None)
    name = f"{TRAIN_IMAGES}.gz"
    good = mirror.answers[name]
    mirror.answers[name] = lambda handler: (good if mirror.requested.count(name) > 1 else status(503))(handler)
    assert len(load_dataset("mnist", "train")) == TRAIN_COUNT
    assert mirror.requested.count(name) == 2


# Damaged files


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: gzip.compress(b"another file"), "md5 of its unpacked bytes must be .*, got "),
        (lambda packed: packed[:-20], "ended before the end-of-stream marker"),
        (lambda packed: packed[:20] + b"\xff" * 100 + packed[120:], "Error -3|CRC"),
        (lambda _: b"<html>please log in</html>", "Not a gzipped file"),
        (lambda _: b"", "md5"),
    ],
    ids=["checksum", "truncated", "garbled", "web page", "empty"],
)
def test_a_damaged_file_is_deleted_and_fetched_anew(
    mirror: Mirror, tmp_path: Path, damage: Callable[[bytes], bytes], reason: str, tiny_files: dict[str, bytes]
) -> None:
    name = f"{TRAIN_IMAGES}.gz"
    good = mirror.answers[name]
    mirror.answers[name] = whole(damage(gzip.compress(tiny_files[TRAIN_IMAGES])))
    with pytest.raises(DownloadError, match=reason) as caught:
        load_dataset("mnist", "train")
    assert "VAE_DATA_DIR" in str(caught.value)
    assert cached_files(tmp_path) == []
    mirror.answers[name] = good
    assert len(load_dataset("mnist", "train")) == TRAIN_COUNT


def test_a_file_that_unpacks_without_end_is_not_read_whole(monkeypatch: pytest.MonkeyPatch, mirror: Mirror) -> None:
    monkeypatch.setattr(idx, "MAX_UNPACKED_BYTES", 1_000)
    with pytest.raises(DownloadError, match="md5"):
        load_dataset("mnist", "train")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: b"\0\0\x0d\x03" + content[4:], "must start with 00000803 and 3 lengths, got 00000d03"),
        (lambda content: content[:7], "must start with 00000803 and 3 lengths"),
        (lambda content: content[:-1], r"must hold \(12, 28, 28\) = 9408 values, got 9407"),
        (lambda _: idx_bytes(np.zeros((12, 8, 8), np.uint8)), r"must be uint8 \[image, 28, 28\]"),
        (lambda _: idx_bytes(np.zeros((11, 28, 28), np.uint8)), "one an image"),
    ],
    ids=["magic", "short", "size", "shape", "count"],
)
def test_a_file_that_is_not_a_set_of_digits_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    mirror: Mirror,
    tiny_files: dict[str, bytes],
    damage: Callable[[bytes], bytes],
    reason: str,
) -> None:
    content = damage(tiny_files[TRAIN_IMAGES])
    mirror.answers[f"{TRAIN_IMAGES}.gz"] = whole(gzip.compress(content))
    expect_checksums(monkeypatch, tiny_files | {TRAIN_IMAGES: content})
    with pytest.raises(DatasetError, match=f"{TRAIN_IMAGES}.*{reason}"):
        load_dataset("mnist", "train")


def test_a_cache_that_cannot_be_written_is_a_data_set_error(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DatasetError, match=r"cache folder .* cannot be used .* VAE_CACHE_DIR"):
        load_dataset("mnist", "train")


# The data folder


@pytest.fixture
def data_dir(tiny_files: dict[str, bytes], tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def test_the_data_folder_comes_first(
    monkeypatch: pytest.MonkeyPatch, mirror: Mirror, arrays: dict[str, np.ndarray], data_dir: Path
) -> None:
    np.savez_compressed(data_dir / "mnist.npz", **arrays)
    downloaded = load_dataset("mnist", "train")
    mirror.requested.clear()
    by_argument = load_dataset("mnist", "train", data_dir=data_dir)
    monkeypatch.setenv("VAE_DATA_DIR", str(data_dir))
    by_environment = load_dataset("mnist", "train")
    assert torch.equal(by_argument.images, downloaded.images)
    assert torch.equal(by_environment.labels, downloaded.labels)
    assert mirror.requested == []


def test_a_data_folder_without_the_set_is_passed_over(mirror: Mirror, data_dir: Path) -> None:
    assert len(load_dataset("mnist", "test", data_dir=data_dir)) == TEST_COUNT


def test_a_data_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"data folder must exist, got .*absent"):
        load_dataset("mnist", "test", data_dir=tmp_path / "absent")


def test_train_needs_no_test_arrays(arrays: dict[str, np.ndarray], data_dir: Path) -> None:
    np.savez(data_dir / "mnist.npz", **{key: arrays[key] for key in ("x_train", "y_train", "label_names")})
    assert len(load_dataset("mnist", "validation", data_dir=data_dir)) == VALIDATION_COUNT
    with pytest.raises(DatasetError, match=r"mnist\.npz must hold .* but lacks x_test, y_test"):
        load_dataset("mnist", "test", data_dir=data_dir)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"x_train": np.zeros((12, 28, 28), np.float32)}, r"uint8 \[image, 28, 28\], got float32 \[12, 28, 28\]"),
        ({"x_train": np.zeros((12, 784), np.uint8)}, r"uint8 \[image, 28, 28\], got uint8 \[12, 784\]"),
        ({"y_train": np.zeros(12, np.int64)}, r"labels must be uint8 \[12\], one an image, got int64 \[12\]"),
        ({"y_train": np.zeros(11, np.uint8)}, r"labels must be uint8 \[12\], one an image, got uint8 \[11\]"),
        ({"y_train": np.full(12, 10, np.uint8)}, "labels must be below 10, the number of names, got 10"),
        ({"label_names": np.arange(10)}, r"label_names must be a list of texts, got int64 \[10\]"),
        ({"x_train": np.zeros((3, 28, 28), np.uint8), "y_train": np.zeros(3, np.uint8)}, "at least 4 images, got 3"),
        ({"y_train": np.array([{}] * 12)}, "Object arrays cannot be loaded"),
    ],
    ids=["floats", "flat", "wide labels", "few labels", "high label", "names", "few images", "pickled"],
)
def test_an_archive_that_breaks_a_rule_is_refused(
    arrays: dict[str, np.ndarray], data_dir: Path, change: dict[str, np.ndarray], reason: str
) -> None:
    np.savez(data_dir / "mnist.npz", **(arrays | change))
    with pytest.raises(DatasetError, match=rf"mnist\.npz.*{reason}"):
        load_dataset("mnist", "train", data_dir=data_dir)


def npy_bytes(folder: Path) -> bytes:
    np.save(folder / "single.npy", np.zeros(3))
    return (folder / "single.npy").read_bytes()


@pytest.mark.parametrize(
    "content",
    [lambda _: b"", lambda _: b"PK\x03\x04 and no more", lambda _: pickle.dumps({"x_train": []}), npy_bytes],
    ids=["empty", "broken zip", "pickle", "single array"],
)
def test_what_is_no_archive_is_refused(data_dir: Path, content: Callable[[Path], bytes]) -> None:
    (data_dir / "mnist.npz").write_bytes(content(data_dir))
    with pytest.raises(DatasetError, match=r"mnist\.npz cannot be read as an archive of plain arrays"):
        load_dataset("mnist", "train", data_dir=data_dir)


# The real sets


@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)
def test_the_real_set_is_the_official_one(source: IdxSet) -> None:
    if not REAL_DATA_DIR or not (Path(REAL_DATA_DIR) / f"{source.name}.npz").is_file():
        reason = f"VAE_DATA_DIR names no folder with {source.name}.npz"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    parts = {split: load_dataset(source.name, split, data_dir=Path(REAL_DATA_DIR)) for split in SPLITS}
    assert [len(parts[split]) for split in SPLITS] == [55_000, 5_000, 10_000]
    assert {part.label_names for part in parts.values()} == {source.label_names}
    official = {
        "x_train": torch.cat([parts["train"].images, parts["validation"].images])[:, 0].numpy(),
        "y_train": torch.cat([parts["train"].labels, parts["validation"].labels]).numpy().astype(np.uint8),
        "x_test": parts["test"].images[:, 0].numpy(),
        "y_test": parts["test"].labels.numpy().astype(np.uint8),
    }
    assert md5_of(idx_files(official)) == source.md5
