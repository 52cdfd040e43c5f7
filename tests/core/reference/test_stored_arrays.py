"""Arrays of a file from outside: what it declares is checked before anything is unpacked."""

import io
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vae_core.errors import ModelError
from vae_core.reference.checks import LARGEST_SIZES
from vae_core.reference.reference_set import Reference
from vae_core.reference.stored_arrays import MAX_DIRECTORY_BYTES, MAX_MEMBERS, read_arrays

SMALL = 10 * 2**20  # bytes: what reading a file that is refused may take


def header_of(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    """What stands before an array's numbers."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue()


def archive(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in members.items():
            made.writestr(f"{name}.npy", content)
    return path


def read(path: Path) -> dict[str, np.ndarray]:
    return read_arrays(path, ["a"], lambda _: None)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_read_as_they_were_stored(tmp_path: Path, save: Callable[..., None]):
    arrays = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.array(["x", "long"]), "c": np.array(7)}
    save(tmp_path / "a.npz", **arrays)
    back = read_arrays(tmp_path / "a.npz", ["b", "a"], lambda _: None)
    assert [*back] == ["b", "a"]
    assert all(np.array_equal(back[name], arrays[name]) for name in back)


def test_shapes_and_kinds_are_checked_before_anything_is_unpacked(tmp_path: Path):
    path = archive(tmp_path / "a.npz", {"a": header_of((10_000,)) + b"\1" * 40_000})
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"PK\x01\x02") + 16] ^= 1  # the checksum: unpacking would say so
    path.write_bytes(damaged)
    seen = []

    def check(declared):
        seen.append((declared["a"].shape, declared["a"].dtype, declared["a"].nbytes, declared["a"].ndim))
        raise ValueError("as the rule says")

    with pytest.raises(ValueError, match="as the rule says"):
        read_arrays(path, ["a"], check)
    assert seen == [((10_000,), np.dtype("<f4"), 40_000, 1)]


REFUSED = {
    "a header that lies": ({"a": header_of((10**13, 16))}, "as many bytes as its shape|all arrays together"),
    "fewer numbers than said": ({"a": header_of((4,)) + b"\0" * 12}, "as many bytes as its shape asks for, got 12"),
    "more numbers than said": ({"a": header_of((4,)) + b"\0" * 20}, "as many bytes as its shape asks for, got 20"),
    "objects": ({"a": header_of((1,), "|O") + b"\0" * 8}, "numbers, truths or text"),
    "a size below 0": ({"a": header_of((-1,))}, "numbers, truths or text"),
    "a header without end": (
        {"a": header_of((1,))[:8] + (b"\xff\xff" + b" " * 65_535)},
        "a header that cannot be read",
    ),
    "a header of brackets": ({"a": header_of((1,))[:8] + b"\x00\x08" + b"(" * 2048}, "a header that cannot be read"),
    "a format of tomorrow": ({"a": b"\x93NUMPY\x09\x00" + header_of((1,))[8:]}, "cannot be read"),
    "no array at all": ({"a": b"text"}, "a header that cannot be read"),
    "no member of the name": ({"b": header_of((1,)) + b"\0" * 4}, "a.npy"),
    "more members than any": ({f"m{number}": b"" for number in range(MAX_MEMBERS + 1)}, "at most 64 members"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_lies_is_refused_with_next_to_no_memory(tmp_path: Path, case: str):
    members, said = REFUSED[case]
    path = archive(tmp_path / "a.npz", members)
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, KeyError), match=said):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < SMALL
    finally:
        tracemalloc.stop()


def test_a_bomb_is_refused_with_next_to_no_memory(tmp_path: Path):
    """A gigabyte of zeros in a megabyte, honestly declared."""
    packer, zeros, path = zlib.compressobj(9, wbits=-15), b"\0" * 2**20, tmp_path / "a.npz"
    header = header_of((2**28,))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open("a.npy", "w") as member:
        member.write(header)
        for _ in range(1024):
            member.write(zeros)
    del packer
    assert path.stat().st_size < 2 * 2**20
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="all arrays together have at most"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < SMALL
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_numpy_does_not_pack_is_not_unpacked(tmp_path: Path, method: int):
    path = archive(tmp_path / "a.npz", {"a": header_of((1,)) + b"\0" * 4}, method)
    with pytest.raises(ValueError, match="in a way that numpy does not pack"):
        read(path)


def test_a_list_of_members_that_is_longer_than_it_says_is_not_read(tmp_path: Path):
    path = archive(tmp_path / "a.npz", {"a": header_of((1,)) + b"\0" * 4})
    content = bytearray(path.read_bytes())
    content[-10:-6] = (MAX_DIRECTORY_BYTES + 1).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match="the archive has at most"):
        read(path)
    path.write_bytes(bytes(content[:-22]) + b"PK\x06\x07" + b"\0" * 16 + bytes(content[-22:]))
    with pytest.raises(ValueError, match="does not end as"):
        read(path)


# -- reference sets ------------------------------------------------------------------------------------------------


def test_a_reference_set_that_declares_ten_billion_rows_is_one_sentence(tmp_path: Path, tiny_reference: Reference):
    path = tmp_path / "reference.npz"
    tiny_reference.save(path)
    with np.load(path) as stored:
        members = {name: header_of(part.shape, part.dtype.str) + part.tobytes() for name, part in stored.items()}
    members["means"] = header_of((10**13, 3), "<f2")
    archive(path, members)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match=r"no reference set .*run evaluate to build it again"):
            Reference.load(path)
        assert tracemalloc.get_traced_memory()[1] < SMALL
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("what", ["image", "class", "component"])
def test_a_reference_set_has_its_largest_sizes(tmp_path: Path, tiny_reference: Reference, what: str):
    path, most = tmp_path / "reference.npz", LARGEST_SIZES[what] + 1
    tiny_reference.save(path)
    with np.load(path) as stored:
        parts = dict(stored)
    if what == "image":
        images = {name: part for name, part in parts.items() if part.shape[:1] == (40,)}
        parts |= {name: np.resize(part, (most, *part.shape[1:])) for name, part in images.items()}
    elif what == "class":
        parts["label_names"] = np.resize(parts["label_names"], most)
    else:
        mixture = {name: part for name, part in parts.items() if name.startswith("mixture")}
        parts |= {name: np.resize(part, (most, *part.shape[1:])) for name, part in mixture.items()}
    np.savez(path, **parts)
    with pytest.raises(ModelError, match=f"at most {most - 1:,} of what it calls {what!r}, got {most:,}"):
        Reference.load(path)


def test_a_name_is_no_book(tmp_path: Path, tiny_reference: Reference):
    path = tmp_path / "reference.npz"
    tiny_reference.save(path)
    with np.load(path) as stored:
        parts = dict(stored)
    np.savez(path, **parts | {"label_names": np.array(["even", "x" * 201])})
    with pytest.raises(ModelError, match="label_names must be texts of at most 200 characters"):
        Reference.load(path)


@pytest.mark.parametrize("number", [0xD800, 0x110000], ids=["half a character", "no character"])
def test_a_name_that_is_no_text_is_one_sentence(tmp_path: Path, tiny_reference: Reference, number: int):
    """A page would fail to send it."""
    path = tmp_path / "reference.npz"
    tiny_reference.save(path)
    with np.load(path) as stored:
        members = {name: header_of(part.shape, part.dtype.str) + part.tobytes() for name, part in stored.items()}
    members["label_names"] = header_of((2,), "<U1") + number.to_bytes(4, "little") * 2
    with pytest.raises(ModelError, match="label_names must be texts of whole characters"):
        Reference.load(archive(path, members))
