"""What is found in good files, ours and another's, and in files that are broken on purpose."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import numpy_helper

from resnet_edge.core.results.explanation import Explanation
from resnet_edge.diagnosis.explain import explain
from resnet_edge.diagnosis.explain_task import CompareLayers
from resnet_edge.graph.model import load_model, save_model
from resnet_edge.workers.progress import silent
from tests.formats import nets
from tests.graph.road import Road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
NETS = ("residual_v1", "bottleneck")
SCHEMES = [("tflite", s) for s in ("fp32", "fp16", "dynamic", "int8", "int16x8")]
SCHEMES += [("onnx", s) for s in ("fp32", "fp16", "int8")]


def signature_of(network: object) -> tuple[str, int] | None:
    """Where a function is defined, and how many arguments it has."""
    if not inspect.isfunction(network):
        return None
    return network.__module__, len(inspect.signature(network).parameters)


def explained(net: Road, path: Path, folder: Path) -> Explanation:
    np.save(folder / "images.npy", net.images)
    task = CompareLayers(
        file=path.name,
        path=str(path),
        format=path.suffix[1:],
        portable=str(net.float_graph),
        images=str(folder / "images.npy"),
        preprocessing=None,
        n=min(8, len(net.images)),
    )
    return explain(task, silent).explanation


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize(("format", "scheme"), SCHEMES)
def test_good_files_raise_no_alarm(
    name: str, format: str, scheme: str, roads: Callable[[str], Road], tmp_path: Path
) -> None:
    net = roads(name)
    path, _ = net.artifact(format, scheme)
    explanation = explained(net, path, tmp_path)
    assert explanation.findings == ()
    assert explanation.compared == explanation.layers > 4


EVERY_NET = [name for name, network in vars(nets).items() if signature_of(network) == (nets.__name__, 0)]


UNFOLLOWED = ("group_norm", "layer_norm")
"""How their integer kernels (squared_difference, rsqrt) go on with what was rounded before is not known, so
that nothing holds the layer behind to a bound."""


@pytest.mark.parametrize("name", EVERY_NET)
@pytest.mark.parametrize("format", ["tflite", "onnx"])
@pytest.mark.parametrize("scheme", ["fp32", "int8"])
def test_good_files_of_any_network_raise_no_alarm(
    name: str, format: str, scheme: str, roads: Callable[[str], Road], tmp_path: Path
) -> None:
    net = roads(name)
    path, _ = net.artifact(format, scheme)
    explanation = explained(net, path, tmp_path)
    assert explanation.contradictions == ()
    if (format, scheme) == ("tflite", "int8") and name in UNFOLLOWED:
        assert explanation.compared == explanation.layers - 1
        assert "is not judged: how rounding goes through that is not known" in explanation.remarks[0]
    else:
        assert explanation.compared == explanation.layers
        assert explanation.remarks == ()


def convolution(model: onnx.ModelProto, number: int) -> onnx.NodeProto:
    chosen: onnx.NodeProto = [node for node in model.graph.node if node.op_type == "Conv"][number]
    return chosen


def edited(
    net: Road,
    out: Path,
    edit: Callable[[dict[str, onnx.TensorProto], onnx.NodeProto], None],
    number: int = 2,
    scheme: str = "fp32",
) -> tuple[Path, str]:
    """A float ONNX file in which one convolution is changed, and the name of its output."""
    path, _ = net.artifact("onnx", scheme)
    model = onnx.load(path)
    node = convolution(model, number)
    edit({constant.name: constant for constant in model.graph.initializer}, node)
    onnx.save(model, out)
    return out, node.output[0]


def put(constant: onnx.TensorProto, values: np.ndarray) -> None:
    constant.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), constant.name))


def swap(constants: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> None:
    values = numpy_helper.to_array(constants[node.input[1]]).copy()
    values[[0, 3]] = values[[3, 0]]
    put(constants[node.input[1]], values)


def rescale(constants: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> None:
    put(constants[node.input[1]], numpy_helper.to_array(constants[node.input[1]]) * np.float32(1.02))


def transpose(constants: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> None:
    put(constants[node.input[1]], numpy_helper.to_array(constants[node.input[1]]).swapaxes(2, 3))


def poison(constants: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> None:
    values = numpy_helper.to_array(constants[node.input[1]]).copy()
    values.ravel()[7] = np.nan
    put(constants[node.input[1]], values)


def silence(constants: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> None:
    put(constants[node.input[2]], 0 * numpy_helper.to_array(constants[node.input[2]]))


def shift(constants: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> None:
    put(constants[node.input[2]], numpy_helper.to_array(constants[node.input[2]]) + np.float32(0.5))


def pad(constants: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> None:
    pads = next(attribute for attribute in node.attribute if attribute.name == "pads")
    pads.ints[:] = [pads.ints[2], pads.ints[3], pads.ints[0], pads.ints[1]]
    if pads.ints[:2] == pads.ints[2:]:
        pads.ints[:] = [2, 1, 0, 1]


@pytest.mark.parametrize("scheme", ["fp32", "int8"])
def test_a_relu_behind_the_scores_is_named(scheme: str, roads: Callable[[str], Road], tmp_path: Path) -> None:
    """The scores before it are right, and nearer to the model's than what the file gives."""
    net = roads("residual_v1")
    path, _ = net.artifact("onnx", scheme)
    model = onnx.load(path)
    end = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["scores" if name == end else name for name in node.output]
    model.graph.node.append(onnx.helper.make_node("Relu", ["scores"], [end]))
    onnx.save(model, tmp_path / "relu.onnx")
    explanation = explained(net, tmp_path / "relu.onnx", tmp_path)
    assert [one.cause for one in explanation.contradictions] == ["activation_added"]
    assert explanation.findings[-1].reference_layer == explanation.trace[-1].reference_layer


