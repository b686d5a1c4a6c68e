"""What a file of many photos is, by its content: its name is never trusted."""

from __future__ import annotations

import struct
import tarfile
from pathlib import Path
from typing import Literal

from resnet_edge.core.errors import DataError

Kind = Literal["tar", "tfrecord", "parquet"]

PARQUET = b"PAR1"
"""At both ends (https://parquet.apache.org/docs/file-format)."""
GZIP, ZSTD, XZ, BZIP2 = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh"
ZLIB = tuple(b"\x78" + level for level in (b"\x01", b"\x5e", b"\x9c", b"\xda"))
"""A TFRecord file may be packed so; RFC 1950, 2.2."""
PACKED = {GZIP: "gzip", ZSTD: "zstd", XZ: "xz", BZIP2: "bzip2", **dict.fromkeys(ZLIB, "zlib")}


def kind_of(path: Path) -> Kind | None:
    """What `path` begins as; None for a file that is no shard and is not called one. Raises DataError where
    it is called one and begins as none, is empty, or is packed as a whole."""
    try:
        with path.open("rb") as file:
            head = file.read(tarfile.BLOCKSIZE)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name another") from error
    if head.startswith(PARQUET):
        return "parquet"
    if is_tfrecord(head):
        return "tfrecord"
    if _is_tar(head):
        return "tar"
    if (named := called(path)) is not None:
        raise DataError(f"{path} {_wrong(head, named)}")
    return None


def is_tfrecord(head: bytes) -> bool:
    """Whether a file that begins so begins with the length of a record, by its checksum."""
    return len(head) >= 12 and masked_crc(head[:8]) == struct.unpack_from("<I", head, 8)[0]


def masked_crc(content: bytes) -> int:
    """Of a few bytes, as TFRecord files have it: CRC-32C (RFC 3720, B.4), turned and moved
    (tensorflow/core/lib/hash/crc32c.h)."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def called(path: Path) -> str | None:
    """What a shard of that name is; None where it is a name of something else."""
    name = path.name.lower()
    if ".tfrecord" in name:
        return "TFRecord file"
    if name.endswith((".tar", ".tgz")) or ".tar." in name:
        return "tar"
    return "Parquet file" if name.endswith(".parquet") else None


def _wrong(head: bytes, named: str) -> str:
    if not head:
        return f"is called a {named} and is empty: copy it again, or remove it"
    for begin, packer in PACKED.items():
        if head.startswith(begin):
            return (
                f"is packed as a whole ({packer}), so that no photo in it can be read by itself: unpack "
                f"it first"
            )
    if not any(head):
        return (
            f"is called a {named} and begins with zeros alone: it is empty or damaged; remove it, or copy "
            f"it again"
        )
    return f"is called a {named} and does not begin as one: it is damaged; copy it again, or remove it"
