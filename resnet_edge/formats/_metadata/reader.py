"""The metadata of a TFLite file, whoever wrote it: nothing in it is trusted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from flatbuffers import encode, number_types, packer
from flatbuffers.table import Table

from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata, ScoreOutput
from resnet_edge.formats._metadata import schema as fields
from resnet_edge.formats._metadata.schema import FieldKind
from resnet_edge.graph.model import load_model

MOST_LABEL_BYTES = 16 << 20
"""A guard against zip bombs: 21,841 labels of ImageNet take 0.5 MB."""


def read(path: Path) -> ModelMetadata | None:
    """The metadata, None where there is none. Raises ArtifactError where the file or its metadata is
    damaged, or is not of one image and one output."""
    model = load_model(path)
    raw = next((_data(model, entry) for entry in model.metadata or () if _is_ours(entry)), None)
    if raw is None:
        return None
    with _damage(path):
        if raw[4:8] != fields.IDENTIFIER:
            raise ValueError(f"it begins with {raw[4:8]!r} and not with {fields.IDENTIFIER!r}")
        return _metadata(_Node.root(raw), _Files(path))


def _is_ours(entry: Any) -> bool:
    return bool(entry.name in (fields.ENTRY, fields.ENTRY.encode()))


def _data(model: Any, entry: Any) -> bytes:
    data = model.buffers[entry.buffer].data if entry.buffer < len(model.buffers) else None
    return b"" if data is None else np.asarray(data, np.uint8).tobytes()


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Whatever reading damaged metadata raises (struct.error, BadZipFile, UnicodeDecodeError ...)."""
    try:
        yield
    except _OfAnotherKind as error:
        raise ArtifactError(
            f"{path} has metadata that {error}: resnet-edge reads that of image classifiers"
        ) from error
    except Exception as error:  # see above
        raise ArtifactError(
            f"{path} has damaged metadata ({type(error).__name__}: {error}): write it anew"
        ) from error


class _OfAnotherKind(Exception):
    """Metadata that is whole, but not of one image and one list of scores."""


