"""What a file is, by its content."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.data.shards.kind import kind_of, masked_crc
from tests.data.shards.writing import photos, samples, write_parquet, write_tar, write_tfrecord


def test_a_checksum_is_that_of_the_standard() -> None:
    """RFC 3720, B.4: 32 zeros have 0x8a9136aa; here it is masked."""
    crc = 0x8A9136AA
    assert masked_crc(bytes(32)) == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def test_a_kind_is_known_whatever_the_file_is_called(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    some = photos(2)
    assert kind_of(write_tar(tmp_path / "a.parquet", samples(some))) == "tar"
    assert kind_of(write_tfrecord(tmp_path / "b", some)) == "tfrecord"
    assert kind_of(write_parquet(tmp_path / "c.txt", some)) == "parquet"


@pytest.mark.parametrize("name", ["README.md", "labels.txt", "a.npz", "state.json"])
def test_other_files_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{'label': 3}\n" * 99)
    assert kind_of(tmp_path / name) is None
    (tmp_path / name).write_bytes(b"")
    assert kind_of(tmp_path / name) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tar", b"", "is called a tar and is empty"),
        ("a.tfrecord", b"", "is called a TFRecord file and is empty"),
        ("a.parquet", b"not one", "is called a Parquet file and does not begin as one: it is damaged"),
        ("train.tfrecord-00000-of-00002", b"\1" * 99, "is called a TFRecord file and does not begin as one"),
        ("a.tar", bytes(10240), "begins with zeros alone"),
        ("a.tar.gz", gzip.compress(b"x", mtime=0), r"is packed as a whole \(gzip\)"),
        *(("a.tfrecord", zlib.compress(b"x", n), r"is packed as a whole \(zlib\)") for n in (0, 2, 6, 9)),
    ],
)
def test_what_is_called_a_shard_and_is_none(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        kind_of(tmp_path / name)
