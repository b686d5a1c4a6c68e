"""The reference with the weights that an artifact rounded them to.

How far rounded weights put a layer off need not be bounded where the weights can be read: what each was moved
by is known. So the reference's weights are moved as the artifact's were, channel by channel, where that is
what rounding does: to either side of where they were, which is uniform within a step and has a third of its
square as variance (to the nearest has a twelfth; weights that are rounded together lie between). A bias may
make up for what that does to the mean, whose size is known from the means of what the layer reads. Channels
that are further off were not rounded: they are moved by half a step at most, and the rest is to be found. So
is what makes a channel larger or smaller by more than roundings of so many weights do together, or by more
than the factors that it was scaled by are uncertain.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.departures import T
from resnet_edge.diagnosis.layers.links import Link
from resnet_edge.diagnosis.layers.powers import Powers
from resnet_edge.diagnosis.layers.scaled_weights import Scale, factors_of, same_weights
from resnet_edge.diagnosis.layers.steps import Constant, OpenedSteps, Real, Weights, named_kernel
from resnet_edge.graph.quantization.pair_bound import MOST_OF_PAIR, overflowing_pairs, pair_sums

STEP = np.sqrt(12.0)
"""Times the deviation of rounding to the nearest."""


def as_rounded(
    model: Any,
    names: Mapping[int, str],
    opened: OpenedSteps,
    powers: Powers,
    links: Iterable[Link],
    scales: Mapping[int, Scale],
) -> tuple[Any, OpenedSteps]:
    """The reference (`schema.ModelT`, its tensors called `names`) with weights moved, and the steps of the
    artifact without the rounding of weights that is known by that. `powers` of the artifact's tensors;
    `scales` of tensors of the reference."""
    rounded, graph = copy.copy(model), copy.copy(model.subgraphs[0])
    rounded.subgraphs, rounded.buffers = [graph], [*model.buffers]
    graph.tensors, graph.operators = [*graph.tensors], [*graph.operators]
    targets = {names[int(operator.outputs[0])]: target for target, operator in enumerate(graph.operators)}
    known: dict[str, Weights] = {}
    for link in links:
        if not (link.alone or same_weights(*link.weights)):
            continue
        target = targets[link.theirs.gives[0]]
        means = powers.means(link.ours.reads[0], link.weights[1].axis)
        kernel, bias, left = _moved(link, scales, means)
        operator = graph.operators[target] = copy.copy(graph.operators[target])
        operator.inputs = [int(i) for i in operator.inputs]
        _put(
            rounded,
            operator,
            1,
            kernel.transpose(3, 1, 2, 0) if link.theirs.op.startswith("depth") else kernel,
        )
        if bias is not None:
            _put(rounded, operator, 2, bias)
        known[link.ours.gives[0]] = left
    steps = (
        replace(step, weights=known[step.gives[0]]) if step.gives[0] in known else step
        for step in opened.steps
    )
    return rounded, replace(opened, steps=tuple(steps))


def _moved(link: Link, scales: Mapping[int, Scale], means: Real) -> tuple[Real, Real | None, Weights]:
    """Kernel and bias (None: stays) for the reference, and our weights with the variance that is left.
    `means` (C,) of what the layer reads."""
    theirs, ours = link.weights
    given = _rows(factors_of(scales, link.gives, link.shape[0]))
    read = factors_of(scales, link.reads, link.shape[3] * theirs.groups)
    by = given / _of_taps(read, link)
    step = STEP * np.sqrt(np.broadcast_to(ours.variance, link.shape))
    wanted = theirs.kernel * by
    had = np.where(np.isfinite(ours.kernel), ours.kernel, wanted)  # what is no number stays to be found
    bounded = _bounded(wanted, had, step)
    off = np.where(bounded, 0.0, had - wanted)
    share = _share(scales, link.gives)
    along = _gain(off, wanted, (1, 2, 3))
    most = share + np.sqrt(2 * T * _sum(np.square(step * wanted)) / 3) / np.maximum(
        _sum(np.square(wanted)), 1e-30
    )
    allowed = np.clip(along, -most, most)
    rest = off - wanted * _rows(allowed)
    if theirs.groups == 1:
        each = _share(scales, link.reads)
        rest = rest - wanted * np.clip(_gain(rest, wanted, (0, 1, 2)), -each, each)
    # Of squares between 0 and that of a step, by Hoeffding's inequality.
    rounded = _sum(np.square(rest)) <= _sum(np.square(step)) / 3 + np.sqrt(T / 2 * _sum(step**4))
    off = np.where(_rows(rounded), off, np.clip(off, -step / 2, step / 2))
    beyond = np.where(rounded, along - allowed, _gain(off, wanted, (1, 2, 3)))
    moved = np.where(bounded, had, wanted + off - wanted * _rows(beyond))
    left = replace(ours, variance=np.zeros(()))
    if theirs.bias is None or ours.bias is None:
        return moved / by, None, left
    flat = given.ravel()
    wanted, had = (np.broadcast_to(one.values.ravel(), flat.shape) for one in (theirs.bias, ours.bias))
    variance = np.broadcast_to(np.ravel(ours.bias.variance), flat.shape)
    each = (moved - by * theirs.kernel) * named_kernel(ours, means)
    most = STEP * np.sqrt(variance) + share * np.abs(wanted * flat) + np.sqrt(2 * T * _sum(np.square(each)))
    off = had - wanted * flat
    inside = np.abs(off) <= most  # what is not may have another summand in it
    stays = Constant(values=ours.bias.values.ravel(), variance=np.where(inside, 0.0, variance))
    return moved / by, np.where(inside, had / flat, wanted), replace(left, bias=stays)


def _of_taps(factors: Real, link: Link) -> Real:
    """Of what each tap reads, as they broadcast to the kernel."""
    groups = link.weights[0].groups
    if groups == 1:
        return factors
    each = factors.reshape(groups, 1, 1, -1)
    return each.repeat(link.shape[0] // groups, axis=0)


def _bounded(wanted: Real, had: Real, step: Real) -> NDArray[np.bool_]:
    """Weights of pairs that were kept from overflowing: `had` are as large as they may be together, and
    `wanted` are larger (graph/quantization/pair_bound.py)."""
    before, after = (
        np.divide(each, step, out=np.zeros(step.shape), where=step > 0).reshape(len(step), -1)
        for each in (wanted, had)
    )
    full = np.abs(pair_sums(after)) >= MOST_OF_PAIR - 1
    bounded = full & overflowing_pairs(before) & (pair_sums(after) * pair_sums(before) > 0)
    return np.repeat(bounded, 2, axis=1)[:, : after.shape[1]].reshape(step.shape)


def _share(scales: Mapping[int, Scale], tensor: int | None) -> Real:
    """By what share of themselves the factors of a tensor may be off: (C,), or one number."""
    if tensor is None or tensor not in scales:
        return np.zeros(())
    return np.nan_to_num(scales[tensor].share, posinf=1.0)


def _gain(off: Real, kernel: Real, axes: tuple[int, ...]) -> Real:
    """By what share of itself a kernel is larger or smaller."""
    gain: Real = (off * kernel).sum(axis=axes) / np.maximum(np.square(kernel).sum(axis=axes), 1e-30)
    return gain


def _rows(channels: NDArray[Any]) -> NDArray[Any]:
    return channels.reshape(-1, 1, 1, 1)


def _sum(kernel: Real) -> Real:
    """Over the weights of each channel (O,)."""
    total: Real = kernel.sum(axis=(1, 2, 3))
    return total


def _put(model: Any, operator: Any, position: int, values: Real) -> None:
    """A constant of its own for one operation."""
    graph = model.subgraphs[0]
    old = graph.tensors[operator.inputs[position]]
    tensor, buffer = copy.copy(old), schema.BufferT()
    shape = tuple(int(n) for n in old.shape)
    buffer.data = np.frombuffer(np.ascontiguousarray(values.reshape(shape), np.float32).tobytes(), np.uint8)
    tensor.buffer, tensor.name = len(model.buffers), bytes(old.name) + f"/{len(graph.tensors)}".encode()
    operator.inputs[position] = len(graph.tensors)
    graph.tensors.append(tensor)
    model.buffers.append(buffer)
