"""ModelMetadata into a TFLite file. The same metadata on the same file gives the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata, ScoreOutput
from resnet_edge.formats._metadata import schema as fields
from resnet_edge.formats._metadata.rules import check
from resnet_edge.formats._metadata.schema import FieldKind
from resnet_edge.graph.model import graph_of, load_model, save_model

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest date of a zip: with that of today, every run would write other bytes."""
_FILE_MODE = 0o644 << 16


def write(path: Path, metadata: ModelMetadata, out: Path) -> None:
    """Copy the model at `path` to `out`, with `metadata` in place of any that it has.

    Raises ArtifactError where the file is no TFLite file, DataError where the metadata does not fit it.
    """
    model = load_model(path)
    check(metadata, graph_of(model))
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(_flatbuffer(metadata), np.uint8)
    kept = [entry for entry in model.metadata or () if _name(entry) != fields.ENTRY]
    model.buffers = [*model.buffers, buffer]
    entry = schema.MetadataT()
    entry.name, entry.buffer = fields.ENTRY, len(model.buffers) - 1
    model.metadata = [*kept, entry]
    save_model(model, out)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as behind:
        for file in metadata.scores.labels:
            info = zipfile.ZipInfo(file.name, _EPOCH)
            info.external_attr, info.create_system = _FILE_MODE, 3
            behind.writestr(info, "\n".join(file.labels))


def _name(entry: Any) -> str:
    return entry.name.decode() if isinstance(entry.name, bytes) else str(entry.name)


def _flatbuffer(metadata: ModelMetadata) -> bytes:
    to = flatbuffers.Builder(1024)
    image, scores = _image(to, metadata.image), _scores(to, metadata.scores)
    subgraph = _table(to, fields.SUBGRAPH, {"inputs": _vector(to, [image]), "outputs": _vector(to, [scores])})
    texts = {
        "name": metadata.name,
        "description": metadata.description,
        "version": metadata.version,
        "author": metadata.author,
        "license": metadata.license,
        "parser": metadata.min_parser_version or fields.MIN_PARSER_VERSION,
    }
    offsets = {key: to.CreateString(text) for key, text in texts.items() if text}
    root = _table(to, fields.MODEL, {**offsets, "subgraphs": _vector(to, [subgraph])})
    to.Finish(root, fields.IDENTIFIER)
    return bytes(to.Output())


def _image(to: Any, image: ImageInput) -> int:
    size = _table(
        to,
        fields.SIZE,
        {},
        {
            "width": lambda slot: to.PrependUint32Slot(slot, image.width, 0),
            "height": lambda slot: to.PrependUint32Slot(slot, image.height, 0),
        },
    )
    colour = fields.COLOURS[image.colour_space]
    properties = _table(
        to, fields.IMAGE, {"size": size}, {"colour": lambda slot: to.PrependInt8Slot(slot, colour, 0)}
    )
    return _tensor(to, image, _content(to, fields.IMAGE_PROPERTIES, properties), units=_units(to, image))


def _units(to: Any, image: ImageInput) -> list[int]:
    if not image.mean:
        return []
    options = _table(
        to, fields.NORMALIZATION, {"mean": _floats(to, image.mean), "std": _floats(to, image.std)}
    )
    kind = fields.NORMALIZATION_OPTIONS
    return [
        _table(
            to, fields.UNIT, {"options": options}, {"type": lambda slot: to.PrependUint8Slot(slot, kind, 0)}
        )
    ]


def _scores(to: Any, scores: ScoreOutput) -> int:
    properties = _table(to, FieldKind(0, {}), {})
    content = _content(to, fields.FEATURE_PROPERTIES, properties)
    return _tensor(to, scores, content, files=[_file(to, file) for file in scores.labels])


def _file(to: Any, file: LabelFile) -> int:
    offsets = {"name": to.CreateString(file.name)}
    if file.locale:
        offsets["locale"] = to.CreateString(file.locale)
    kind = {"type": lambda slot: to.PrependInt8Slot(slot, fields.AXIS_LABELS, 0)}
    return _table(to, fields.FILE, offsets, kind)


def _content(to: Any, kind: int, properties: int) -> int:
    return _table(
        to,
        fields.CONTENT,
        {"properties": properties},
        {"type": lambda slot: to.PrependUint8Slot(slot, kind, 0)},
    )


def _tensor(
    to: Any,
    end: ImageInput | ScoreOutput,
    content: int,
    units: Sequence[int] = (),
    files: Sequence[int] = (),
) -> int:
    offsets = {
        "name": to.CreateString(end.name),  # MediaPipe in a browser fails without that of an output (1.1.0)
        "description": to.CreateString(end.description),
        "content": content,
    }
    if units:
        offsets["units"] = _vector(to, units)
    if files:
        offsets["files"] = _vector(to, files)
    if end.value_range is not None:
        low, high = end.value_range
        ends = {"max": _floats(to, (high,)), "min": _floats(to, (low,))}
        offsets["stats"] = _table(to, fields.STATS, ends)
    return _table(to, fields.TENSOR, offsets)


def _table(
    to: Any,
    kind: FieldKind,
    offsets: Mapping[str, int],
    scalars: Mapping[str, Callable[[int], None]] | None = None,
) -> int:
    to.StartObject(kind.fields)
    for name, offset in offsets.items():
        to.PrependUOffsetTRelativeSlot(kind.slots[name], offset, 0)
    for name, prepend in (scalars or {}).items():
        prepend(kind.slots[name])
    end: int = to.EndObject()
    return end


def _vector(to: Any, offsets: Sequence[int]) -> int:
    to.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        to.PrependUOffsetTRelative(offset)
    end: int = to.EndVector()
    return end


def _floats(to: Any, values: Sequence[float]) -> int:
    offset: int = to.CreateNumpyVector(np.asarray(values, np.float32))
    return offset