@pytest.mark.parametrize("scheme", ["fp32", "int8"])
def test_pooling_that_counts_its_padding_is_named(
    scheme: str, roads: Callable[[str], Road], tmp_path: Path
) -> None:
    net = roads("average_pool")
    path, _ = net.artifact("onnx", scheme)
    model = onnx.load(path)
    pool = next(node for node in model.graph.node if node.op_type == "AveragePool")
    for attribute in pool.attribute:
        if attribute.name == "count_include_pad":
            attribute.i = 1
    if not any(attribute.name == "count_include_pad" for attribute in pool.attribute):
        pool.attribute.append(onnx.helper.make_attribute("count_include_pad", 1))
    onnx.save(model, tmp_path / "counted.onnx")
    explanation = explained(net, tmp_path / "counted.onnx", tmp_path)
    assert [(one.cause, one.certain) for one in explanation.findings] == [("padding", True)]


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (swap, "output_channels"),
        (rescale, "rescaled"),
        (transpose, "turned"),
        (poison, "nan"),
        (silence, "bias_dropped"),
        (shift, "bias_shifted"),
        (pad, "padding"),
    ],
)
def test_what_was_broken_is_named(
    edit: Callable[[dict[str, onnx.TensorProto], onnx.NodeProto], None],
    cause: str,
    roads: Callable[[str], Road],
    tmp_path: Path,
) -> None:
    net = roads("residual_v1")
    path, name = edited(net, tmp_path / "broken.onnx", edit)
    explanation = explained(net, path, tmp_path)
    assert (explanation.findings[0].layer, explanation.findings[0].cause) == (name, cause), (
        explanation.findings
    )
    assert explanation.findings[0].certain


def test_a_weight_that_is_no_number_is_named_in_float16_as_well(
    roads: Callable[[str], Road], tmp_path: Path
) -> None:
    """What float16 rounds of a weight is a share of it, and there is none of NaN."""
    net = roads("residual_v1")
    path, name = edited(net, tmp_path / "broken.onnx", poison, scheme="fp16")
    finding = explained(net, path, tmp_path).findings[0]
    assert (finding.layer, finding.cause) == (name, "nan")