class _Node:
    """A table of the flatbuffer; what is not there is None or empty."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def root(cls, raw: bytes) -> _Node:
        return cls(Table(raw, encode.Get(packer.uoffset, raw, 0)))

    def _offset(self, kind: FieldKind, field: str) -> int:
        inside: int = self._table.Offset(4 + 2 * kind.slots[field])
        return inside and inside + self._table.Pos

    def text(self, kind: FieldKind, field: str) -> str:
        offset = self._offset(kind, field)
        return bytes(self._table.String(offset)).decode() if offset else ""

    def number(self, kind: FieldKind, field: str, flags: Any) -> int:
        offset = self._offset(kind, field)
        return int(self._table.Get(flags, offset)) if offset else 0

    def child(self, kind: FieldKind, field: str) -> _Node | None:
        offset = self._offset(kind, field)
        return _Node(Table(self._table.Bytes, self._table.Indirect(offset))) if offset else None

    def children(self, kind: FieldKind, field: str) -> list[_Node]:
        return [
            _Node(Table(self._table.Bytes, self._table.Indirect(at))) for at in self._items(kind, field, 4)
        ]

    def floats(self, kind: FieldKind, field: str) -> tuple[float, ...]:
        return tuple(
            float(self._table.Get(number_types.Float32Flags, at)) for at in self._items(kind, field, 4)
        )

    def _items(self, kind: FieldKind, field: str, size: int) -> range:
        if not self._offset(kind, field):
            return range(0)
        inside = self._table.Offset(4 + 2 * kind.slots[field])
        start, length = self._table.Vector(inside), self._table.VectorLen(inside)
        if start + size * length > len(self._table.Bytes):
            raise ValueError(f"a list of {length} lies behind its end")
        return range(start, start + size * length, size)


class _Files:
    """The zip behind the model, read when a label file is asked for."""

    def __init__(self, path: Path) -> None:
        self._content = path.read_bytes()

    def lines(self, name: str) -> tuple[str, ...]:
        with zipfile.ZipFile(io.BytesIO(self._content)) as behind, behind.open(name) as file:
            raw = file.read(MOST_LABEL_BYTES + 1)
        if len(raw) > MOST_LABEL_BYTES:
            raise ValueError(f"{name} is larger than {MOST_LABEL_BYTES >> 20} MiB")
        lines = raw.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
        return tuple(lines[:-1] if lines[-1] == "" else lines)  # the last line may end or not


def _metadata(root: _Node, files: _Files) -> ModelMetadata:
    kind = fields.MODEL
    subgraphs = root.children(kind, "subgraphs")
    if len(subgraphs) != 1:
        raise _OfAnotherKind(f"tells of {len(subgraphs)} subgraphs")
    inputs, outputs = (subgraphs[0].children(fields.SUBGRAPH, end) for end in ("inputs", "outputs"))
    if (len(inputs), len(outputs)) != (1, 1):
        raise _OfAnotherKind(f"tells of {len(inputs)} inputs and {len(outputs)} outputs")
    return ModelMetadata(
        name=root.text(kind, "name"),
        description=root.text(kind, "description"),
        version=root.text(kind, "version"),
        author=root.text(kind, "author"),
        license=root.text(kind, "license"),
        image=_image(inputs[0]),
        scores=_scores(outputs[0], files),
        min_parser_version=root.text(kind, "parser"),
    )


def _image(tensor: _Node) -> ImageInput:
    content = tensor.child(fields.TENSOR, "content")
    is_image = content and content.number(fields.CONTENT, "type", number_types.Uint8Flags)
    properties = (
        content.child(fields.CONTENT, "properties")
        if content and is_image == fields.IMAGE_PROPERTIES
        else None
    )
    colour = properties.number(fields.IMAGE, "colour", number_types.Int8Flags) if properties else 0
    size = properties.child(fields.IMAGE, "size") if properties else None
    mean, std = _normalization(tensor)
    return ImageInput(
        name=tensor.text(fields.TENSOR, "name"),
        description=tensor.text(fields.TENSOR, "description"),
        width=size.number(fields.SIZE, "width", number_types.Uint32Flags) if size else 0,
        height=size.number(fields.SIZE, "height", number_types.Uint32Flags) if size else 0,
        colour_space=next((name for name, number in fields.COLOURS.items() if number == colour), "unknown"),
        mean=mean,
        std=std,
        value_range=_range(tensor),
    )


def _normalization(tensor: _Node) -> tuple[tuple[float, ...], tuple[float, ...]]:
    for unit in tensor.children(fields.TENSOR, "units"):
        kind = unit.number(fields.UNIT, "type", number_types.Uint8Flags)
        options = unit.child(fields.UNIT, "options")
        if kind == fields.NORMALIZATION_OPTIONS and options:
            return options.floats(fields.NORMALIZATION, "mean"), options.floats(fields.NORMALIZATION, "std")
    return (), ()


def _scores(tensor: _Node, files: _Files) -> ScoreOutput:
    labels = []
    for file in tensor.children(fields.TENSOR, "files"):
        if file.number(fields.FILE, "type", number_types.Int8Flags) == fields.AXIS_LABELS:
            name = file.text(fields.FILE, "name")
            labels.append(LabelFile(name, files.lines(name), file.text(fields.FILE, "locale")))
    return ScoreOutput(
        tensor.text(fields.TENSOR, "name"),
        tensor.text(fields.TENSOR, "description"),
        tuple(labels),
        _range(tensor),
    )


def _range(tensor: _Node) -> tuple[float, float] | None:
    stats = tensor.child(fields.TENSOR, "stats")
    if stats is None:
        return None
    low, high = stats.floats(fields.STATS, "min"), stats.floats(fields.STATS, "max")
    return (min(low), max(high)) if low and high else None
