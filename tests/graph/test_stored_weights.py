"""What layers store and multiply, by which the scheme of a foreign file is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import load_model, save_model
from resnet_edge.graph.stored_weights import dtypes, stored_layers
from resnet_edge.verification.files import look
from resnet_edge.verification.task import IdentifyFiles
from resnet_edge.workers.progress import silent
from tests.backends import tiny


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    tiny.write_onnx(folder)
    tiny.write_tflite(folder)
    return folder


def scheme(path: Path, folder: Path) -> tuple[str, float | None]:
    identified = look(
        IdentifyFiles(
            paths=(str(path),),
            formats=(path.suffix[1:],),
            backends=("litert", "onnxruntime"),
            folder=str(folder),
        ),
        silent,
    )
    return identified.artifacts[0].scheme, identified.min_sqnr_db[0]


@pytest.mark.parametrize(
    ("name", "expected"), [("fixed.onnx", "fp32"), ("fixed.tflite", "fp32"), ("int8.tflite", "int8")]
)
def test_files_as_they_are(files: Path, tmp_path: Path, name: str, expected: str) -> None:
    assert scheme(files / name, tmp_path / "copies")[0] == expected


def weight_only(model: onnx.ModelProto, dtype: type[np.generic] = np.int8) -> None:
    """The kernel as integers behind a DequantizeLinear, and the activations in float."""
    (kernel,) = [tensor for tensor in model.graph.initializer if tensor.name == "kernel"]
    values = numpy_helper.to_array(kernel)
    scale = np.float32(np.abs(values).max() / 127)
    kernel.CopyFrom(numpy_helper.from_array(np.rint(values / scale).astype(dtype), "stored"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), "scale"))
    model.graph.node.insert(0, helper.make_node("DequantizeLinear", ["stored", "scale"], ["kernel"]))


def test_onnx_with_integer_weights_alone(files: Path, tmp_path: Path) -> None:
    model = onnx.load(files / "fixed.onnx")
    weight_only(model)
    onnx.save(model, tmp_path / "weights.onnx")
    assert scheme(tmp_path / "weights.onnx", tmp_path / "copies") == ("dynamic", None)


def test_tflite_with_integer_weights_alone(files: Path, tmp_path: Path) -> None:
    model = load_model(files / "fixed.tflite")
    graph = model.subgraphs[0]
    kernel = next(t for t in graph.tensors if len(t.shape) == 4 and model.buffers[t.buffer].data is not None)
    values = np.frombuffer(np.asarray(model.buffers[kernel.buffer].data, np.uint8).tobytes(), np.float32)
    scale = np.abs(values).max() / 127
    stored, buffer, how = schema.TensorT(), schema.BufferT(), schema.QuantizationParametersT()
    how.scale, how.zeroPoint = np.array([scale], np.float32), np.array([0], np.int64)
    buffer.data = np.rint(values / scale).astype(np.int8).view(np.uint8)
    model.buffers.append(buffer)
    stored.name, stored.shape, stored.quantization = b"stored", kernel.shape, how
    stored.type, stored.buffer = schema.TensorType.INT8, len(model.buffers) - 1
    graph.tensors.append(stored)
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 2
    model.operatorCodes.append(code)
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs = np.array([len(graph.tensors) - 1], np.int32)
    operator.outputs = np.array([graph.tensors.index(kernel)], np.int32)
    graph.operators.insert(0, operator)
    model.buffers.append(schema.BufferT())
    kernel.buffer = len(model.buffers) - 1
    save_model(model, tmp_path / "weights.tflite")
    assert scheme(tmp_path / "weights.tflite", tmp_path / "copies") == ("dynamic", None)


def multiplied(model: onnx.ModelProto) -> None:
    """By ones that are stored in int8."""
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.full((1, 4, 1, 1), 127, np.int8), "ones"),
            numpy_helper.from_array(np.array(1 / 127, np.float32), "unit"),
        ]
    )
    at = [node.op_type for node in model.graph.node].index("Relu")
    model.graph.node[at].output[0] = "before"
    model.graph.node.insert(at + 1, helper.make_node("DequantizeLinear", ["ones", "unit"], ["real"]))
    model.graph.node.insert(at + 2, helper.make_node("Mul", ["before", "real"], ["relu"]))


def convolved(model: onnx.ModelProto) -> None:
    """By a convolution that hands its input on, with weights in int8."""
    eye = (127 * np.eye(4)).astype(np.int8).reshape(4, 4, 1, 1)
    model.graph.initializer.extend(
        [numpy_helper.from_array(eye, "eye"), numpy_helper.from_array(np.array(1 / 127, np.float32), "unit")]
    )
    at = [node.op_type for node in model.graph.node].index("Relu")
    model.graph.node[at].output[0] = "before"
    model.graph.node.insert(at + 1, helper.make_node("DequantizeLinear", ["eye", "unit"], ["real"]))
    model.graph.node.insert(at + 2, helper.make_node("Conv", ["before", "real"], ["relu"]))


@pytest.mark.parametrize("change", [multiplied, convolved])
def test_what_computes_nothing_does_not_lower_the_floor(files: Path, tmp_path: Path, change: object) -> None:
    model = onnx.load(files / "fixed.onnx")
    assert callable(change)
    change(model)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "stray.onnx")
    assert scheme(tmp_path / "stray.onnx", tmp_path / "copies") == ("fp32", 80.0)


def test_float16_of_others(files: Path, tmp_path: Path) -> None:
    """Kernels in float16, through a Cast: the file rounds as float16 does, whatever it sums in."""
    model = onnx.load(files / "fixed.onnx")
    for tensor in model.graph.initializer:
        half = numpy_helper.to_array(tensor).astype(np.float16)
        model.graph.node.insert(
            0, helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=TensorProto.FLOAT)
        )
        tensor.CopyFrom(numpy_helper.from_array(half, f"{tensor.name}.half"))
    onnx.save(model, tmp_path / "half.onnx")
    assert scheme(tmp_path / "half.onnx", tmp_path / "copies") == ("fp16", None)
    assert {layer.weights for layer in stored_layers(tmp_path / "half.onnx", "onnx")} == {"float16"}


def test_weights_that_are_not_there(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "apart.onnx"
    onnx.save(
        onnx.load(files / "fixed.onnx"), path, save_as_external_data=True, location="w", size_threshold=0
    )
    (tmp_path / "w").unlink()
    layers = stored_layers(path, "onnx")
    assert dtypes(layers) == {("float32", "float32")}
    assert [layer.values for layer in layers] == [None, None]


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "odd.tflite").write_bytes(b"odd")
    with pytest.raises(ArtifactError):
        stored_layers(tmp_path / "odd.tflite", "tflite")


def test_float16_numbers_in_float32_are_held_to_float16(files: Path, tmp_path: Path) -> None:
    model = onnx.load(files / "fixed.onnx")
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(
                numpy_helper.from_array(values.astype(np.float16).astype(np.float32), tensor.name)
            )
    onnx.save(model, tmp_path / "narrow.onnx")
    assert scheme(tmp_path / "narrow.onnx", tmp_path / "copies") == ("fp32", None)
    assert scheme(files / "fixed.onnx", tmp_path / "more copies") == ("fp32", 80.0)
