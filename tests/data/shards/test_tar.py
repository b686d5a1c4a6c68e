"""Tars as WebDataset has them, and what is no such tar."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.shards.tar import records
from tests.data.shards.writing import photos, samples, write_tar

PHOTO = photos(1)[0][0]


def test_every_sample_has_its_place(tmp_path: Path) -> None:
    some = photos(5)
    path = write_tar(tmp_path / "a.tar", samples(some))
    content = path.read_bytes()
    for record, (photo, label) in zip(records(path), some, strict=True):
        assert content[record.offset : record.offset + record.size] == photo
        assert record.label == label


def test_webdataset_itself_writes_such(tmp_path: Path) -> None:
    webdataset = pytest.importorskip(
        "webdataset", reason="it is not installed: its own writer cannot be asked"
    )
    with webdataset.TarWriter(str(tmp_path / "a.tar")) as writer:
        for row, (photo, label) in enumerate(photos(3)):
            writer.write({"__key__": f"n01/{row:04d}", "jpg": photo, "cls": label, "json": {"width": 12}})
    assert [(record.name, record.label) for record in records(tmp_path / "a.tar")] == [
        ("n01/0000.jpg", 0), ("n01/0001.jpg", 1), ("n01/0002.jpg", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "label"),
    [
        ({"cls": b" 7\n"}, 7),
        ({"json": b'{"label": 7, "caption": "x"}'}, 7),
        ({"json": b'{"cls": 7}'}, 7),
        ({"json": b"7"}, 7),
        ({"json": b'{"width": 500}'}, None),
        ({"txt": b"a cat"}, None),
        ({"cls": b"007"}, 7),
        ({"cls": b"000"}, 0),
        ({"json": b'{"label": null}'}, None),
        ({"cls": b"7", "label.txt": b"a cat"}, 7),
    ],
)
def test_labels(tmp_path: Path, files: dict[str, bytes], label: int | None) -> None:
    named = [("./a/0.JPG", PHOTO), *((f"./a/0.{end}", content) for end, content in files.items())]
    (record,) = records(write_tar(tmp_path / "a.tar", named))
    assert record.label == label


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            [("0.jpg", PHOTO), ("0.cls", "Kätzchen\n".encode())],
            r"record 0 \(0\): \.cls holds 'Kätzchen', and a label is the number",
        ),
        ([("0.jpg", PHOTO), ("0.json", b'{"label": "cat"}')], r"\.json holds 'cat'"),
        ([("0.jpg", PHOTO), ("0.cls", b"9" * 99999)], "has 99,999 bytes, and holds no label"),
        ([("0.jpg", PHOTO), ("0.label.json", b"7")], r"\(0\) has no 'cls', and has label\.json: call the"),
        ([("0.jpg", PHOTO), ("0.json", b"{}"), ("0.label", b"7")], r"has no 'cls', and has label: call the"),
        ([("0.jpg", PHOTO), ("0.json", b'{"labels": 7}')], r"\.json has no 'label' or 'cls', and has labels"),
        ([("0.cls", b"1")], r"record 0 \(0\) has no photo among \.cls"),
        ([("0.jpg", PHOTO), ("0.png", PHOTO)], r"has 2 photos \(\.jpg, \.png\)"),
        ([("0.jpg", PHOTO), ("0.jpg", PHOTO)], "has 0.jpg twice"),
        ([("0.jpg", PHOTO), ("1.jpg", PHOTO), ("0.cls", b"1")], "has two samples called 0"),
        ([("../0.jpg", PHOTO)], r"holds \.\./0\.jpg, a name that leads out of a folder"),
        ([("/etc/0.jpg", PHOTO)], r"holds /etc/0\.jpg, a name that leads out"),
    ],
)
def test_what_is_no_sample(tmp_path: Path, files: list[tuple[str, bytes]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        [*records(write_tar(tmp_path / "a.tar", files))]


@pytest.mark.parametrize(
    "header",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0},
        {"type": tarfile.LNKTYPE, "linkname": "x", "size": 0},
        {"type": tarfile.CHRTYPE, "size": 0},
        {"type": tarfile.FIFOTYPE, "size": 0},
    ],
    ids=["symlink", "link", "device", "pipe"],
)
def test_links_and_devices(tmp_path: Path, header: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="holds 0.jpg, which is a link, a device or a file with holes"):
        [*records(write_tar(tmp_path / "a.tar", [("0.jpg", b"")], **header))]


@pytest.mark.parametrize("kept", [700, 512 * 9 + 100, 512 * 8])
def test_one_that_is_cut_off(tmp_path: Path, kept: int) -> None:
    path = write_tar(tmp_path / "a.tar", [(f"{row}.jpg", bytes(600)) for row in range(9)])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"a\.tar (is damaged|has no end: it is cut off)"):
        [*records(path)]


def test_two_joined_by_cat(tmp_path: Path) -> None:
    """tar reads the first of them, as if that were all; zeros behind the end are ordinary."""
    one, other = (write_tar(tmp_path / f"{at}.tar", samples(photos(2), 2 * at)) for at in (0, 1))
    joined = tmp_path / "joined.tar"
    joined.write_bytes(one.read_bytes() + bytes(3 << 20))
    assert len([*records(joined)]) == 2
    joined.write_bytes(joined.read_bytes() + other.read_bytes())
    with pytest.raises(DataError, match=r"joined\.tar goes on behind its end at byte 5,120, as where tars"):
        [*records(joined)]


def test_a_header_that_is_damaged(tmp_path: Path) -> None:
    """tarfile ends there, as if there were no more."""
    path = write_tar(tmp_path / "a.tar", [(f"{row}.jpg", bytes(512)) for row in range(9)])
    content = bytearray(path.read_bytes())
    content[2048:2060] = b"\xff" * 12
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged at byte 2,048"):
        [*records(path)]


def test_a_header_that_takes_the_memory(tmp_path: Path) -> None:
    """A name of 2 GB, in a file with a hole in it."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 2 << 30
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        file.truncate(member.size + 2048)
    with pytest.raises(DataError, match=r"is damaged \(a header of 2,147,483,648 bytes at byte 512\)"):
        [*records(path)]
