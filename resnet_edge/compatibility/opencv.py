"""The oldest OpenCV (cv2.dnn) for an .onnx file.

It keeps no list of what it reads, and refuses while it reads. What is known is measured: classifiers of this
toolkit, of tf2onnx and of ONNX Runtime's quantizer, with opencv-python-headless 4.6, 4.7, 4.8 and 4.12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import onnx
from onnx import TensorProto

from resnet_edge.core.minimum import RuntimeMinimum, State, release_key

RUNTIME = "OpenCV"
OLDEST_TRIED, NEWEST_TRIED = "4.6", "4.12"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Something that releases before `since` do not take; empty: none does, up to the newest that was
    tried."""

    since: str
    why: str
    node: Callable[[onnx.NodeProto], bool] = lambda _: False
    constant: Callable[[TensorProto], bool] = lambda _: False


def _set(node: onnx.NodeProto, attribute: str) -> bool:
    return any(each.name == attribute and each.i for each in node.attribute)


REFUSALS = (
    Refusal(
        since="",
        why="it makes no layer of DynamicQuantizeLinear",
        node=lambda node: node.op_type == "DynamicQuantizeLinear",
    ),
    Refusal(
        since="",
        why="it reads no uint16 constants",
        constant=lambda tensor: tensor.data_type == TensorProto.UINT16,
    ),
    Refusal(
        since="4.8",
        why="it has QLinearSoftmax",
        node=lambda node: node.op_type == "QLinearSoftmax",
    ),
    Refusal(
        since="4.7",
        why="a Gemm has its weights not transposed (transB=0)",
        node=lambda node: node.op_type == "Gemm" and not _set(node, "transB"),
    ),
    Refusal(
        since="4.7",
        why="a Squeeze has its axes as an input",
        node=lambda node: node.op_type == "Squeeze" and len(node.input) > 1,
    ),
    Refusal(
        since="4.7",
        why="it has DequantizeLinear",
        node=lambda node: node.op_type == "DequantizeLinear" and not node.domain,
    ),
    Refusal(
        since="4.7",
        why="it has float16 constants",
        constant=lambda tensor: tensor.data_type == TensorProto.FLOAT16,
    ),
)


def _refusals(graph: onnx.GraphProto) -> Iterator[Refusal]:
    for refusal in REFUSALS:
        if any(map(refusal.node, graph.node)) or any(map(refusal.constant, graph.initializer)):
            yield refusal


def _runtime_minimum(state: State, version: str, why: str) -> RuntimeMinimum:
    return RuntimeMinimum(runtime=RUNTIME, state=state, version=version, why=why)


def minimum(model: onnx.ModelProto) -> RuntimeMinimum:
    """What is known."""
    refusals = list(_refusals(model.graph))
    never = next((each for each in refusals if not each.since), None)
    if never is not None:
        return _runtime_minimum(
            "unknown", "", f"{never.why}, up to {NEWEST_TRIED}, the newest that was tried"
        )
    newest = max(refusals, key=lambda each: release_key(each.since), default=None)
    if newest is None:
        why = f"nothing in it is known to be refused since {OLDEST_TRIED}, the oldest that was tried"
        return _runtime_minimum("unknown", "", why)
    return _runtime_minimum("at least", newest.since, newest.why)
