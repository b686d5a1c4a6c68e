"""Cross-layer equalization: channels of one tensor brought to like ranges, exactly.

Where everything between the layers that write a tensor and those that read it keeps a
positive factor per channel (no activation or ReLU, additions, pooling over the image,
padding with zeros), channel c can be multiplied by s_c in the writers and divided by s_c in
the readers: the float network is the same. With one int8 step for a whole tensor, a channel
that is small beside the others is then rounded less coarsely.

M. Nagel et al., arXiv:1906.04721, section 4.1, equalizes pairs of layers for the sake of
weights with one scale. Weights have a scale per output channel here, so that only the
activations gain; and since in a residual network most noise enters where tensors meet in an
addition, all tensors that additions join share one vector of factors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_edge.graph.model import ABSENT, Graph, Node
from resnet_edge.graph.quantization.calibrate import Measured
from resnet_edge.graph.quantization.weighted import CHANNEL_AXIS, Constants

POWER = 0.5
"""Half way (in logarithms) to equal ranges: the rest of the way costs the readers' weights
more than it gains. On the bundled ResNet-20 0.5 is better than 0.3, 0.75 and 1."""
LARGEST = 16.0

KEEPS_CHANNELS = frozenset({"MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "RELU", "MEAN", "RESHAPE"})
NONE, RELU = 0, 1
LINEAR = frozenset({NONE, RELU})
"""Fused activations f with f(s x) = s f(x) for s > 0."""


@dataclass(frozen=True)
class Equalization:
    """Factors (C,) by tensor name, the constants that make up for them, and why other groups
    of tensors were left alone (one line each)."""

    scales: dict[str, NDArray[np.float64]]
    constants: Constants
    skipped: tuple[str, ...]


def equalize(graph: Graph, measured: Measured, untouchable: frozenset[str] = frozenset()) -> Equalization:
    """Factors for every group of tensors of a float graph that allows them.

    A group with a tensor named in `untouchable` (its range is fixed) is left alone.
    """
    groups = _groups(graph)
    scales: dict[str, NDArray[np.float64]] = {}
    skipped = []
    for members in groups:
        names = [graph.tensors[i].name for i in members]
        reason = _obstacle(graph, members)
        if reason is None and untouchable.intersection(names):
            reason = "its range is fixed"
        if reason is not None:
            skipped.append(f"{_short(names[0])}: {reason}")
            continue
        factors = _factors([measured.activations[name].magnitude for name in names])
        if (factors != 1).any():
            scales |= dict.fromkeys(names, factors)
    return Equalization(scales, _constants(graph, scales), tuple(skipped))


def _factors(magnitudes: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """One factor for each channel, from the largest magnitudes of each tensor: at least 1, so
    that no tensor's range grows beyond its largest channel, and 1 for a channel without values."""
    shares = np.max([m / m.max() if m.max() > 0 else m for m in magnitudes], axis=0)
    raised = np.where(shares > 0, shares, 1.0) ** -POWER
    # Powers of two would be exact in float as well, but they are too coarse.
    return np.asarray(np.clip(raised, 1.0, LARGEST).astype(np.float32), np.float64)


def _constants(graph: Graph, scales: dict[str, NDArray[np.float64]]) -> Constants:
    """Kernels, biases and constant operands that make up for `scales`."""
    constants: Constants = {}

    def scale(index: int, position: int, factors: NDArray[np.float64], axis: int) -> None:
        values = constants.get((index, position), graph.tensors[graph.nodes[index].inputs[position]].data)
        assert values is not None  # _obstacle has seen to it
        shape = [1] * values.ndim
        shape[axis] = len(factors)
        constants[index, position] = (values * factors.reshape(shape)).astype(np.float32)

    for index, node in enumerate(graph.nodes):
        before = scales.get(graph.tensors[node.inputs[0]].name)
        after = scales.get(graph.tensors[node.outputs[0]].name)
        if node.op in CHANNEL_AXIS:
            if after is not None:
                scale(index, 1, after, CHANNEL_AXIS[node.op])
                if len(node.inputs) > 2 and node.inputs[2] != ABSENT:
                    scale(index, 2, after, 0)
            if before is not None:
                scale(index, 1, 1 / before, 3 if node.op == "DEPTHWISE_CONV_2D" else -1)
        elif node.op == "ADD" and after is not None:
            for position, operand in enumerate(node.inputs):
                if graph.tensors[operand].data is not None:
                    scale(index, position, after, -1)
    return constants


