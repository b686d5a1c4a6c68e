"""The version that an operator needs, and one with which no runtime computes wrongly without an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from resnet_edge.graph.versions.conditions import hybrid, int16, per_channel
from resnet_edge.graph.versions.operation import Operand, Operation
from resnet_edge.graph.versions.releases import FIRST_LITERT, latest, tensorflow_lite_with
from resnet_edge.graph.versions.rules import RULES


@dataclass(frozen=True, kw_only=True)
class TooLow:
    """What older runtimes open and compute wrongly where an operator has the version of the rules.

    `since`: the first release of TensorFlow Lite that is right, as every newer one is; `litert`: of LiteRT.
    `version`: the lowest version of the operator that no older one takes. `micro`: the day since when
    TensorFlow Lite Micro is right; empty where it never is. `why` goes on from the operator's name.
    """

    holds: Callable[[Operation], bool]
    since: str
    litert: str = FIRST_LITERT
    version: int
    micro: str
    why: str


def _outputs_apart(operation: Operation) -> bool:
    return operation.name == "FULLY_CONNECTED" and per_channel(0)(operation)


def _int16_on_more_axes(operation: Operation) -> bool:
    """A dense layer in int16 whose output has more than two axes."""
    return operation.name == "FULLY_CONNECTED" and int16(operation) and operation.gives_axes() > 2


TOO_LOW = (
    TooLow(
        holds=lambda o: _outputs_apart(o) and hybrid(o),
        since="2.16",
        version=12,
        micro="",
        why="has weights with a scale for each output, which older ones read as one, without an error",
    ),
    TooLow(
        holds=lambda o: _int16_on_more_axes(o) and _outputs_apart(o) and o.type(2) == "int64",
        since="2.19",
        litert="1.1",
        version=14,
        micro="2024-09-27",
        why="is in int16 and has a bias, a scale for each output and more than two axes, which older ones "
        "compute wrongly, without an error",
    ),
    TooLow(
        holds=lambda o: _outputs_apart(o) and o.type() in ("int8", "int16"),
        since="2.10",
        version=10,
        micro="2024-09-27",
        why="has weights with a scale for each output, which older ones read as one, without an error",
    ),
    TooLow(
        holds=_int16_on_more_axes,
        since="2.8",
        version=10,
        micro="2022-05-11",
        why="is in int16 and gives more than two axes, which older ones take for two, without an error",
    ),
)
"""The first that holds counts.

Measured: 8 to 10 % of images are right with tflite-runtime 2.7 to 2.14 and TensorFlow 1.15 to 2.15
(hybrid), and before 2.10 (integers), which read the first scale for all. The day is that of
tflite-micro#2673; from #2602 (2024-05-28) until then such a layer was refused.

In int16, kernels took the first two axes of the output for the images and the outputs, so that most of it
was never written: before 2.8 (2.4, 2.5 and 2.7 were run) in every case, and from 2.12 to 2.18 and in LiteRT
1.0 where there are a scale for each output and an int64 bias (2.10 and 2.11 are right). TensorFlow Lite Micro
was right before it took int16 (tflite-micro#573 and #1026)."""


def scales_apart(activations: str) -> TooLow | None:
    """What is known of a dense layer whose int8 weights have a scale for each output, by the dtype of its
    activations; `since`: which release takes the safe version, later ones than the first that is right."""
    ends = Operand(dtype=activations, shape=(1, 2), scales=(), axis=0, quantized=False, sparse=False)
    weights = Operand(dtype="int8", shape=(2, 2), scales=(1.0, 2.0), axis=0, quantized=True, sparse=False)
    layer = Operation(name="FULLY_CONNECTED", inputs=(ends, weights), outputs=(ends,), options=None)
    low = next((low for low in TOO_LOW if low.holds(layer)), None)
    if low is None:
        return None
    taken = tensorflow_lite_with(layer.name, low.version)
    return replace(low, since=latest([low.since, *filter(None, [taken])]))


def needed_version(operation: Operation) -> int:
    """The version that a builtin operator needs by the rules."""
    rule = RULES.get(operation.name)
    return 1 if rule is None else rule(operation)


def safe_version(operation: Operation) -> int:
    """`needed_version`, or one that keeps runtimes from opening what they compute wrongly."""
    return max([needed_version(operation), *(low.version for low in TOO_LOW if low.holds(operation))])
