"""An ONNX file next to external data of another one."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
from onnx.external_data_helper import ExternalDataInfo

THRESHOLD = 256
"""Bytes from which on a tensor goes into the data file: scales and biases of small layers stay inside."""


def write_with_data_of(good: Path, other: Path, out: Path) -> str:
    """Write `good` to `out` with its weights in a file beside it, then put the weights of `other`, of the
    same network, into that file. Raises ValueError where the two are laid out differently."""
    stale = out.with_name(f"stale-{out.name}")
    mine, theirs = _written(good, out), _written(other, stale)
    if mine != theirs:
        raise ValueError(f"{good.name} and {other.name} are laid out differently")
    shutil.move(_data(stale), _data(out))
    stale.unlink()
    return f"{len(mine)} tensors of {other.name} in the external data"


def _data(path: Path) -> Path:
    return path.with_name(f"{path.name}.data")


def _written(source: Path, out: Path) -> list[tuple[int, int]]:
    """Offset and length of all that went into the data file."""
    model = onnx.load(str(source))
    _order(model.graph)
    _data(out).unlink(missing_ok=True)  # onnx would append to it
    onnx.save(
        model,
        str(out),
        save_as_external_data=True,
        location=_data(out).name,
        size_threshold=THRESHOLD,
    )
    outside = [t for t in onnx.load(str(out), load_external_data=False).graph.initializer if t.external_data]
    infos = [ExternalDataInfo(tensor) for tensor in outside]
    return [(int(info.offset or 0), int(info.length or 0)) for info in infos]


def _order(graph: onnx.GraphProto) -> None:
    """Constants in the order of the names of what is made of them: exporters have others by accident."""
    held = {one.name: one for one in graph.initializer}
    nodes = sorted(graph.node, key=lambda node: str(node.output[0]))
    names = dict.fromkeys(name for node in nodes for name in node.input if name in held)
    kept = [held[name] for name in names]
    del graph.initializer[:]
    graph.initializer.extend(kept)