def _groups(graph: Graph) -> list[list[int]]:
    """Activations whose channels must have the same factors, in order of first use."""
    leader = list(range(len(graph.tensors)))

    def find(index: int) -> int:
        while leader[index] != index:
            index = leader[index]
        return index

    for node in graph.nodes:
        if node.op in KEEPS_CHANNELS or node.op in ("ADD", "MUL"):
            for index in (*node.inputs, *node.outputs):
                if index != ABSENT and graph.tensors[index].data is None:
                    leader[find(index)] = find(node.outputs[0])
    groups: dict[int, list[int]] = {}
    for index in dict.fromkeys(i for n in graph.nodes for i in (*n.inputs, *n.outputs) if i != ABSENT):
        if graph.tensors[index].data is None:
            groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _obstacle(graph: Graph, members: list[int]) -> str | None:
    """Why the group cannot have factors, or None."""
    inside = set(members)
    if inside.intersection(graph.inputs):
        return "it is the input"
    if inside.intersection(graph.outputs):
        return "it is the output"
    if len({graph.tensors[i].shape[-1] for i in members}) > 1:
        return "its tensors differ in channels"
    for node in graph.nodes:
        if inside.intersection(node.inputs):
            reason = _reading(graph, node, bool(inside.intersection(node.outputs)))
        elif inside.intersection(node.outputs):
            reason = _writing(graph, node)
        else:
            continue
        if reason is not None:
            return reason
    return None


def _reading(graph: Graph, node: Node, stays: bool) -> str | None:
    """What keeps a reader from undoing the factors or, where its output `stays` in the group,
    from passing them on."""
    if node.op in CHANNEL_AXIS:
        kernel, source = graph.tensors[node.inputs[1]], graph.tensors[node.inputs[0]]
        if kernel.data is None or kernel.dtype != "float32":
            return f"the kernel of {node.op} is not a float32 constant"
        if kernel.shape[-1] != source.shape[-1]:
            return f"{node.op} has groups, or several outputs for a channel"
        return None
    if not stays or node.op not in (*KEEPS_CHANNELS, "ADD", "MUL"):
        return f"{node.op} does not keep a factor per channel"
    if node.options.get("fusedActivationFunction", NONE) not in LINEAR:
        return f"{node.op} ends in an activation with an upper bound"
    return _passing(graph, node)


def _passing(graph: Graph, node: Node) -> str | None:
    source, output = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    constants = [graph.tensors[i] for i in node.inputs if graph.tensors[i].data is not None]
    if node.op in ("ADD", "MUL"):
        if node.op == "MUL" and not constants:
            return "MUL multiplies two activations"
        if any(c.shape[-1:] != output.shape[-1:] or c.dtype != "float32" for c in constants):
            return f"{node.op} has a constant that is not one value for each channel"
    if node.op == "RESHAPE" and any(size != 1 for size in source.shape[1:-1]):
        return "RESHAPE mixes channels and pixels"
    if node.op == "MEAN":
        axes = constants[0].data if constants else None
        if axes is None or {int(a) % len(source.shape) for a in axes.reshape(-1)} != {1, 2}:
            return "MEAN is not one over the image"
    return None


def _writing(graph: Graph, node: Node) -> str | None:
    """What keeps a writer that does not read from the group from taking the factors on."""
    if node.op not in CHANNEL_AXIS:
        return f"{node.op} cannot take on a factor per channel"
    if node.options.get("fusedActivationFunction", NONE) not in LINEAR:
        return f"{node.op} ends in an activation with an upper bound"
    kernel = graph.tensors[node.inputs[1]]
    if kernel.data is None or kernel.dtype != "float32":
        return f"the kernel of {node.op} is not a float32 constant"
    if len(node.inputs) > 2 and node.inputs[2] != ABSENT and graph.tensors[node.inputs[2]].data is None:
        return f"the bias of {node.op} is not a constant"
    return None


def _short(name: str) -> str:
    return name.split(";")[0]
