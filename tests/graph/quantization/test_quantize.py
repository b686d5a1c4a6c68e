"""The schemes as they stand in the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from resnet_edge.core.errors import ArtifactError, UnsupportedScheme
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.scheme import Scheme
from resnet_edge.graph.last_operation import ends_in_sigmoid
from resnet_edge.graph.model import Graph, Node, read_graph
from resnet_edge.graph.quantization.calibrate import measure_ranges
from resnet_edge.graph.quantization.grids import float_operations, layer_of
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.graph.quantization.weighted import layers
from tests.formats import nets
from tests.graph.mixed import float_graph, mixed_graph, named, ranges_of
from tests.graph.road import Road, litert, road, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
WEIGHTED = ("CONV_2D", "FULLY_CONNECTED")


def weighted(graph: Graph) -> list[Node]:
    nodes = [node for node in graph.nodes if node.op in WEIGHTED]
    assert len(nodes) == 7
    return nodes


@pytest.mark.parametrize("name", ["int8", "dynamic", "int16x8"])
def test_weights_are_symmetric_int8_per_output_channel(name: str, residual: Road) -> None:
    graph = read_graph(residual.portable(name))
    for node in weighted(graph):
        kernel = graph.tensors[node.inputs[1]]
        assert kernel.dtype == "int8"
        assert kernel.data is not None
        assert kernel.quantization is not None
        assert kernel.data.min() >= -127
        assert set(kernel.quantization.zero_point) == {0}
        if node.op == "FULLY_CONNECTED":  # old runtimes read one step for all outputs
            assert len(kernel.quantization.scale) == 1
            assert np.abs(kernel.data.astype(int)).max() >= (64 if name == "int8" else 127)
            continue
        assert len(kernel.quantization.scale) == kernel.shape[0]
        assert kernel.quantization.axis == 0
        per_channel = np.abs(kernel.data.astype(int)).reshape(kernel.data.shape[0], -1).max(axis=1)
        if name == "int8":
            assert per_channel.min() >= 64, "no more is given up than pairs can need"
        else:
            assert set(per_channel) == {127}, "every channel uses its whole range"


@pytest.mark.parametrize("name", ["int8", "dynamic", "int16x8"])
def test_dense_layers_have_a_scale_for_each_output_on_request_and_nothing_else_changes(
    name: str, residual: Road, tmp_path: Path
) -> None:
    per_channel = replace(scheme(name), dense_scales="per-channel")
    quantize(residual.float_graph, per_channel, ranges_of(residual), tmp_path / "each.tflite")
    quantize(residual.float_graph, scheme(name), ranges_of(residual), tmp_path / "one.tflite")
    each, one = (read_graph(tmp_path / f"{which}.tflite") for which in ("each", "one"))
    for node, same in zip(weighted(each), weighted(one), strict=True):
        kernel, plain = each.tensors[node.inputs[1]], one.tensors[same.inputs[1]]
        assert kernel.quantization is not None
        assert plain.quantization is not None
        if node.op != "FULLY_CONNECTED":
            assert kernel.quantization == plain.quantization
            np.testing.assert_array_equal(kernel.data, plain.data)
            continue
        assert len(kernel.quantization.scale) == kernel.shape[0] == 5
        assert len(plain.quantization.scale) == 1
        assert kernel.quantization.axis == 0
        real = next(n for n in layers(read_graph(residual.float_graph)) if n.op == "FULLY_CONNECTED").rows
        off = [
            np.abs(np.asarray(q.scale)[:, None] * data - real).max()
            for q, data in ((kernel.quantization, kernel.data), (plain.quantization, plain.data))
        ]
        assert off[0] <= off[1]


@pytest.mark.parametrize(("name", "bias"), [("int8", "int32"), ("int16x8", "int64")])
def test_scale_of_a_bias_is_that_of_the_products(name: str, bias: str, residual: Road) -> None:
    graph = read_graph(residual.portable(name))
    for node in weighted(graph):
        source, kernel, offset = (graph.tensors[index] for index in node.inputs)
        assert offset.dtype == bias
        assert source.quantization is not None
        assert kernel.quantization is not None
        assert offset.quantization is not None
        products = np.float32(source.quantization.scale[0]) * np.asarray(
            kernel.quantization.scale, np.float32
        )
        np.testing.assert_allclose(offset.quantization.scale, products, rtol=1e-6)
        assert set(offset.quantization.zero_point) == {0}


def test_int8_activations_are_the_ranges_that_were_measured(residual: Road, tmp_path: Path) -> None:
    ranges = measure_ranges(
        residual.float_graph, (image[None] for image in residual.images), takes_pixels=False, threads=1
    )
    quantize(residual.float_graph, scheme("int8"), ranges, tmp_path / "q.tflite")
    graph = read_graph(tmp_path / "q.tflite")
    checked = 0
    for tensor in graph.tensors:
        if tensor.name in ranges and tensor.dtype == "int8":
            low, high = ranges[tensor.name]
            low, high = min(low, 0), max(high, 0)
            assert tensor.quantization is not None
            assert tensor.quantization.scale[0] == pytest.approx((high - low) / 255, rel=1e-6)
            assert tensor.quantization.zero_point == (round(-128 - low / tensor.quantization.scale[0]),)
            checked += 1
    assert checked >= 9


def test_pixels_have_scale_one_and_their_lowest_value_first(residual: Road, tmp_path: Path) -> None:
    ranges = measure_ranges(
        residual.float_graph, (image[None] for image in residual.images), takes_pixels=True, threads=1
    )
    quantize(residual.float_graph, scheme("int8"), ranges, tmp_path / "q.tflite")
    graph = read_graph(tmp_path / "q.tflite")
    first = next(node for node in graph.nodes if node.op == "QUANTIZE")
    assert first.inputs == graph.inputs
    quantization = graph.tensors[first.outputs[0]].quantization
    assert quantization is not None
    assert (quantization.scale, quantization.zero_point) == ((1.0,), (-128,))


def test_int16_activations_are_symmetric(residual: Road) -> None:
    graph = read_graph(residual.portable("int16x8"))
    inner = [t for t in graph.tensors if t.dtype == "int16"]
    assert len(inner) >= 9
    assert all(t.quantization is not None and t.quantization.zero_point == (0,) for t in inner)


def test_dynamic_keeps_float_activations(residual: Road) -> None:
    graph = read_graph(residual.portable("dynamic"))
    assert {graph.tensors[i].dtype for node in weighted(graph) for i in (node.inputs[0], *node.outputs)} == {
        "float32"
    }


def test_fp16_stores_weights_in_half_the_bytes(residual: Road) -> None:
    graph = read_graph(residual.portable("fp16"))
    halves = [t for t in graph.tensors if t.data is not None and t.dtype == "float16"]
    assert len(halves) >= 7
    whole = read_graph(residual.float_graph)
    kernels = [whole.tensors[node.inputs[1]].data for node in weighted(whole)]
    for kernel in kernels:
        assert kernel is not None
        assert any(h.data is not None and np.array_equal(h.data, kernel.astype(np.float16)) for h in halves)


def test_fp32_is_the_float_graph_itself(residual: Road, tmp_path: Path) -> None:
    quantize(residual.float_graph, scheme("fp32"), None, tmp_path / "q.tflite")
    assert (tmp_path / "q.tflite").read_bytes() == residual.float_graph.read_bytes()


def test_final_softmax_stays_in_float(tmp_path: Path) -> None:
    from tests.formats import nets
    from tests.graph.road import road

    model = nets.probabilities()
    net = road(model, nets.images(model), tmp_path, output="probabilities")
    graph = read_graph(net.portable("int8"))
    softmax = graph.nodes[-1]
    assert softmax.op == "SOFTMAX"
    assert {graph.tensors[i].dtype for i in (*softmax.inputs, *softmax.outputs)} == {"float32"}
    np.testing.assert_allclose(litert(net.portable("int8"), net.images).sum(axis=1), 1, atol=1e-5)


def test_calibration_that_is_missing_is_an_error(residual: Road, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedScheme, match="needs calibration ranges"):
        quantize(residual.float_graph, scheme("int8"), None, tmp_path / "q.tflite")
    assert not (tmp_path / "q.tflite").exists()


def test_scheme_without_a_quantizer_is_an_error(residual: Road, tmp_path: Path) -> None:
    odd = Scheme(title="odd", weights="int8", activations="float16", needs_calibration=False)
    with pytest.raises(UnsupportedScheme, match="no quantizer for int8 weights with float16"):
        quantize(residual.float_graph, odd, None, tmp_path / "q.tflite")


def test_nothing_is_printed_on_stdout(
    residual: Road, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    quantize(residual.float_graph, scheme("dynamic"), None, tmp_path / "q.tflite")
    assert capfd.readouterr().out == ""


def test_int16_opens_where_scales_are_nearly_powers_of_two(tmp_path: Path) -> None:
    """Rescaling(1 / 127.5, offset=-1): LiteRT takes 2 / 32767 for 2 ** -14 unless it is told."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = keras.layers.Conv2D(4, 3, padding="same")(x)
    model = keras.Model(image, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x)))
    random = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3))
    images = np.concatenate([random, np.zeros((1, 8, 8, 3)), np.full((1, 8, 8, 3), 255)]).astype(np.float32)
    net = road(model, images, tmp_path, preprocessing=PRESETS["model"])
    outputs = np.concatenate([litert(net.portable("int16x8"), image[None]) for image in images])
    np.testing.assert_allclose(outputs, net.reference, atol=0.02 * np.abs(net.reference).max())


