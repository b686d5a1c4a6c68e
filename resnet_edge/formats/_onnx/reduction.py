"""Means, sums and extremes over axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from resnet_edge.formats._onnx.builder import NHWC, Builder
from resnet_edge.formats._onnx.layout import axis_here, from_portable_order
from resnet_edge.graph.model import Node

Handler = Callable[[Builder, Node], None]


def over_axes(op: str, over_image: str | None = None) -> Handler:
    """A handler for a reduction; over height and width as `over_image`, which may have an integer kernel."""

    def handle(b: Builder, node: Node) -> None:
        source, output = node.inputs[0], node.outputs[0]
        rank, hint, keep = len(b.shape(source)), b.name(output), bool(node.options["keepDims"])
        axes = sorted(int(axis) % rank for axis in np.atleast_1d(b.constant(node.inputs[1])))
        if over_image is not None and rank == 4 and axes == [1, 2]:
            _over_image(b, over_image, source, output, keep)
        elif rank == 4 and keep:
            here = sorted(axis_here(axis, rank) for axis in axes)
            b.define(output, _reduced(b, op, b.value(source), here, keep, hint))
        else:
            value = b.node("Transpose", [b.value(source)], hint, perm=NHWC) if rank == 4 else b.value(source)
            reduced = _reduced(b, op, value, axes, keep, hint)
            b.define(output, from_portable_order(b, reduced, len(b.shape(output)), hint))

    return handle


def _over_image(b: Builder, op: str, source: int, output: int, keep: bool) -> None:
    hint = b.name(output)
    reduced = b.node(op, [b.value(source)], hint)
    if not keep:
        # Rounded on both sides of Flatten, so that the pooling and the flattening each stand
        # between a DequantizeLinear and a QuantizeLinear and run on integers.
        reduced = b.node("Flatten", [b.rounded(reduced, output)], hint, axis=1)
    b.define(output, reduced)


def _reduced(b: Builder, op: str, value: str, axes: Sequence[int], keep: bool, hint: str) -> str:
    if op == "ReduceSum":  # its axes became an input in opset 13, those of the others in opset 18
        over = b.initializer(np.asarray(axes, np.int64), f"{hint}_axes")
        return b.node(op, [value, over], hint, keepdims=int(keep))
    return b.node(op, [value], hint, axes=list(axes), keepdims=int(keep))


HANDLERS: dict[str, Handler] = {
    "MEAN": over_axes("ReduceMean", "GlobalAveragePool"),
    "SUM": over_axes("ReduceSum"),
    "REDUCE_MAX": over_axes("ReduceMax", "GlobalMaxPool"),
    "REDUCE_MIN": over_axes("ReduceMin"),
    "REDUCE_PROD": over_axes("ReduceProd"),
}
