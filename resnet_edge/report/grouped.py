"""What is said of several rows, said once."""

from __future__ import annotations

from collections.abc import Iterable

from resnet_edge.core.results.parity import Parity


def grouped(rows: Iterable[Parity]) -> list[tuple[list[Parity], tuple[str, ...]]]:
    """Rows of one verdict with the same reasons together, in the order of the first of each."""
    groups: dict[tuple[str, ...], list[Parity]] = {}
    for row in rows:
        groups.setdefault((row.verdict, *row.reasons), []).append(row)
    return [(together, key[1:]) for key, together in groups.items()]


def names(rows: Iterable[Parity]) -> str:
    """`net.fp32.onnx on onnxruntime cpu, net.int8.onnx on onnxruntime cpu`."""
    return ", ".join(f"{row.artifact} on {row.backend} {row.device}" for row in rows)
