"""A TFRecord file of tf.train.Example, as tensorflow-datasets and the scripts of the TensorFlow models write
it. TensorFlow reads it, and checks every checksum.

A record is its length (8 bytes) and its checksum (4), the content and its checksum (4)
(https://www.tensorflow.org/tutorials/load_data/tfrecord): so places are known, by which photos are read
again."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from resnet_edge.core.errors import DataError, MissingDependency, first_line
from resnet_edge.core.packages import missing_package
from resnet_edge.data.photo import LARGEST
from resnet_edge.data.shards.keys import label_key, photo_key
from resnet_edge.data.shards.record import Record

IMAGES = ("image/encoded", "image")
LABELS = ("image/class/label", "label")
BEFORE, AFTER = 12, 4
"""Bytes around the content of a record."""


def records(path: Path) -> Iterator[Record]:
    """Every record of a shard. Raises DataError, MissingDependency."""
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingDependency(f"{path} is a TFRecord file: {missing_package('tensorflow')}") from error
    _check_lengths(path)
    content, number = BEFORE, 0
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
            yield _record(tf.train.Example, record, content, f"{path}: record {number}")
            content += len(record) + AFTER + BEFORE
            number += 1
    except tf.errors.OpError as error:
        raise DataError(
            f"{path}: record {number} is damaged ({first_line(error)}): copy the file again"
        ) from error


def _check_lengths(path: Path) -> None:
    """Raises DataError where a record has more bytes than the file, or a photo: it would be room for all
    these that is asked for first."""
    at, number, size = 0, 0, path.stat().st_size
    with path.open("rb") as file:
        while at < size:
            head = os.pread(file.fileno(), 8, at)
            (length,) = struct.unpack("<Q", head.ljust(8, b"\0"))
            after = at + BEFORE + length + AFTER
            if len(head) < 8 or after > size:
                raise DataError(
                    f"{path}: record {number} is damaged or cut off (it ends at byte {after:,}, and the file "
                    f"at {size:,}): copy the file again"
                )
            if length > LARGEST:
                raise DataError(f"{path}: record {number} has {length:,} bytes, more than a photo: remove it")
            at, number = after, number + 1


def _record(example: Any, record: bytes, content: int, title: str) -> Record:
    try:
        features = example.FromString(record).features.feature
    except Exception as error:  # protobuf's DecodeError is of another class in each of its implementations
        raise DataError(f"{title} is no tf.train.Example ({first_line(error)}): write it as one") from error
    image = photo_key(features, IMAGES, title)
    photo = _only(features[image], "bytes_list", f"'{image}': it has to be the bytes of one photo", title)
    label = None
    if (key := label_key(features, LABELS, title)) is not None:
        label = int(
            _only(features[key], "int64_list", f"'{key}': it has to be the number of one class", title)
        )
    at = record.index(photo)  # wherever these bytes stand, they are these bytes
    return Record(name="", label=label, offset=content + at, size=len(photo))


KINDS = {"bytes_list": "text or bytes", "float_list": "a float", "int64_list": "a whole number"}


def _only(feature: Any, kind: str, wanted: str, title: str) -> Any:
    has = feature.WhichOneof("kind")
    values = getattr(feature, kind).value
    if has == kind and len(values) == 1:
        return values[0]
    count = len(getattr(feature, has).value) if has else 0
    there = {0: "nothing", 1: KINDS.get(has)}.get(count, f"{count} values")
    raise DataError(f"{title} has {there} under {wanted}")
