"""The border of a quantized graph in float32, uint8 and int8."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.scheme import Io
from resnet_edge.graph.interface import WHOLE_ALREADY, set_interface
from resnet_edge.graph.model import load_model, read_graph
from tests.formats import nets
from tests.graph.road import Road, litert, onnxruntime, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def pixels(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (16, *shape)).astype(np.uint8)


@pytest.fixture(scope="module", params=["logits", "probabilities"])
def net(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """A network that takes raw pixels."""
    image = keras.Input((9, 7, 1))
    x = layers.GlobalAveragePooling2D()(nets.conv(nets.conv(image, 6, activation="relu"), 6))
    activation = "softmax" if request.param == "probabilities" else None
    model = nets.randomized(keras.Model(image, layers.Dense(5, activation)(x)))
    return road(
        model,
        pixels((9, 7, 1)).astype(np.float32),
        tmp_path_factory.mktemp("border"),
        output=request.param,
        preprocessing=PRESETS["unit"],
    )


def stored(net: Road, io: Io) -> NDArray[np.uint8]:
    """The images as the border takes them."""
    return (net.images - (128 if io == "int8" else 0)).astype(io)


@pytest.mark.parametrize("io", ["uint8", "int8"])
def test_integers_are_those_behind_the_float_border(net: Road, io: Io) -> None:
    path = net.portable("int8", io)
    graph = read_graph(path)
    (image,), (scores,) = graph.specs(graph.inputs), graph.specs(graph.outputs)
    assert (image.name, image.dtype, scores.name, scores.dtype) == ("image", io, net.output, io)
    assert image.quantization == Quantization((1.0,), (0 if io == "uint8" else -128,))
    assert scores.quantization is not None
    integers = litert(path, stored(net, io)).astype(np.float32)
    real = (integers - scores.quantization.zero_point[0]) * np.float32(scores.quantization.scale[0])
    wanted = litert(net.portable("int8"), net.images)
    if net.output == "logits":
        np.testing.assert_array_equal(real, wanted)
    else:  # 1/256 a step, and 255/256 is the most that there is
        wanted = np.minimum(np.rint(wanted * 256), 255) / 256
        np.testing.assert_array_equal(real, wanted.astype(np.float32))


def test_the_last_softmax_can_be_of_integers(net: Road, tmp_path: Path) -> None:
    path = tmp_path / "whole.tflite"
    shutil.copyfile(net.portable("int8"), path)
    notes = set_interface(path, net.output, "int8", whole=True)
    graph = read_graph(path)
    (scores,) = graph.specs(graph.outputs)
    assert (scores.name, scores.dtype) == (net.output, "int8")
    assert not {"QUANTIZE", "DEQUANTIZE"} & {node.op for node in graph.nodes}
    if net.output == "logits":
        assert notes == ("whole: " + WHOLE_ALREADY,)
        return
    assert notes == ()
    shares = (litert(path, stored(net, "int8")).astype(np.float32) + 128) / 256
    np.testing.assert_allclose(shares, litert(net.portable("int8"), net.images), rtol=0, atol=1 / 256)


@pytest.mark.parametrize("io", ["float32", "uint8", "int8"])
def test_signature_names_the_border(net: Road, io: Io) -> None:
    model = load_model(net.portable("int8", io))
    (signature,) = model.signatureDefs
    graph = model.subgraphs[0]
    assert [(e.name.decode(), e.tensorIndex) for e in signature.inputs] == [("image", graph.inputs[0])]
    assert [(e.name.decode(), e.tensorIndex) for e in signature.outputs] == [(net.output, graph.outputs[0])]
    names = [tensor.name for tensor in graph.tensors]
    assert names.count(b"image") == names.count(net.output.encode()) == 1


@pytest.mark.parametrize("io", ["uint8", "int8"])
def test_no_float_is_left_at_an_integer_border(net: Road, io: Io) -> None:
    graph = read_graph(net.portable("int8", io))
    ops = [node.op for node in graph.nodes]
    assert ops[0] == ("QUANTIZE" if io == "uint8" else "CONV_2D")
    floats = {t.name for t in graph.tensors if t.dtype == "float32" and t.data is None}
    used = {graph.tensors[i].name for n in graph.nodes for i in (*n.inputs, *n.outputs)}
    assert len(floats & used) == (0 if net.output == "logits" else 2)  # the softmax


@pytest.mark.parametrize("io", ["uint8", "int8"])
@pytest.mark.parametrize("scheme", ["fp32", "fp16", "dynamic", "int16x8"])
def test_graph_that_is_not_int8_has_no_integer_border(
    residual: Road, tmp_path: Path, scheme: str, io: Io
) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(residual.portable(scheme).read_bytes())
    before = path.read_bytes()
    with pytest.raises(ArtifactError, match=f"has no {io} input: use --io {io} with --schemes int8 only"):
        set_interface(path, "logits", io)
    assert path.read_bytes() == before


@pytest.mark.parametrize("io", ["float32", "uint8", "int8"])
def test_image_that_is_read_on_two_grids(tmp_path: Path, io: Io) -> None:
    """A shortcut from the image itself into a concatenation, which wants a grid of its own."""
    image = keras.Input((9, 7, 1))
    x = layers.Concatenate()([image, nets.conv(image, 3)])
    model = nets.randomized(keras.Model(image, layers.Dense(5)(layers.GlobalAveragePooling2D()(x))))
    net = road(
        model,
        pixels((9, 7, 1)).astype(np.float32),
        tmp_path,
        preprocessing=PRESETS["model"],
    )
    path, _ = net.artifact("onnx", "int8", io)
    images = net.images if io == "float32" else stored(net, io)
    theirs, ours = (litert(net.portable("int8", io), images), onnxruntime(path, images))
    step = 1 if io != "float32" else np.ptp(theirs) / 200
    assert np.abs(theirs.astype(np.float32) - ours.astype(np.float32)).max() <= 2 * step
    assert len(np.unique(theirs)) > 10


@pytest.mark.parametrize("io", ["float32", "uint8", "int8"])
def test_operators_are_written_as_tensorflow_writes_them(net: Road, io: Io) -> None:
    """OpenVINO, and TensorFlow before 2.4, read the old field of the code and the tables of options."""
    model = load_model(net.portable("int8", io))
    for code in model.operatorCodes:
        assert code.deprecatedBuiltinCode == min(code.builtinCode, 127)
    assert all(operator.builtinOptions is not None for operator in model.subgraphs[0].operators)
