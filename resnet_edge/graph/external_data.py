"""Runs in a worker. The files beside an ONNX file that hold its weights: ONNX calls them external data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import onnx
from onnx.external_data_helper import uses_external_data


def external_files(model: onnx.ModelProto) -> set[str]:
    """Their names, each as one path (`./w` is `w`), wherever in the model a tensor names them."""
    entries = (each.external_data for each in _tensors(model) if uses_external_data(each))
    return {str(PurePosixPath(entry.value)) for each in entries for entry in each if entry.key == "location"}


def stored_bytes(path: Path, model: onnx.ModelProto) -> int:
    """The size of the file at `path`, which holds `model`, with those of its weights that are there."""
    beside = {path.parent / name for name in external_files(model)} - {path}
    return sum(file.stat().st_size for file in (path, *beside) if file.is_file())


def _tensors(message: Any) -> Iterator[onnx.TensorProto]:
    """All of them, also in graphs inside of nodes, in functions, and those that are sparse."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for each in [value] if hasattr(value, "ListFields") else value:
            if isinstance(each, onnx.TensorProto):
                yield each
            else:
                yield from _tensors(each)