def behind(path: Path, out: Path, name: str, inserted: Callable[[str, str], list[onnx.NodeProto]]) -> Path:
    """A file in which nodes of one input and one output stand behind the tensor `name` as well."""
    model = onnx.load(path)
    nodes = [*model.graph.node]
    place = next(place for place, node in enumerate(nodes) if name in node.output)
    nodes[place].output[0] = "before"
    nodes[place + 1 : place + 1] = inserted("before", name)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, out)
    return out


def test_a_softmax_that_is_applied_twice_is_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("probabilities")
    path, _ = net.artifact("onnx", "fp32")
    name = onnx.load(path).graph.output[0].name
    softmax = partial(onnx.helper.make_node, "Softmax", axis=-1)
    broken = behind(path, tmp_path / "twice.onnx", name, lambda x, y: [softmax([x], [y])])
    assert [one.cause for one in explained(net, broken, tmp_path).findings] == ["softmax_twice"]


def test_a_dropout_that_is_left_on_is_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("onnx", "fp32")
    model = onnx.load(path)
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(0.25, np.float32), "ratio"),
            numpy_helper.from_array(np.array(True), "training"),
        ]
    )
    onnx.save(model, tmp_path / "constants.onnx")
    dropout = partial(onnx.helper.make_node, "Dropout", seed=1)
    name = next(
        node.output[0] for node in model.graph.node if node.op_type in ("GlobalAveragePool", "ReduceMean")
    )
    broken = behind(
        tmp_path / "constants.onnx",
        tmp_path / "dropout.onnx",
        name,
        lambda x, y: [dropout([x, "ratio", "training"], [y])],
    )
    explanation = explained(net, broken, tmp_path)
    assert [one.cause for one in explanation.findings] == ["dropout"], explanation.findings


@pytest.mark.parametrize(("name", "sentence"), [("residual_v1", "largest"), ("global_max", "mean")])
def test_another_global_pooling_is_named(
    name: str, sentence: str, roads: Callable[[str], Road], tmp_path: Path
) -> None:
    net = roads(name)
    path, _ = net.artifact("onnx", "fp32")
    model = onnx.load(path)
    other = {"GlobalAveragePool": "GlobalMaxPool", "ReduceMean": "ReduceMax"}
    other |= {theirs: ours for ours, theirs in other.items()}
    pool = next(node for node in reversed(model.graph.node) if node.op_type in other)
    pool.op_type = other[pool.op_type]
    onnx.save(model, tmp_path / "pool.onnx")
    explanation = explained(net, tmp_path / "pool.onnx", tmp_path)
    assert [one.cause for one in explanation.findings] == ["pooling"], explanation.findings
    assert f"it takes the {sentence}" in explanation.findings[0].sentence


def test_a_scale_that_is_written_and_another_that_is_read(
    roads: Callable[[str], Road], tmp_path: Path
) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("onnx", "int8")
    model = onnx.load(path)
    constants = {constant.name: constant for constant in model.graph.initializer}
    read = [n for n in model.graph.node if n.op_type == "DequantizeLinear" and n.input[0] not in constants][3]
    put(constants[read.input[1]], numpy_helper.to_array(constants[read.input[1]]) * np.float32(1.05))
    onnx.save(model, tmp_path / "broken.onnx")
    explanation = explained(net, tmp_path / "broken.onnx", tmp_path)
    assert explanation.findings[0].cause == "two_scales"


def test_a_grid_that_cuts_off_is_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("onnx", "int8")
    model = onnx.load(path)
    constants = {constant.name: constant for constant in model.graph.initializer}
    quantize = [n for n in model.graph.node if n.op_type == "QuantizeLinear"][3]
    for node in model.graph.node:
        if node is quantize or node.input[0] == quantize.output[0]:
            scale = constants[node.input[1]]
            put(scale, numpy_helper.to_array(scale) * np.float32(0.3))
    onnx.save(model, tmp_path / "broken.onnx")
    explanation = explained(net, tmp_path / "broken.onnx", tmp_path)
    assert "saturated" in {finding.cause for finding in explanation.findings}


