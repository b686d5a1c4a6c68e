"""Photos as shards of every kind, written by whoever users write them with."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Labelled = tuple[bytes, int | None]
"""The bytes of a photo, and its label."""


def encoded(pixels: np.ndarray, kind: str = "png") -> bytes:
    """A photo (H, W) or (H, W, 3) as a file has it."""
    body = io.BytesIO()
    Image.fromarray(pixels).save(body, kind)
    return body.getvalue()


def photos(count: int, height: int = 9, width: int = 12, classes: int = 3) -> list[Labelled]:
    """Of noise, as JPEG; the classes in turn."""
    random = np.random.default_rng(0)
    return [
        (encoded(random.integers(0, 256, (height, width, 3)).astype(np.uint8), "jpeg"), row % classes)
        for row in range(count)
    ]


def write_tar(path: Path, files: Iterable[tuple[str, bytes]], **header: Any) -> Path:
    """A tar with these files, all with these fields in their header."""
    with tarfile.open(path, "w") as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for field, value in header.items():
                setattr(member, field, value)
            archive.addfile(member, io.BytesIO(content))
    return path


def samples(labelled: Sequence[Labelled], first: int = 0, end: str = "jpg") -> Iterable[tuple[str, bytes]]:
    """As WebDataset has them."""
    for row, (photo, label) in enumerate(labelled, first):
        yield f"{row:06d}.{end}", photo
        if label is not None:
            yield f"{row:06d}.cls", str(label).encode()


def write_tfrecord(
    path: Path, labelled: Iterable[Labelled], image: str = "image/encoded", label: str = "label"
) -> Path:
    """By TensorFlow."""
    import tensorflow as tf

    train = tf.train
    with tf.io.TFRecordWriter(str(path)) as writer:
        for photo, number in labelled:
            features = {image: train.Feature(bytes_list=train.BytesList(value=[photo]))}
            if number is not None:
                features[label] = train.Feature(int64_list=train.Int64List(value=[number]))
            writer.write(train.Example(features=train.Features(feature=features)).SerializeToString())
    return path


def write_parquet(
    path: Path, labelled: Iterable[Labelled], names: Sequence[str] = (), **options: Any
) -> Path:
    """By pyarrow, with the metadata that Hugging Face's datasets writes where `names` are given."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [*labelled]
    table = pa.table(
        {
            "image": [{"bytes": photo, "path": None} for photo, _ in rows],
            "label": pa.array([label for _, label in rows], pa.int64()),
        }
    )
    if names:
        features = {"image": {"_type": "Image"}, "label": {"names": [*names], "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path, **options)
    return path
