"""Runs in a worker. Whether a file runs on the oldest runtimes that were asked for, by what stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resnet_edge.core.errors import UnsupportedScheme
from resnet_edge.core.minimum import RuntimeMinimum
from resnet_edge.core.runtime_floor import RuntimeFloor


def check(path: Path, format: str, scheme: str, floors: Sequence[RuntimeFloor]) -> None:
    """Raise UnsupportedScheme, with what asks for more, where one of the runtimes does not open the file or
    computes it wrongly."""
    wanted = {floor.runtime: floor for floor in floors if floor.format == format}
    if not wanted:
        return
    for minimum in _minimums(path, format):
        floor = wanted.get(minimum.runtime)
        if floor is None or (minimum.version and floor.holds(minimum.version)):
            continue
        raise UnsupportedScheme(
            f"{path.name} {_words(minimum)} ({minimum.why}), and --runtimes asks for {floor}: "
            f"{_way_out(floor, minimum)}leave {scheme} out of --schemes or {format} out of --formats"
        )


def _words(minimum: RuntimeMinimum) -> str:
    if minimum.state == "never":
        return f"runs on no {minimum.runtime}"
    if minimum.state == "unknown":
        return f"may need any {minimum.runtime}"
    return f"needs {minimum.runtime} {minimum.version}"


def _way_out(floor: RuntimeFloor, minimum: RuntimeMinimum) -> str:
    return f"ask for {floor.name}>={minimum.version}, or " if minimum.version else ""


def _minimums(path: Path, format: str) -> tuple[RuntimeMinimum, ...]:
    if format == "onnx":
        import onnx

        from resnet_edge.compatibility.onnx import minimums as of_onnx

        return of_onnx(onnx.load(str(path), load_external_data=False))
    from resnet_edge.compatibility import micro
    from resnet_edge.compatibility.tflite import minimums
    from resnet_edge.graph.model import load_model

    model = load_model(path)
    return (*minimums(model), micro.minimum(model))
