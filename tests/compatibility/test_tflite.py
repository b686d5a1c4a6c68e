"""Minimums of files whose first right release was seen (20 releases from 1.14 to 2.21 ran such)."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from resnet_edge.compatibility import micro
from resnet_edge.compatibility.tflite import minimums, understated
from resnet_edge.core.minimum import RuntimeMinimum

TYPE = schema.TensorType


def tensor(dtype: int, *shape: int, scales: int = 0, axis: int = 0) -> Any:
    made = schema.TensorT()
    made.name, made.type, made.shape, made.buffer = b"t", dtype, list(shape), 0
    if scales:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = np.full(scales, 0.5, np.float32)
        made.quantization.zeroPoint = np.zeros(scales, np.int64)
        made.quantization.quantizedDimension = axis
    return made


def file(name: str, tensors: list[Any], *, version: int = 1, options: Any = None, said: str = "") -> Any:
    """One operator that reads all tensors but the last and gives that; `name` may be a custom one."""
    model, graph, code, operator = (
        schema.ModelT(),
        schema.SubGraphT(),
        schema.OperatorCodeT(),
        schema.OperatorT(),
    )
    number = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version
    if number == schema.BuiltinOperator.CUSTOM:
        code.customCode = name.encode()
    operator.opcodeIndex, operator.builtinOptions = 0, options
    operator.inputs, operator.outputs = list(range(len(tensors) - 1)), [len(tensors) - 1]
    graph.tensors, graph.operators = tensors, [operator]
    graph.inputs, graph.outputs = [0], [len(tensors) - 1]
    model.operatorCodes, model.subgraphs, model.buffers = [code], [graph], [schema.BufferT()]
    if said:
        entry, buffer = schema.MetadataT(), schema.BufferT()
        entry.name, entry.buffer = b"min_runtime_version", 1
        buffer.data = np.frombuffer(said.encode().ljust(16, b"\0"), np.uint8)
        model.buffers, model.metadata = [*model.buffers, buffer], [entry]
    return model


def dense(given: int, weights: int, scales: int, version: int = 1, said: str = "") -> Any:
    tensors = [tensor(given, 1, 8), tensor(weights, 4, 8, scales=scales)]
    bias = TYPE.INT32 if given == TYPE.INT8 else TYPE.FLOAT32
    tensors += [tensor(bias, 4), tensor(given, 1, 4)]
    return file(
        "FULLY_CONNECTED", tensors, version=version, options=schema.FullyConnectedOptionsT(), said=said
    )


def on_three_axes(given: int, scales: int, bias: bool = True) -> Any:
    """A dense layer that gives three axes, of the version that TensorFlow writes."""
    tensors = [tensor(given, 1, 5, 8, scales=1), tensor(TYPE.INT8, 4, 8, scales=scales)]
    tensors += [tensor(TYPE.INT32 if given == TYPE.INT8 else TYPE.INT64, 4)] if bias else []
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = True
    return file("FULLY_CONNECTED", [*tensors, tensor(given, 1, 5, 4, scales=1)], version=5, options=options)


def convolution(given: int, weights: int, scales: int, channels: int = 8) -> Any:
    tensors = [tensor(given, 1, 4, 4, channels), tensor(weights, 4, 3, 3, 8, scales=scales)]
    tensors += [tensor(TYPE.FLOAT32, 4), tensor(given, 1, 4, 4, 4)]
    return file("CONV_2D", tensors, options=schema.Conv2DOptionsT())


def resize(half: bool) -> Any:
    options = schema.ResizeBilinearOptionsT()
    options.halfPixelCenters = half
    image = tensor(TYPE.FLOAT32, 1, 4, 4, 8)
    return file("RESIZE_BILINEAR", [image, tensor(TYPE.INT32, 2), image], options=options)


def one(name: str, dtype: int, version: int = 1) -> Any:
    return file(
        name, [tensor(dtype, 1, 4, 4, 8, scales=1), tensor(dtype, 1, 4, 4, 8, scales=1)], version=version
    )


def five_axes(name: str, dtype: int) -> Any:
    """Two operands whose shapes differ."""
    first, second = (tensor(dtype, 1, 2, size, 3, 4, scales=1) for size in (3, 1))
    return file(name, [first, second, first])


@pytest.mark.parametrize(
    ("model", "tensorflow_lite", "litert", "words"),
    [
        (dense(TYPE.FLOAT32, TYPE.FLOAT32, 0), "1.5", "1.0", "every release"),
        (dense(TYPE.FLOAT32, TYPE.INT8, 1), "1.14", "1.0", "(float32 x int8) needs its version 3"),
        (dense(TYPE.FLOAT32, TYPE.INT8, 4), "2.16", "1.0", "a scale for each output"),
        (dense(TYPE.FLOAT32, TYPE.INT8, 4, version=12), "2.17", "1.0", "needs its version 12"),
        (dense(TYPE.INT8, TYPE.INT8, 4, version=4), "2.10", "1.0", "a scale for each output"),
        (dense(TYPE.INT8, TYPE.INT8, 4, version=10), "2.13", "1.0", "needs its version 10"),
        (on_three_axes(TYPE.INT8, 1), "1.15", "1.0", "needs its version 5"),
        (on_three_axes(TYPE.INT8, 4), "2.10", "1.0", "a scale for each output"),
        (on_three_axes(TYPE.INT16, 1), "2.8", "1.0", "gives more than two axes"),
        (on_three_axes(TYPE.INT16, 1, bias=False), "2.8", "1.0", "gives more than two axes"),
        (on_three_axes(TYPE.INT16, 4), "2.19", "1.1", "a scale for each output and more than two axes"),
        (on_three_axes(TYPE.INT16, 4, bias=False), "2.10", "1.0", "a scale for each output"),
        (convolution(TYPE.FLOAT32, TYPE.INT8, 4), "2.4", "1.0", "needs its version 5"),
        (convolution(TYPE.FLOAT32, TYPE.FLOAT32, 0, channels=16), "2.9", "1.0", "needs its version 6"),
        (resize(half=True), "2.2", "1.0", "needs its version 3"),
        (resize(half=False), "1.7", "1.0", "it has RESIZE_BILINEAR"),
        (one("HARD_SWISH", TYPE.INT8), "1.15", "1.0", "it has HARD_SWISH"),
        (one("GELU", TYPE.FLOAT32), "2.8", "1.0", "it has GELU"),
        (one("GELU", TYPE.INT16), "2.20", "1.3", "GELU is in int16"),
        (one("SQRT", TYPE.INT8), "2.21", "2.0", "needs its version 2"),
        (one("SUM", TYPE.INT16), "2.20", "1.3", "SUM is in int16"),
        (five_axes("MUL", TYPE.FLOAT32), "2.8", "1.0", "five axes"),
        (five_axes("DIV", TYPE.FLOAT32), "2.8", "1.0", "five axes"),
        (five_axes("MUL", TYPE.INT8), "2.15", "1.0", "five axes"),
        (five_axes("SUB", TYPE.INT8), "2.8", "1.0", "five axes"),
        (five_axes("ADD", TYPE.INT16), "2.13", "1.0", "five axes"),
    ],
)
def test_the_oldest_release_that_is_right(model: Any, tensorflow_lite: str, litert: str, words: str) -> None:
    first, second = minimums(model)
    assert (first.state, second.state) == ("known", "known")
    assert (first.version, second.version) == (tensorflow_lite, litert)
    assert words in first.why


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (file("FlexErf", [tensor(TYPE.FLOAT32, 1), tensor(TYPE.FLOAT32, 1)]), "Flex library"),
        (file("Own", [tensor(TYPE.FLOAT32, 1), tensor(TYPE.FLOAT32, 1)]), "what the app brings"),
        (one("RELU", TYPE.FLOAT32, version=99), "RELU of version 99 is in no release known here"),
    ],
)
def test_what_is_not_known_is_said(model: Any, words: str) -> None:
    for found in (*minimums(model), micro.minimum(model))[:2]:
        assert (found.state, found.version) == ("unknown", "")
        assert words in found.why


def test_a_kernel_that_no_release_has() -> None:
    first, second = minimums(one("DIV", TYPE.INT8))
    assert (first.state, second.state, second.version) == ("unknown", "known", "2.2")
    assert "DIV is in int8, which no release has that is known here" in first.why
    assert [each.state for each in minimums(one("SQUARED_DIFFERENCE", TYPE.INT16))] == ["unknown"] * 2


ONE_TYPE: tuple[str, ...] = (
    "ADD",
    "CONCATENATION",
    "DIV",
    "EQUAL",
    "FLOOR_DIV",
    "FLOOR_MOD",
    "GREATER",
    "GREATER_EQUAL",
)
ONE_TYPE += ("LESS", "LESS_EQUAL", "MAXIMUM", "MINIMUM", "MUL", "NOT_EQUAL", "PACK", "POW")
ONE_TYPE += ("SQUARED_DIFFERENCE", "SUB", "PADV2", "SELECT", "SELECT_V2")
OPTIONS = {
    "CONCATENATION": "Concatenation",
    "DIV": "Div",
    "MAXIMUM": "MaximumMinimum",
    "MINIMUM": "MaximumMinimum",
}


def of_types(name: str, *dtypes: int) -> Any:
    """An operator with two inputs of these types, where every kernel wants one."""
    first, second = (tensor(dtype, 2, 2, scales=int(dtype == TYPE.INT16)) for dtype in dtypes)
    inputs = [first, second]
    if name == "PADV2":
        inputs = [first, tensor(TYPE.INT32, 2, 2), tensor(dtypes[1])]
    if name.startswith("SELECT"):
        inputs = [tensor(TYPE.BOOL, 2, 2), first, second]
    kind = OPTIONS.get(name, "".join(map(str.capitalize, name.split("_"))))
    options = getattr(schema, f"{kind.replace('Padv2', 'PadV2').replace('Padv', 'PadV')}OptionsT")()
    if name == "PACK":
        options.valuesCount = 2
    gives = TYPE.BOOL if "EQUAL" in name or name in ("LESS", "GREATER") else dtypes[0]
    given = tensor(gives, 2, 2, scales=int(gives == TYPE.INT16))
    model = file(name, [*inputs, given], options=options, version=1)
    model.subgraphs[0].operators[0].builtinOptionsType = getattr(
        schema.BuiltinOptions, type(options).__name__[:-1]
    )
    model.subgraphs[0].inputs = list(range(len(inputs)))
    return model


@pytest.mark.parametrize("name", ONE_TYPE)
def test_no_kernel_takes_inputs_of_two_types(name: str) -> None:
    run(of_types(name, TYPE.FLOAT32, TYPE.FLOAT32))
    model = of_types(name, TYPE.INT16, TYPE.FLOAT32)
    for found in minimums(model):
        assert found.state == "unknown"
        assert f"{name} has inputs of two types" in found.why
    assert told(model)[0] == "never"
    with pytest.raises(RuntimeError):
        run(model)


def test_the_value_of_a_padding_in_int16() -> None:
    model = of_types("PADV2", TYPE.INT16, TYPE.INT16)
    assert [(found.state, found.version) for found in minimums(model)] == [("known", "2.4"), ("known", "1.0")]


def run(model: Any) -> None:
    """On ones, in today's LiteRT. Raises RuntimeError where it has no kernel."""
    builder = flatbuffers.Builder()
    model.version = 3
    builder.Finish(model.Pack(builder), b"TFL3")
    interpreter = Interpreter(model_content=bytes(builder.Output()))
    interpreter.allocate_tensors()
    for end in interpreter.get_input_details():
        interpreter.set_tensor(end["index"], np.ones(end["shape"], end["dtype"]))
    interpreter.invoke()


