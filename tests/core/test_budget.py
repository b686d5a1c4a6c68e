"""Tests of core.budget: what is declared is refused by its header, and what is real passes."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_edge.core.budget import PROMISE, Declared, check_data, check_npz, declared_arrays
from resnet_edge.core.errors import DataError
from resnet_edge.core.machine import available_memory

IMAGES = np.zeros((4, 6, 6, 3), np.uint8)


def written(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def claiming(folder: Path, name: str, dtype: str, shape: tuple[int, ...], content: bytes = b"") -> Path:
    """An .npz with four images, and an array of which there is only a header, and `content`."""
    header = str({"descr": dtype, "fortran_order": False, "shape": shape}).encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for other, values in (("images", IMAGES),):
            if other != name:
                stream = io.BytesIO()
                np.save(stream, values)
                archive.writestr(f"{other}.npy", stream.getvalue())
        archive.writestr(
            f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content
        )
    return folder / "bomb.npz"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 2), "<i8"),
        np.zeros((), "?"),
        np.array(["a", "bcd"]),
        np.zeros((2, 0, 3), ">f4"),
        np.zeros(5, "S7"),
    ],
)
def test_headers_tell_what_numpy_tells(tmp_path: Path, array: Any) -> None:
    arrays = declared_arrays(written(tmp_path, a=array), ("a", "missing"))
    assert arrays == {"a": Declared(dtype=array.dtype.str, shape=array.shape, size_bytes=array.nbytes)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x01\x00\x02\x00[]",
        b"\x93NUMPY\x02\x00" + bytes(9),
    ],
)
def test_a_header_that_is_none_is_left_to_numpy(tmp_path: Path, content: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", content)
    check_npz(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"no zip")
    check_npz(tmp_path / "b.npz")


def test_ordinary_data_passes(tmp_path: Path) -> None:
    path = written(tmp_path, images=IMAGES, labels=[0, 1, 2, 0], class_names=["a", "ü" * 200, "c"], other=[1])
    check_data(str(path), None, "fashion-mnist", str(tmp_path))
    check_npz(path, tmp_path)
    check_npz(written(tmp_path, images=IMAGES, labels=np.zeros((4, 1), int)))


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "says"),
    [
        ("labels", "<i8", (738_197_504,), r"\(738197504,\), 5,905,580,032 bytes; it must be 4 integers"),
        ("labels", "<i8", (4, 10**9), "32,000,000,000 bytes; it must be 4 integers"),
        ("class_names", "<U1000000", (1000,), "1,000,000 letters in a name: give each 255 at most"),
        ("class_names", "<U1", (10**9,), "more names than the file has bytes"),
        ("images", "|u1", (10**12, 10, 10, 3), "300,000,000,000,000 bytes, and there are"),
    ],
)
@pytest.mark.parametrize("unpacked", [False, True])
def test_a_bomb_is_refused_by_its_header(
    tmp_path: Path, name: str, dtype: str, shape: tuple[int, ...], says: str, unpacked: bool
) -> None:
    path = claiming(tmp_path, name, dtype, shape)
    with pytest.raises(DataError, match=says) as caught:
        check_npz(path, tmp_path if unpacked else None)
    assert "\n" not in str(caught.value)


def test_refusing_a_bomb_costs_little(tmp_path: Path) -> None:
    """A gigabyte of labels, packed into a megabyte, is not unpacked."""
    if sys.platform != "linux":
        pytest.skip("the peak of a process counts its parent's here")
    path = claiming(tmp_path, "labels", "<i8", (1 << 27,), bytes(1 << 28))
    code = "import sys; from pathlib import Path; from resnet_edge.core.budget import check_data\n"
    code += "try: check_data(sys.argv[1])\nexcept Exception as error: print(type(error).__name__)\n"
    code += "lines = Path('/proc/self/status').read_text().splitlines()\n"
    code += "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    kind, peak = done.stdout.split()
    assert kind == "DataError"
    assert int(peak) * 1024 < PROMISE / 4


def test_memory_that_caches_hold_can_be_had() -> None:
    available = available_memory()
    if available is None:
        pytest.skip("this system does not tell")
    assert available > 100 << 20