def test_a_scale_that_was_changed_after_the_biases(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("tflite", "int8")
    model = load_model(path)
    graph = model.subgraphs[0]
    output = graph.operators[2].outputs[0]
    tensor = graph.tensors[output]
    tensor.quantization.scale = np.asarray(tensor.quantization.scale) * np.float32(1.1)
    save_model(model, tmp_path / "broken.tflite")
    explanation = explained(net, tmp_path / "broken.tflite", tmp_path)
    assert explanation.findings[0].certain  # what reads it adds biases that are a tenth too large
    assert "bias" in explanation.findings[0].sentence


def test_an_operation_too_many_is_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    """The image upside down, in a TFLite file: which layer parts from the model is no help there."""
    net = roads("residual_v1")
    model = load_model(net.artifact("tflite", "fp32")[0])
    graph = model.subgraphs[0]
    flipped, axis = (
        copy.deepcopy(graph.tensors[graph.inputs[0]]),
        copy.deepcopy(graph.tensors[graph.inputs[0]]),
    )
    flipped.name, flipped.buffer = b"flipped", 0
    axis.name, axis.shape, axis.shapeSignature = b"axis", [1], None
    axis.type, axis.buffer = schema.TensorType.INT32, len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(np.array([1], np.int32).tobytes(), np.uint8)
    graph.tensors += [flipped, axis]
    for operator in graph.operators:
        where = [len(graph.tensors) - 2 if i == graph.inputs[0] else i for i in operator.inputs]
        operator.inputs = where
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.REVERSE_V2
    code.version = 1
    model.operatorCodes.append(code)
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs = [graph.inputs[0], len(graph.tensors) - 1]
    operator.outputs = [len(graph.tensors) - 2]
    graph.operators.insert(0, operator)
    save_model(model, tmp_path / "flipped.tflite")
    explanation = explained(net, tmp_path / "flipped.tflite", tmp_path)
    assert explanation.findings[0].cause == "operation"
    assert "reverse_v2" in explanation.findings[0].sentence


def posterized(x: str, y: str) -> list[onnx.NodeProto]:
    node = onnx.helper.make_node
    return [
        node("Mul", [x, "down"], ["small"]),
        node("Floor", ["small"], ["whole"]),
        node("Mul", ["whole", "up"], [y]),
    ]


def test_an_image_that_is_posterized_is_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    """How errors go through a floor is not known, and float32 leaves none that matter."""
    net = roads("residual_v1")
    model = onnx.load(net.artifact("onnx", "fp32")[0])
    image = model.graph.input[0].name
    step = np.array(np.ptp(net.images) / 8, np.float32)
    for node in model.graph.node:
        node.input[:] = ["posterized" if name == image else name for name in node.input]
    nodes = [*posterized(image, "posterized"), *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        [numpy_helper.from_array(np.asarray(1 / step), "down"), numpy_helper.from_array(step, "up")]
    )
    onnx.save(model, tmp_path / "posterized.onnx")
    explanation = explained(net, tmp_path / "posterized.onnx", tmp_path)
    assert (explanation.findings[0].layer, explanation.findings[0].cause) == ("whole", "operation")


def test_a_relu_that_stops_too_early_is_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    net = roads("residual_v1")
    path, _ = net.artifact("onnx", "fp32")
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(np.array(0.5, np.float32), "end"))
    onnx.save(model, tmp_path / "constants.onnx")
    name = next(node.output[0] for node in model.graph.node if node.op_type == "Relu")
    least = partial(onnx.helper.make_node, "Min")
    broken = behind(
        tmp_path / "constants.onnx", tmp_path / "early.onnx", name, lambda x, y: [least([x, "end"], [y])]
    )
    explanation = explained(net, broken, tmp_path)
    assert (explanation.findings[0].layer, explanation.findings[0].cause) == (name, "activation_early")
