"""The header of a file of weights: what it declares is checked before any tensor is read."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from vae_core.errors import ModelError
from vae_core.models.weights_file import MAX_HEADER_BYTES, StoredTensor, read_header

ONE = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def written(path: Path, header: Any, content: bytes = b"\0" * 8, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + content)
    return path


def test_a_header_says_where_each_tensor_lies(tmp_path: Path):
    path = tmp_path / "w.safetensors"
    tensors = {
        "half": torch.arange(6.0).reshape(2, 3).half(),
        "scalar": torch.tensor(1.0),
        "b": torch.ones(2).bfloat16(),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    header, content = read_header(path), path.read_bytes()
    assert {name: (each.dtype, each.shape) for name, each in header.items()} == {
        "half": ("F16", (2, 3)),
        "scalar": ("F32", ()),
        "b": ("BF16", (2,)),
    }
    stored = header["half"]
    assert content[stored.start : stored.stop] == tensors["half"].numpy().tobytes()


def test_a_written_header_is_read(tmp_path: Path):
    start = 8 + len(json.dumps(ONE))
    assert read_header(written(tmp_path / "w", ONE)) == {"a": StoredTensor("F32", (2,), start, start + 8)}


def entry(**change: Any) -> dict[str, Any]:
    return {"a": {**ONE["a"], **change}}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ([], "one JSON object"),
        (b"{", "cannot be read as weights"),
        (b"[" * 100_000, "cannot be read as weights"),
        (b'{"a": 1, "a": 1}', "stand there once"),
        ({"a": 1}, "must have a dtype"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "must have a dtype"),
        (entry(shape="2"), "must have a dtype"),
        (entry(shape=[2.0]), "must have a dtype"),
        (entry(shape=[-2]), "must have a dtype"),
        (entry(dtype="I64"), "of kind F16, BF16, F32"),
        (entry(dtype="F64"), "of kind F16, BF16, F32"),
        (entry(shape=[10**13]), "as many bytes as its shape"),
        (entry(shape=[10**13], data_offsets=[0, 4 * 10**13]), "must fill the file"),
        (entry(shape=[1], data_offsets=[4, 8]), "a gap or an overlap"),
        ({**ONE, "b": ONE["a"]}, "a gap or an overlap"),
        (entry(data_offsets=[8, 0]), "must have a dtype"),
        ({}, "must fill the file"),
    ],
    ids=str,
)
def test_a_header_that_breaks_a_rule_is_one_sentence(tmp_path: Path, header: Any, said: str):
    path = written(tmp_path / "w.safetensors", header)
    with pytest.raises(ModelError, match=said) as caught:
        read_header(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("length", [0, 1, MAX_HEADER_BYTES + 1, 2**63])
def test_a_header_of_an_impossible_length_is_not_read(tmp_path: Path, length: int):
    with pytest.raises(ModelError, match="its header must have 2 to"):
        read_header(written(tmp_path / "w", ONE, length=length))


def test_a_missing_file_is_one_sentence(tmp_path: Path):
    with pytest.raises(ModelError, match="No such file"):
        read_header(tmp_path / "none")


def test_an_empty_file_is_one_sentence(tmp_path: Path):
    (tmp_path / "w").write_bytes(b"")
    with pytest.raises(ModelError, match="its header must have"):
        read_header(tmp_path / "w")
