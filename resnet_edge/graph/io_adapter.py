"""The border that an app's kind of runtime asks for, put around an artifact that was proved without it.

What `convert` proves takes float pixels and gives what the model gives. MediaPipe Tasks and ML Kit want
three channels, uint8 for quantized files, and probabilities; microcontrollers want int8 at both ends. The
network inside stays what it is, tensor by tensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.scheme import Io
from resnet_edge.graph.integer_scores import integer_scores
from resnet_edge.graph.interface import narrow_input, narrow_output, opcode_of, repoint_signature
from resnet_edge.graph.model import load_model, op_name, save_model
from resnet_edge.graph.versions.stamp import set_versions

BT601 = np.asarray([19595, 38470, 7471], np.float32) / np.float32(65536)
"""Grey of red, green and blue as Pillow has it ("L", ITU-R BT.601 in 65,536ths). In float32 the
products with 0 to 255 and their sums are exact, in any order, and equal channels give themselves."""

BT601_INT8 = np.asarray([38, 75, 14], np.int8)
"""The same in 127ths. An odd divisor: no sum lies half-way between two greys, where runtimes round apart;
equal channels give themselves, and no grey is more than a level away from `BT601`."""
_INT8_SCALE = 1 / 127
_PIXELS = (1.0, -128)
"""Scale and zero point of raw pixels in int8."""


@dataclass(frozen=True, kw_only=True)
class Border:
    """What goes around the network: the dtypes of the input and the output, three channels for one, and
    probabilities behind logits, and two scores, of each class, behind the one of a binary classifier.
    `integer_scores`: a softmax or sigmoid that ends the network is computed in int8."""

    input: Io = "float32"
    output: Io = "float32"
    rgb: bool = False
    softmax: bool = False
    sigmoid: bool = False
    both: bool = False
    integer_scores: bool = False

    @property
    def probabilities(self) -> bool:
        """Whether it makes probabilities of logits."""
        return self.softmax or self.sigmoid


def surround(source: Path, out: Path, border: Border) -> tuple[str, ...]:
    """Write the artifact at `source`, which has float ends, to `out` with that border; tell in sentences
    what is new. Raises ArtifactError where it cannot be had."""
    model, changes = load_model(source), []
    if border.input != "float32":
        narrow_input(model, border.input)
        _require_pixels(model, border.input)
        changes.append(f"takes raw pixels in {border.input}, in place of float32")
    if border.rgb and _take_rgb(model):
        changes.append(
            "takes red, green and blue, and makes them grey by ITU-R BT.601; equal ones stay exact"
        )
    if border.softmax:
        _append_softmax(model)
        changes.append("gives probabilities: a softmax in float32 behind the logits")
    if border.sigmoid:
        _append_sigmoid(model)
        changes.append("gives probabilities: a sigmoid in float32 behind each logit")
    if border.both:
        _append_both(model)
        changes.append("gives the probabilities of both classes: 1 - p before the p of the second one")
    last = integer_scores(model) if border.integer_scores else None
    if last is not None:
        changes.append(f"computes its {last} in int8, in steps of 1/256")
    elif border.output != "float32":
        narrow_output(model, border.output)
    if border.output != "float32":
        changes.append(f"gives {border.output}, in place of float32")
    set_versions(model)
    save_model(model, out)
    return tuple(changes)


def _require_pixels(model: Any, io: Io) -> None:
    """Raw bytes are what apps feed: another scale would be theirs to apply, and nobody does."""
    quantization = model.subgraphs[0].tensors[int(model.subgraphs[0].inputs[0])].quantization
    scale, zero_point = float(quantization.scale[0]), int(quantization.zeroPoint[0])
    if (scale, zero_point) != (1.0, _PIXELS[1] if io == "int8" else 0):
        raise ArtifactError(
            f"the input is quantized with scale {scale:.6g} and zero point {zero_point}, and apps feed raw "
            "pixels, 0 to 255: put the preprocessing into the graph (convert --preprocess)"
        )


def _take_rgb(model: Any) -> bool:
    """Let a network of one channel take three; False where it does not take one."""
    subgraph = model.subgraphs[0]
    old = int(subgraph.inputs[0])
    shape = [int(size) for size in subgraph.tensors[old].shape]
    if shape[3] != 1:
        return False
    image = _tensor(subgraph, old, [*shape[:3], 3])
    name, subgraph.tensors[old].name = subgraph.tensors[old].name, b"grey"
    subgraph.tensors[image].name = name
    repoint_signature(model, old, image)
    subgraph.inputs = [image]
    if subgraph.tensors[old].type == schema.TensorType.FLOAT32:
        _insert_grey(model, image, old, BT601.reshape(1, 1, 1, 3), np.zeros(1, np.float32))
        return True
    _grey_of_integers(model, image, old)
    return True


def _grey_of_integers(model: Any, image: int, old: int) -> None:
    """uint8 is turned into int8 first, by the operator that did so before; int8 is taken as it is."""
    subgraph = model.subgraphs[0]
    kernel, bias = BT601_INT8.reshape(1, 1, 1, 3), np.zeros(1, np.int32)
    to_int8 = next((o for o in subgraph.operators if old in o.inputs), None)
    if subgraph.tensors[old].type == schema.TensorType.INT8 or to_int8 is None:
        _insert_grey(model, image, old, kernel, bias)
        return
    if op_name(to_int8, model.operatorCodes) != "QUANTIZE":
        raise ArtifactError("the input is not quantized before its first layer: convert the model again")
    inner = int(to_int8.outputs[0])
    wide = _tensor(subgraph, inner, [int(size) for size in subgraph.tensors[image].shape])
    subgraph.tensors[wide].name = b"image_int8"
    to_int8.inputs, to_int8.outputs = [image], [wide]
    _insert_grey(model, wide, inner, kernel, bias, at=subgraph.operators.index(to_int8) + 1)


def _insert_grey(
    model: Any, source: int, target: int, kernel: NDArray[Any], bias: NDArray[Any], at: int = 0
) -> None:
    integer = kernel.dtype == np.int8
    operator = schema.OperatorT()
    operator.opcodeIndex = opcode_of(model, schema.BuiltinOperator.CONV_2D)
    scale = _INT8_SCALE if integer else None
    operator.inputs = [
        source,
        _constant(model, kernel, b"bt601", scale),
        _constant(model, bias, b"bt601_bias", scale),
    ]
    operator.outputs = [target]
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.padding = schema.Padding.VALID
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.Conv2DOptions, options
    model.subgraphs[0].operators.insert(at, operator)


def _append_softmax(model: Any) -> None:
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    logits = _float_output(model)
    _end_in(model, _appended(model, schema.BuiltinOperator.SOFTMAX, [logits], b"probabilities", options))


def _append_sigmoid(model: Any) -> None:
    logit = _float_output(model)
    _end_in(model, _appended(model, schema.BuiltinOperator.LOGISTIC, [logit], b"probabilities"))


def _append_both(model: Any) -> None:
    """[1 - p, p], for what takes a score of every class."""
    second = _float_output(model)
    model.subgraphs[0].tensors[second].name = b"probability"
    one = _constant(model, np.ones((1, 1), np.float32), b"one", None)
    pair = [
        _appended(
            model, schema.BuiltinOperator.SUB, [one, second], b"other_probability", schema.SubOptionsT()
        ),
        second,
    ]
    options = schema.ConcatenationOptionsT()
    options.axis = 1
    scores = _appended(model, schema.BuiltinOperator.CONCATENATION, pair, b"probabilities", options)
    model.subgraphs[0].tensors[scores].shape = np.asarray([1, 2], np.int32)
    _end_in(model, scores)


def _float_output(model: Any) -> int:
    subgraph = model.subgraphs[0]
    index = int(subgraph.outputs[0])
    if subgraph.tensors[index].type != schema.TensorType.FLOAT32:
        raise ArtifactError("probabilities in float32 want float scores: convert with --io float32")
    return index


def _appended(model: Any, builtin: int, inputs: list[int], name: bytes, options: Any = None) -> int:
    """A new operator at the end, whose output is like its last input; the index of that."""
    subgraph = model.subgraphs[0]
    shape = [int(size) for size in subgraph.tensors[inputs[-1]].shape]
    output = _tensor(subgraph, inputs[-1], shape)
    subgraph.tensors[output].name = name
    operator = schema.OperatorT()
    operator.opcodeIndex = opcode_of(model, builtin)
    operator.inputs, operator.outputs = inputs, [output]
    if options is not None:
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        operator.builtinOptions = options
    subgraph.operators.append(operator)
    return output


def _end_in(model: Any, output: int) -> None:
    subgraph = model.subgraphs[0]
    repoint_signature(model, int(subgraph.outputs[0]), output)
    subgraph.outputs = [output]


def _tensor(subgraph: Any, like: int, shape: list[int]) -> int:
    """A new tensor of the type and the quantization of another; its index."""
    model, tensor = subgraph.tensors[like], schema.TensorT()
    tensor.type, tensor.quantization, tensor.buffer = model.type, model.quantization, 0
    tensor.shape, tensor.shapeSignature = np.asarray(shape, np.int32), None
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def _constant(model: Any, values: NDArray[Any], name: bytes, scale: float | None) -> int:
    subgraph, buffer, tensor = model.subgraphs[0], schema.BufferT(), schema.TensorT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    types = {"float32": schema.TensorType.FLOAT32, "int8": schema.TensorType.INT8}
    tensor.type = types.get(values.dtype.name, schema.TensorType.INT32)
    tensor.name, tensor.shape = name, np.asarray(values.shape, np.int32)
    tensor.buffer = len(model.buffers) - 1
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.asarray([scale], np.float32)
        tensor.quantization.zeroPoint = np.zeros(1, np.int64)
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1
