from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from resnet_edge.core.scheme import DenseScales
from resnet_edge.graph.model import Graph, read_graph
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.graph.quantization.variants import RoundedVariants, rounded_kernel, rounded_operand
from tests.graph.mixed import float_graph, ranges_of
from tests.graph.road import Road, litert, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def run(content: bytes, images: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    rows = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return np.concatenate(rows)


def test_variant_without_a_rounding_is_the_graph(residual: Road) -> None:
    variants = RoundedVariants(residual.float_graph, float_graph(residual).outputs)
    expected = litert(residual.float_graph, residual.images)
    np.testing.assert_array_equal(run(variants.plain(), residual.images), expected)


def test_rounded_output_is_on_its_grid(residual: Road) -> None:
    graph = float_graph(residual)
    variants = RoundedVariants(residual.float_graph, graph.outputs)
    content = variants.with_activations({graph.outputs[0]: (-1.0, 1.55)})
    rounded, real = run(content, residual.images), litert(residual.float_graph, residual.images)
    inside = np.clip(np.rint(real / np.float32(0.01)) * 0.01, -1, 1.55)
    np.testing.assert_allclose(rounded, inside, atol=1e-5)
    assert np.abs(rounded - real).max() > 1e-3


def test_rounding_for_one_reader_leaves_the_others_alone(residual: Road) -> None:
    """A tensor that is read twice: by a convolution and by the addition around it."""
    graph = float_graph(residual)
    shared = next(i for node in graph.nodes for i in node.outputs if len(readers(graph, i)) == 2)
    variants = RoundedVariants(residual.float_graph, graph.outputs)
    coarse = {shared: (0.0, 40.0)}
    plain = run(variants.plain(), residual.images)
    outputs = [
        run(variants.with_activations(coarse, which), residual.images)
        for which in (None, readers(graph, shared), readers(graph, shared)[:1], [])
    ]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(outputs[3], plain)
    assert np.abs(outputs[2] - plain).max() > 1e-3
    assert np.abs(outputs[2] - outputs[0]).max() > 1e-3


def readers(graph: Graph, index: int) -> list[int]:
    return [n for n, node in enumerate(graph.nodes) if index in node.inputs]


def test_constants_are_replaced_for_one_variant_only(residual: Road) -> None:
    graph = float_graph(residual)
    kernel = next(node.inputs[1] for node in graph.nodes if node.op == "CONV_2D")
    assert graph.tensors[kernel].data is not None
    zeros = np.zeros_like(graph.tensors[kernel].data)
    variants = RoundedVariants(residual.float_graph, graph.outputs)
    plain = run(variants.plain(), residual.images)
    assert np.abs(run(variants.with_constants({kernel: zeros}), residual.images) - plain).max() > 1e-2
    np.testing.assert_array_equal(run(variants.plain(), residual.images), plain)


@pytest.mark.parametrize("large", [0, 1 << 20], ids=["outside", "inside"])
def test_constants_inside_and_outside_of_the_flatbuffer(
    large: int, residual: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnet_edge.graph.quantization.variants.LARGE", large)
    graph = float_graph(residual)
    dense = next(node.inputs[1] for node in graph.nodes if node.op == "FULLY_CONNECTED")
    kernel = graph.tensors[dense].data
    assert kernel is not None
    doubling = {dense: np.asarray(2 * kernel, np.float32)}
    variants = RoundedVariants(residual.float_graph, graph.outputs)
    doubled = run(variants.with_constants(doubling), residual.images)
    bias = litert(residual.float_graph, residual.images) - doubled / 2
    np.testing.assert_allclose(bias, np.broadcast_to(bias[0], bias.shape), atol=1e-5)


@pytest.mark.parametrize("dense_scales", get_args(DenseScales))
def test_kernels_are_rounded_as_the_quantizer_does(
    dense_scales: DenseScales, residual: Road, tmp_path: Path
) -> None:
    requested = replace(scheme("int8"), dense_scales=dense_scales)
    quantize(residual.float_graph, requested, ranges_of(residual), tmp_path / "q.tflite")
    stored = {t.name: t for t in read_graph(tmp_path / "q.tflite").tensors}
    graph, checked = float_graph(residual), 0
    for node in graph.nodes:
        if node.op in ("CONV_2D", "FULLY_CONNECTED"):
            kernel = graph.tensors[node.inputs[1]]
            theirs = stored[kernel.name]
            assert kernel.data is not None
            assert theirs.data is not None
            assert theirs.quantization is not None
            scale = np.reshape(theirs.quantization.scale, (-1, *[1] * (kernel.data.ndim - 1)))
            ours = rounded_kernel(kernel.data, node.op, paired=True, dense_scales=dense_scales)
            np.testing.assert_allclose(ours, theirs.data * scale, atol=1e-6)
            checked += 1
    assert checked == 7


def test_depthwise_kernels_have_their_channels_last() -> None:
    kernel = np.array([1.0, 100.0], np.float32).reshape(1, 1, 1, 2) * np.array([[1, 0.3]]).reshape(1, 1, 2, 1)
    kernel = kernel.astype(np.float32)
    assert np.abs(rounded_kernel(kernel, "DEPTHWISE_CONV_2D", paired=False) / kernel - 1).max() < 0.01
    assert np.abs(rounded_kernel(kernel, "CONV_2D", paired=False) / kernel - 1).max() > 0.1


def test_operand_is_rounded_with_one_scale_and_keeps_zero() -> None:
    values = np.array([0.0, 0.1, 300.0, -10.0], np.float32)
    rounded = rounded_operand(values)
    assert rounded[0] == 0
    assert rounded[1] == 0
    np.testing.assert_allclose(rounded, values, atol=310 / 255 / 2 * 1.001)
    np.testing.assert_array_equal(rounded_operand(np.zeros(3, np.float32)), np.zeros(3))