def test_float_layers_stay_as_they_are(residual: Road, tmp_path: Path) -> None:
    whole = float_graph(residual)
    layers = [named(whole, "CONV_2D")[1], named(whole, "ADD")[1]]
    graph = read_graph(mixed_graph(residual, layers, tmp_path))
    assert float_operations(graph) == set(layers)
    kernel = next(whole.tensors[n.inputs[1]] for n in whole.nodes if layer_of(whole, n) == layers[0])
    same = next(t for t in graph.tensors if t.name == kernel.name)
    assert same.data is not None
    assert kernel.data is not None
    np.testing.assert_array_equal(same.data, kernel.data)


def test_conversions_stand_only_where_integers_begin_and_end(residual: Road, tmp_path: Path) -> None:
    """Of the block whose convolutions and addition stay float, one tensor comes in and one leaves."""
    whole = float_graph(residual)
    block = named(whole)[1:4]
    assert [n.op for n in whole.nodes[1:4]] == ["CONV_2D", "CONV_2D", "ADD"]
    graph = read_graph(mixed_graph(residual, block, tmp_path))
    conversions = [node for node in graph.nodes if node.op in ("QUANTIZE", "DEQUANTIZE")]
    assert [node.op for node in conversions] == ["QUANTIZE", "DEQUANTIZE", "QUANTIZE", "DEQUANTIZE"]
    assert len({node.inputs[0] for node in conversions}) == 4
    entering, leaving = conversions[1], conversions[2]
    assert graph.tensors[entering.inputs[0]].name == named(whole)[0]
    assert graph.tensors[leaving.inputs[0]].name == block[-1]


