"""What of an artifact's weights is taken for rounding, and what is left to be found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.diagnosis.layers.powers import Powers
from resnet_edge.diagnosis.layers.rounded_weights import as_rounded
from resnet_edge.diagnosis.layers.steps import OpenedSteps
from resnet_edge.graph.quantization.pair_bound import rounded_within
from tests.diagnosis.layers.layer_links import Real, link, on_grid

SHAPE = (8, 3, 3, 16)


def replayed(kernel: Real, ours: tuple[Real, Real | float]) -> tuple[Real, Real]:
    """The kernel that the reference is replayed with, and the variance that is left to each weight."""
    bias = np.zeros(len(kernel))
    held = link(gives=1, reads=0, theirs=(kernel, bias), ours=(ours, bias))
    powers = Powers()
    powers.add({"our 0": np.ones((1, 4, 4, kernel.shape[3]), np.float32)})
    opened = OpenedSteps(steps=(held.ours,), grids={}, entry="our 0", exit="our 1")
    model, known = as_rounded(reference(kernel), {0: "their 0", 3: "their 1"}, opened, powers, [held], {})
    graph = model.subgraphs[0]
    buffer = model.buffers[graph.tensors[graph.operators[0].inputs[1]].buffer].data
    weights = known.steps[0].weights
    assert weights is not None
    weights_of_file = np.frombuffer(bytes(buffer), np.float32).astype(np.float64).reshape(kernel.shape)
    return weights_of_file, weights.variance


def reference(kernel: Real) -> Any:
    """A model of one convolution: tensors 0 to 3 are image, kernel, bias and output."""
    model, graph, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    graph.tensors = []
    shapes = {"image": (1, 4, 4, 16), "kernel": kernel.shape, "bias": (8,), "out": (1, 4, 4, 8)}
    for name, shape in shapes.items():
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name.encode(), shape, 0
        graph.tensors.append(tensor)
    operator.inputs, operator.outputs = [0, 1, 2], [3]
    graph.operators = [operator]
    model.subgraphs, model.buffers = [graph], [schema.BufferT()]
    return model


@pytest.fixture
def kernel() -> Real:
    return np.random.default_rng(3).normal(size=SHAPE)


def test_rounding_to_the_nearest_is_known(kernel: Real) -> None:
    rounded, variance = on_grid(kernel)
    as_replayed, left = replayed(kernel, (rounded, variance))
    np.testing.assert_allclose(as_replayed, rounded, atol=1e-6)
    assert not np.any(left)


def test_rounding_to_either_side_is_known(kernel: Real) -> None:
    """As rounding together does (GPTQ, adaptive rounding)."""
    _, variance = on_grid(kernel)
    step = np.sqrt(12 * variance)
    up = np.random.default_rng(4).integers(0, 2, SHAPE)
    rounded = np.asarray((np.floor(kernel / step) + up) * step, np.float64)
    as_replayed, _ = replayed(kernel, (rounded, variance))
    np.testing.assert_allclose(as_replayed, rounded, atol=1e-6)


def test_a_larger_channel_is_left_to_be_found(kernel: Real) -> None:
    ours = kernel.copy()
    ours[2] *= 1.05
    as_replayed, _ = replayed(kernel, on_grid(ours))
    gain = (as_replayed * kernel).sum(axis=(1, 2, 3)) / np.square(kernel).sum(axis=(1, 2, 3))
    assert gain == pytest.approx(np.ones(8), abs=1e-2)  # 1.05 but for what rounding can do to a channel


def test_a_weight_far_off_is_left_to_be_found(kernel: Real) -> None:
    rounded, variance = on_grid(kernel)
    rounded[5, 1, 1, 7] = np.abs(kernel[5]).max() * -np.sign(kernel[5, 1, 1, 7])
    as_replayed, _ = replayed(kernel, (rounded, variance))
    step = np.sqrt(12 * variance[5, 0, 0, 0])
    assert abs(as_replayed[5, 1, 1, 7] - kernel[5, 1, 1, 7]) <= step * 0.6


def test_pairs_that_were_kept_from_overflowing_are_rounding() -> None:
    """Both neighbours gave up much more than a step (graph/quantization/pair_bound.py)."""
    kernel = np.random.default_rng(5).uniform(-1, 1, SHAPE)
    step = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True) / 127
    rounded = rounded_within((kernel / step).reshape(8, -1)).reshape(SHAPE) * step
    variance = np.broadcast_to(step**2 / 12, SHAPE)
    assert (np.abs(rounded - kernel) > 2 * np.sqrt(12 * variance)).any()
    as_replayed, _ = replayed(kernel, (rounded, variance))
    np.testing.assert_allclose(as_replayed, rounded, atol=1e-5)


def test_the_reference_keeps_its_weights() -> None:
    """What is replayed is a copy."""
    kernel = np.ones(SHAPE)
    model = reference(kernel)
    before = len(model.buffers)
    held = link(gives=1, reads=0, theirs=(kernel, None), ours=((kernel, 0.0), None))
    powers = Powers()
    powers.add({"our 0": np.ones((1, 4, 4, 16), np.float32)})
    opened = OpenedSteps(steps=(held.ours,), grids={}, entry="our 0", exit="our 1")
    as_rounded(model, {3: "their 1"}, opened, powers, [held], {})
    assert len(model.buffers) == before
