"""Files of tf2onnx, of networks that our own writer would write in another way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
import tf2onnx
from keras import layers, ops
from onnxruntime import InferenceSession
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.transformers.float16 import convert_float_to_float16

from resnet_edge.graph.model import read_graph
from tests.diagnosis.layers.test_compare import explained, put
from tests.diagnosis.layers.test_search import constant
from tests.formats import nets
from tests.graph.road import Road, road

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::RuntimeWarning"),
]


def normalized(x: Any, filters: int, strides: int = 1) -> Any:
    """As the ResNets of keras.applications: a bias before a batch normalization."""
    return layers.BatchNormalization()(layers.Conv2D(filters, 3, strides, padding="same")(x))


def symmetric() -> keras.Model:
    """Pixels from -1 to 1, as MobileNet wants them."""
    return nets.classifier(lambda x: layers.ReLU()(normalized(layers.Rescaling(1 / 127.5, -1)(x), 8)))


def standardized() -> keras.Model:
    """As the ResNets of PyTorch want pixels: a mean and a deviation for each channel."""

    def body(x: Any) -> Any:
        x = layers.Rescaling([1 / 58, 1 / 57, 1 / 59], [-2.1, -2.0, -1.8])(x)
        return layers.ReLU()(normalized(x, 8))

    return nets.classifier(body)


def residual() -> keras.Model:
    def body(x: Any) -> Any:
        x = layers.ReLU()(normalized(x, 8))
        y = normalized(layers.ReLU()(normalized(x, 8)), 8)
        return layers.ReLU()(layers.Add()([x, y]))

    return nets.classifier(body)


def enlarged() -> keras.Model:
    def body(x: Any) -> Any:
        return layers.ReLU()(normalized(layers.UpSampling2D(2, interpolation="bilinear")(x), 8))

    return nets.classifier(body)


def unpadded() -> keras.Model:
    """TensorFlow folds the whole Rescaling into a convolution without padding, tf2onnx nothing."""

    def body(x: Any) -> Any:
        x = layers.Rescaling(1 / 127.5, -1)(x)
        return layers.Conv2D(6, 3, activation="relu")(layers.Conv2D(6, 5, activation="relu")(x))

    return nets.classifier(body)


def grouped() -> keras.Model:
    """Ours has each ReLU before the reshape that ends a group normalization, tf2onnx behind it."""

    def body(x: Any) -> Any:
        x = layers.ReLU()(layers.GroupNormalization(4)(layers.Conv2D(16, 3, padding="same")(x)))
        return layers.ReLU()(layers.GroupNormalization(4)(layers.Conv2D(16, 3, 2, padding="same")(x)))

    return nets.classifier(body)


def selu() -> keras.Model:
    """TFLite has the inner tensors of SELU and of ELU with a factor, tf2onnx has others or none."""

    def body(x: Any) -> Any:
        x = layers.Activation("selu")(normalized(x, 8))
        return layers.ELU(0.5)(normalized(layers.Activation("softplus")(normalized(x, 8)), 8))

    return nets.classifier(body)


def limited() -> keras.Model:
    """A ReLU that is many operations, all of positive numbers, beside other activations with such."""

    def body(x: Any) -> Any:
        x = layers.Activation("softplus")(normalized(layers.Rescaling(1 / 255)(x), 8))
        x = layers.ReLU(max_value=4.0, negative_slope=0.1, threshold=0.2)(normalized(x, 8))
        return layers.Activation("softsign")(normalized(layers.Activation("mish")(normalized(x, 8)), 8))

    return nets.classifier(body)


def shuffled() -> keras.Model:
    """Channels that go two ways and come together in another order, as in ShuffleNet."""

    def body(x: Any) -> Any:
        x = layers.ReLU()(normalized(x, 8))
        kept, seen = ops.split(x, 2, axis=-1)
        x = layers.Concatenate()([kept, layers.ReLU()(normalized(seen, 4))])
        x = layers.Reshape((*x.shape[1:3], 2, 4))(x)
        x = layers.Reshape((*x.shape[1:3], 8))(layers.Permute((1, 2, 4, 3))(x))
        return layers.ReLU()(normalized(x, 8))

    return nets.classifier(body)


def damped() -> keras.Model:
    """A factor behind a convolution, which TensorFlow folds into its kernel."""

    def body(x: Any) -> Any:
        x = layers.ReLU()(normalized(x, 8))
        return layers.ReLU()(layers.Add()([x, layers.Rescaling(0.2)(normalized(x, 8))]))

    return nets.classifier(body)


def scaled_exponential() -> keras.Model:
    return nets.classifier(lambda x: normalized(layers.Activation("selu")(normalized(x, 8)), 8))


def sloped() -> keras.Model:
    return nets.classifier(lambda x: normalized(layers.PReLU()(normalized(x, 8)), 8))


def twice() -> keras.Model:
    """One dense layer on two vectors of other ranges, as attention to channels has it."""

    def body(x: Any) -> Any:
        x = layers.ReLU()(normalized(layers.Rescaling(1 / 255)(x), 8))
        shared = layers.Dense(8)
        ends = [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
        gate = layers.Activation("sigmoid")(layers.Add()([shared(end) for end in ends]))
        return layers.Multiply()([x, layers.Reshape((1, 1, 8))(gate)])

    return nets.classifier(body)


def angular() -> keras.Model:
    """Scores of angles, times six: a factor that TensorFlow puts into the kernel in the one file, and into
    the norm in the other. The norm is near one, so that what it divides is like what it gives."""
    pixels = keras.Input((16, 16, 3))
    x = layers.ReLU()(normalized(layers.Rescaling(1 / 255)(pixels), 8))
    x = ops.max(layers.Reshape((16, 2))(layers.Dense(32)(layers.GlobalAveragePooling2D()(x))), axis=-1)
    return nets.randomized(keras.Model(pixels, layers.Dense(4)(layers.UnitNormalization()(x) * 6.0)))


def written(name: str, folder: Path, batch: int | None = 1) -> tuple[Road, Path]:
    """The road of a network, and its file by tf2onnx."""
    model = globals()[name]() if name in globals() else getattr(nets, name)()
    net = road(model, 127 * (1 + nets.images(model)), folder)
    signature = [tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32, name="pixels")]
    function = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature)
    path = folder / "theirs.onnx"
    tf2onnx.convert.from_function(function, signature, opset=17, output_path=str(path))
    return net, path


NETS = ["symmetric", "standardized", "unpadded", "residual", "enlarged", "mobile", "dilated", "article"]
NETS += ["preactivation_v2", "bottleneck", "separable", "depth_multiplier"]


@pytest.mark.parametrize("name", NETS)
def test_good_files_raise_no_alarm(name: str, tmp_path: Path) -> None:
    net, path = written(name, tmp_path)
    explanation = explained(net, path, tmp_path)
    assert [finding for finding in explanation.findings if finding.certain] == []
    assert explanation.compared == explanation.layers > 1


def test_inner_tensors_of_an_activation_are_paired_with_none_of_another(tmp_path: Path) -> None:
    net, path = written("selu", tmp_path)
    for file in (path, quantized(net, path, QuantFormat.QDQ)):
        assert [one for one in explained(net, file, tmp_path).findings if one.certain] == []


@pytest.mark.parametrize("name", ["limited", "shuffled", "damped", "enlarged"])
@pytest.mark.parametrize("how", ["float", "dynamic", QuantFormat.QDQ, QuantFormat.QOperator])
def test_good_files_of_every_quantizer_raise_no_alarm(
    name: str, how: str | QuantFormat, tmp_path: Path
) -> None:
    net, path = written(name, tmp_path)
    if how == "dynamic":
        quantize_dynamic(path, tmp_path / "dynamic.onnx", weight_type=QuantType.QInt8)
        path = tmp_path / "dynamic.onnx"
    elif isinstance(how, QuantFormat):
        path = quantized(net, path, how)
    assert [one for one in explained(net, path, tmp_path).findings if one.certain] == []


def test_a_factor_that_the_reference_has_in_its_weights_is_no_departure(tmp_path: Path) -> None:
    net, path = written("angular", tmp_path)
    fewer = replace(net, images=net.images[:4])  # so that the grid of the product cuts off what others give
    for file in (path, quantized(fewer, path, QuantFormat.QDQ, QuantType.QUInt16)):
        assert [one for one in explained(net, file, tmp_path).findings if one.certain] == []


def test_a_relu_that_onnx_runtime_drops_is_named(tmp_path: Path) -> None:
    """Its quantizer takes a ReLU for one that the grid of what it reads stands for, though another
    operation reads that, too, and the grid goes below zero (onnxruntime 1.32, QOperator)."""
    net, path = written("sloped", tmp_path)
    assert explained(net, path, tmp_path).findings == ()
    explanation = explained(net, quantized(net, path, QuantFormat.QOperator), tmp_path)
    assert [one.cause for one in explanation.findings if one.certain] == ["activation_missing"]


def test_a_bias_in_the_steps_of_another_input_is_named(tmp_path: Path) -> None:
    """ONNX Runtime's quantizer (1.32, QOperator) writes the bias of a layer that is used twice once, in steps
    of the first input, and reads it in steps of each."""
    net, path = written("twice", tmp_path)
    assert explained(net, path, tmp_path).findings == ()
    explanation = explained(net, quantized(net, path, QuantFormat.QOperator), tmp_path)
    assert {one.cause for one in explanation.findings if one.certain} == {"bias_changed"}


def test_a_half_that_overflows_and_is_discarded_is_no_departure(tmp_path: Path) -> None:
    """The exponential of SELU is infinite in float16 from 11.1 on, where SELU takes the number itself."""
    net, path = written("scaled_exponential", tmp_path)
    model = onnx.load(path)
    nodes = [*model.graph.node]
    place = next(place for place, node in enumerate(nodes) if node.op_type == "Selu")
    nodes[place : place + 1] = spelled_out(nodes[place])
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    constants = {"zero": 0.0, "one": 1.0, "alpha": 1.7580993, "scale": 1.050701}
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.array(value, np.float32), name) for name, value in constants.items()
    )
    halves = convert_float_to_float16(model, keep_io_types=True)
    onnx.save(halves, tmp_path / "halves.onnx")
    halves.graph.output.append(onnx.ValueInfoProto(name="exp"))
    session = InferenceSession(halves.SerializeToString(), providers=["CPUExecutionProvider"])
    bright = Road(
        folder=net.folder,
        images=net.images * 20,
        reference=net.reference,
        output=net.output,
        takes_pixels=net.takes_pixels,
    )
    assert np.isinf(session.run(["exp"], {session.get_inputs()[0].name: bright.images[:1]})[0]).any()
    assert [
        one for one in explained(bright, tmp_path / "halves.onnx", tmp_path).findings if one.certain
    ] == []


def spelled_out(selu: onnx.NodeProto) -> list[onnx.NodeProto]:
    x, y = selu.input[0], selu.output[0]
    return [
        onnx.helper.make_node("Greater", [x, "zero"], ["above"]),
        onnx.helper.make_node("Mul", [x, "scale"], ["linear"]),
        onnx.helper.make_node("Exp", [x], ["exp"]),
        onnx.helper.make_node("Sub", ["exp", "one"], ["below one"]),
        onnx.helper.make_node("Mul", ["below one", "alpha"], ["curved"]),
        onnx.helper.make_node("Where", ["above", "linear", "curved"], [y]),
    ]


@pytest.mark.parametrize("batch", [1, None])
def test_a_relu_behind_a_reshape_is_no_lost_relu(batch: int | None, tmp_path: Path) -> None:
    """With an open batch, sizes of the reshape are computed; an integer grid that ends at 0 is the ReLU."""
    net, path = written("grouped", tmp_path, batch)
    integers = quantized(net, path, QuantFormat.QDQ, QuantType.QInt8)
    for file in (path, integers):
        assert explained(net, file, tmp_path).findings == ()


@pytest.mark.parametrize("name", ["residual", "symmetric"])
def test_a_factor_that_was_left_apart_and_is_wrong_is_named(name: str, tmp_path: Path) -> None:
    net, path = written(name, tmp_path)
    model = onnx.load(path)
    producers = {node.output[0]: node for node in model.graph.node}
    node = next(
        n for n in model.graph.node if n.op_type == "Mul" and producers.get(n.input[0], n).op_type == "Conv"
    )
    factor = constant(model.graph, node.input[1])
    values = onnx.numpy_helper.to_array(factor).copy()
    values.ravel()[2] *= np.float32(1.2)
    put(factor, values)
    onnx.save(model, path)
    explanation = explained(net, path, tmp_path)
    assert explanation.findings[0].layer == node.input[0]
    assert explanation.findings[0].cause == "rescaled"
    assert explanation.findings[0].certain


def quantized(net: Road, path: Path, how: QuantFormat, type: QuantType = QuantType.QUInt8) -> Path:
    """By ONNX Runtime, `type` by int8, with a scale for each channel."""
    name = onnx.load(path).graph.input[0].name

    class Images(CalibrationDataReader):
        def __init__(self) -> None:
            self.images = iter([{name: image[None]} for image in net.images])

        def get_next(self) -> dict[str, Any] | None:
            return next(self.images, None)

    out = path.with_stem(f"theirs.{how}")
    quantize_static(path, out, Images(), quant_format=how, activation_type=type, per_channel=True)
    return out


@pytest.mark.parametrize("name", ["bottleneck", "residual", "mobile", "article"])
def test_both_forms_of_integers_say_the_same(name: str, tmp_path: Path) -> None:
    net, path = written(name, tmp_path)
    old, new = (
        explained(net, quantized(net, path, how), tmp_path)
        for how in (QuantFormat.QOperator, QuantFormat.QDQ)
    )
    assert old.findings == new.findings == ()
    assert old.compared == old.layers == new.compared
    noise = ({row.reference_layer: row.sqnr_db for row in explanation.trace} for explanation in (old, new))
    assert next(noise) == pytest.approx(next(noise), abs=0.01)


def test_channels_that_are_swapped_in_the_older_form_are_named(tmp_path: Path) -> None:
    net, path = written("bottleneck", tmp_path)
    path = quantized(net, path, QuantFormat.QOperator)
    model = onnx.load(path)
    node = [node for node in model.graph.node if node.op_type == "QLinearConv"][2]
    for name in node.input[3:5]:  # the kernel, and its scales
        values = onnx.numpy_helper.to_array(constant(model.graph, name)).copy()
        values[[1, 2]] = values[[2, 1]]
        put(constant(model.graph, name), values)
    onnx.save(model, path)
    explanation = explained(net, path, tmp_path)
    assert explanation.findings[0].layer == f"{node.output[0]}/real"
    assert "output channels 1, 2 are in another order" in explanation.findings[0].sentence


def test_weights_beside_activations_that_are_quantized_anew_are_compared(tmp_path: Path) -> None:
    net, path = written("residual", tmp_path)
    quantize_dynamic(path, tmp_path / "dynamic.onnx", weight_type=QuantType.QInt8, per_channel=True)
    model = onnx.load(tmp_path / "dynamic.onnx")
    assert "ConvInteger" in {node.op_type for node in model.graph.node}
    explanation = explained(net, tmp_path / "dynamic.onnx", tmp_path)
    assert explanation.findings == ()
    assert explanation.compared == explanation.layers == 4
    node = [node for node in model.graph.node if node.op_type == "ConvInteger"][1]
    kernel = constant(model.graph, node.input[1])
    put(kernel, onnx.numpy_helper.to_array(kernel).swapaxes(2, 3))
    onnx.save(model, tmp_path / "turned.onnx")
    explanation = explained(net, tmp_path / "turned.onnx", tmp_path)
    assert (explanation.findings[0].cause, explanation.findings[0].certain) == ("turned", True)


@pytest.mark.parametrize("name", ["dilated", "dilated_valid"])
@pytest.mark.parametrize("scheme", ["fp32", "int8"])
def test_pixels_that_are_moved_so_that_a_kernel_is_spread(name: str, scheme: str, tmp_path: Path) -> None:
    """As TensorFlow's converter has it where the batch is open."""
    model = getattr(nets, name)()
    net = road(model, nets.images(model), tmp_path)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if scheme == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in net.images)
    path = tmp_path / "theirs.tflite"
    path.write_bytes(converter.convert())
    assert "SPACE_TO_BATCH_ND" in {node.op for node in read_graph(path).nodes}
    explanation = explained(net, path, tmp_path)
    assert [finding for finding in explanation.findings if finding.certain] == []
    assert explanation.compared == explanation.layers