def test_first_float_layer_reads_the_image(residual: Road, tmp_path: Path) -> None:
    graph = read_graph(mixed_graph(residual, named(float_graph(residual))[:1], tmp_path))
    assert graph.nodes[0].inputs[0] == graph.inputs[0]
    assert [n.op for n in graph.nodes].count("QUANTIZE") == 1


def test_unknown_float_layer_is_an_error(residual: Road, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no operation of the graph gives 'conv99'"):
        mixed_graph(residual, ["conv99"], tmp_path)
    begin = named(float_graph(residual))[0].split(";")[0]  # a name is taken whole
    with pytest.raises(ArtifactError, match="no operation of the graph gives"):
        mixed_graph(residual, [begin], tmp_path)


def test_float_layers_need_an_integer_scheme(residual: Road, tmp_path: Path) -> None:
    layers = named(float_graph(residual))[:1]
    with pytest.raises(UnsupportedScheme, match="has no integers"):
        quantize(residual.float_graph, scheme("fp16"), None, tmp_path / "q.tflite", layers)


@pytest.mark.parametrize("name", ["int8", "int16x8"])
def test_a_sigmoid_at_the_end_stays_in_float_and_one_inside_does_not(name: str, tmp_path: Path) -> None:
    """In int8 its output would have steps of 1/256, and 1/256 from 0 and 1 all answers are equally sure."""
    image = keras.Input((9, 7, 3))
    x = keras.layers.Conv2D(6, 3, activation="silu")(image)
    x = keras.layers.Dense(1, "sigmoid")(keras.layers.GlobalAveragePooling2D()(x))
    model = nets.randomized(keras.Model(image, x))
    pixels = np.random.default_rng(4).random((16, 9, 7, 3)).astype(np.float32)
    net = road(model, pixels, tmp_path, output="probabilities")
    assert ends_in_sigmoid(net.portable(name))
    graph = read_graph(net.portable(name))
    dtypes = [graph.tensors[node.outputs[0]].dtype for node in graph.nodes if node.op == "LOGISTIC"]
    assert (len(dtypes), dtypes[-1]) == (2, "float32")
    assert dtypes[0].startswith("int")
    steps = 256 * litert(net.portable(name), pixels)
    assert np.abs(steps - np.rint(steps)).max() > 0.1


@pytest.mark.parametrize(
    ("activation", "format_name"), [("sigmoid", "onnx"), (None, "onnx"), (None, "tflite")]
)
def test_what_a_file_ends_in_is_read_in_it(activation: str | None, format_name: str, tmp_path: Path) -> None:
    image = keras.Input((9, 7, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(6, 3, activation="sigmoid")(image))
    model = nets.randomized(keras.Model(image, keras.layers.Dense(1, activation)(x)))
    net = road(model, np.zeros((2, 9, 7, 3), np.float32), tmp_path)
    assert ends_in_sigmoid(net.artifact(format_name, "fp32")[0]) == (activation is not None)
