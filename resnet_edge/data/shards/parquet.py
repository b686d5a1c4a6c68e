"""A Parquet file with the bytes of photos, as Hugging Face's datasets writes it: a column `image`, of bytes
or of {bytes, path}, and a column `label`. The package pyarrow reads it, some records at a time.

A photo has no place in such a file: columns are packed in pages. So its bytes are copied once, as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from resnet_edge.core.errors import DataError, MissingDependency, first_line
from resnet_edge.core.packages import missing_package
from resnet_edge.data.shards.keys import label_key, photo_key
from resnet_edge.data.shards.record import Record

IMAGES = ("image",)
LABELS = ("label",)
BYTES = ("binary", "large_binary", "binary_view")
"""Types of a column of photos, as pyarrow spells them."""
TOGETHER = 1
"""Records that are read together: a photo may have some 100 MB, and a file may name the same one again and
again, which takes it no room."""
FOOTER = 1 << 26
"""Bytes that texts in a footer may have together."""


def records(path: Path) -> Iterator[Record]:
    """Every record of a file. Raises DataError, MissingDependency."""
    with _opened(path) as file:
        image, label = _columns(file, path)
        is_struct = str(file.schema_arrow.field(image).type).startswith("struct")
        columns = [f"{image}.bytes" if is_struct else image, *([label] if label else [])]
        number = 0
        for batch in file.iter_batches(batch_size=TOGETHER, columns=columns, use_threads=False):
            for row in batch.to_pylist():
                photo = row[image]["bytes"] if is_struct and row[image] else row[image]
                yield _record(photo, row[label] if label else None, f"{path}: record {number}")
                number += 1


def class_names(shards: Sequence[Path]) -> tuple[str, ...]:
    """As Hugging Face's datasets keeps them, beside the columns; none where it did not. Raises DataError
    where a number is another class in another shard, MissingDependency."""
    each = {_names(shard): shard for shard in reversed(shards)}
    if len(each) > 1:
        one, other, *_ = each.values()
        raise DataError(
            f"{one} and {other} name the classes differently: write the shards of one set with the same names"
        )
    return next(iter(each))


def _names(path: Path) -> tuple[str, ...]:
    with _opened(path) as file:
        _, label = _columns(file, path)
        known = (file.schema_arrow.metadata or {}).get(b"huggingface", b"")
    try:
        names = msgspec.json.decode(known)["info"]["features"][label]["names"]
        return tuple(msgspec.convert(names, type=list[str]))
    except (msgspec.MsgspecError, RecursionError, KeyError, TypeError):
        return ()


def _record(photo: Any, label: Any, title: str) -> Record:
    if not isinstance(photo, bytes):
        raise DataError(f"{title} has no bytes of a photo: write the photos into the file")
    return Record(name="", label=label, content=photo)


def _columns(file: Any, path: Path) -> tuple[str, str | None]:
    """Of the photos, and of the labels. Raises DataError."""
    import pyarrow

    schema = file.schema_arrow
    if twice := [name for name in {*schema.names} if schema.names.count(name) > 1]:
        raise DataError(f"{path} has several columns called '{min(twice)}': give each a name of its own")
    image, label = photo_key(schema.names, IMAGES, str(path)), label_key(schema.names, LABELS, str(path))
    kind = schema.field(image).type
    inner = {kind.field(at).name: kind.field(at).type for at in range(kind.num_fields)}
    if str(inner.get("bytes", kind)) not in BYTES:
        raise DataError(
            f"{path} has a column '{image}' of {kind}: it must be bytes, or a struct with 'bytes'"
        )
    types = pyarrow.types
    if label is not None and not any(
        is_kind(schema.field(label).type) for is_kind in (types.is_integer, types.is_null)
    ):
        raise DataError(
            f"{path} has a column '{label}' of {schema.field(label).type}: it must be whole numbers"
        )
    return image, label


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """What goes wrong within is a DataError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependency(f"{path} is a Parquet file: {missing_package('pyarrow')}") from error
    try:
        with (
            pyarrow.OSFile(str(path)) as source,
            pyarrow.parquet.ParquetFile(
                source,
                buffer_size=1 << 20,
                thrift_string_size_limit=FOOTER,
                page_checksum_verification=True,
            ) as file,
        ):
            yield file
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(
            f"{path} cannot be read as Parquet ({first_line(error)}): copy or write it again"
        ) from error