def test_a_transposed_convolution_is_told_by_its_image() -> None:
    given = [tensor(TYPE.INT32, 4), tensor(TYPE.INT8, 4, 3, 3, 8, scales=4)]
    given.append(tensor(TYPE.INT8, 1, 4, 4, 8, scales=1))
    options = schema.TransposeConvOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    model = file("TRANSPOSE_CONV", [*given, tensor(TYPE.INT8, 1, 8, 8, 4, scales=1)], options=options)
    assert minimums(model)[0].why == "TRANSPOSE_CONV (int8) needs its version 4"


def test_a_number_of_no_operator_is_not_guessed() -> None:
    model = one("RELU", TYPE.FLOAT32)
    model.operatorCodes[0].builtinCode = 5000
    assert [found.state for found in minimums(model)] == ["unknown", "unknown"]
    assert "number 5000 is newer" in minimums(model)[0].why


def test_a_type_that_no_version_tells_of_leaves_it_open() -> None:
    found = minimums(one("PRELU", TYPE.INT16))[0]
    assert (found.state, found.version) == ("at least", "1.8")
    assert "computes PRELU in int16" in found.why or "compute PRELU in int16" in found.why


@pytest.mark.parametrize(
    ("said", "remarks"), [("1.6.0", 1), ("2.10.0", 0), ("2.17.0", 0), ("", 0), ("soon", 1)]
)
def test_a_file_that_says_too_little_is_told(said: str, remarks: int) -> None:
    model = dense(TYPE.INT8, TYPE.INT8, 4, version=4, said=said)
    assert len(understated(model, minimums(model))) == remarks


def test_micro() -> None:
    assert told(dense(TYPE.INT8, TYPE.INT8, 1)) == ("at least", "2021-04-09")
    assert told(dense(TYPE.INT8, TYPE.INT8, 4)) == ("at least", "2024-09-27")
    assert told(dense(TYPE.FLOAT32, TYPE.INT8, 1)) == ("never", "")
    assert told(on_three_axes(TYPE.INT8, 1)) == ("at least", "2022-04-06")
    assert told(on_three_axes(TYPE.INT16, 1)) == ("at least", "2022-05-11")
    assert told(one("DEQUANTIZE", TYPE.FLOAT16)) == ("never", "")
    assert told(one("GELU", TYPE.FLOAT32)) == ("never", "")
    assert told(one("SLICE", TYPE.INT8)) == ("at least", "2021-10-25")


def told(model: Any) -> tuple[str, str]:
    found: RuntimeMinimum = micro.minimum(model)
    return found.state, found.version
