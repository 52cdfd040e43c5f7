"""The header of a file of weights: what it declares is checked before any tensor is read."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from vae_core.errors import ModelError
from vae_core.models import weights_file
from vae_core.models.weights_file import MAX_HEADER_BYTES, StoredTensor, read_header, read_weights

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


# -- against a network ---------------------------------------------------------------------------------------------

SHAPES = {"encoder.weight": (2, 3), "encoder.bias": (2,), "scale": ()}
WEIGHTS = {"encoder.weight": torch.ones(2, 3), "encoder.bias": torch.zeros(2), "scale": torch.tensor(1.0)}


def stored(path: Path, weights: dict[str, torch.Tensor]) -> Path:
    save_file(weights, path / "w.safetensors")
    return path / "w.safetensors"


def test_the_weights_of_a_network_are_read_as_they_were_stored(tmp_path: Path):
    back = read_weights(stored(tmp_path, WEIGHTS), SHAPES)
    assert back.keys() == WEIGHTS.keys()
    assert all(torch.equal(back[name], WEIGHTS[name]) for name in WEIGHTS)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "model.vae."])
def test_weights_of_a_wrapped_network_are_told_by_their_prefix(tmp_path: Path, prefix: str):
    wrapped = {prefix + name: weight for name, weight in WEIGHTS.items()}
    with pytest.raises(ModelError, match=f"all names in it begin with '{prefix}'.*store the weights under their own"):
        read_weights(stored(tmp_path, wrapped), SHAPES)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"scale": WEIGHTS["scale"]}, "it lacks encoder.bias, encoder.weight"),
        ({}, "it lacks encoder.bias, encoder.weight and 1 more"),
        ({**WEIGHTS, "more": torch.ones(1)}, "it has more, which the network has not"),
        ({"other": torch.ones(1)}, "it lacks .* and 1 more; it has other"),
        ({**WEIGHTS, "encoder.bias": torch.ones(3)}, r"encoder.bias must be \[2\], got \[3\]"),
        ({**WEIGHTS, "encoder.bias": torch.ones(2, 1)}, r"encoder.bias must be \[2\], got \[2, 1\]"),
        ({**WEIGHTS, "scale": torch.tensor(float("nan"))}, "scale holds numbers that are not finite"),
        (
            {**WEIGHTS, "encoder.bias": torch.tensor([1, float("-inf")]).half()},
            "encoder.bias holds numbers that are not",
        ),
    ],
    ids=str,
)
def test_weights_of_another_network_or_a_broken_one_are_one_sentence(
    tmp_path: Path, weights: dict[str, torch.Tensor], said: str
):
    with pytest.raises(ModelError, match=said) as caught:
        read_weights(stored(tmp_path, weights), SHAPES)
    assert "\n" not in str(caught.value)


def test_shapes_are_compared_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(weights_file, "load_file", lambda _: pytest.fail("was read"))
    with pytest.raises(ModelError, match="it lacks"):
        read_weights(stored(tmp_path, {"other": torch.ones(1)}), SHAPES)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail] can't allocate memory"), OSError("gone")]
)
def test_whatever_reading_meets_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception):
    def fail(_path: Path) -> None:
        raise error

    monkeypatch.setattr(weights_file, "load_file", fail)
    with pytest.raises(ModelError, match=r"cannot be read as weights .*fetch or train the model again"):
        read_weights(stored(tmp_path, WEIGHTS), SHAPES)
