from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.backends import litert
from resnet_edge.bundle.delegates import litert_gpu
from resnet_edge.bundle.delegates._tflite import operations
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from resnet_edge.core.results.outlook import LeftOp
from resnet_edge.graph.model import load_model, save_model


def test_operation_it_has_not_is_named(nets: Path) -> None:
    outlook = litert_gpu.outlook(nets / "reverse.tflite", "tflite")
    assert outlook.left == (LeftOp("REVERSE_SEQUENCE", 1, "the GPU has no such operation"),)
    assert outlook.facts == {"parts": 2.0}
    assert "REVERSE_SEQUENCE" in outlook.sentence


def test_custom_operation_is_named(nets: Path) -> None:
    assert [each.op for each in litert_gpu.outlook(nets / "custom.tflite", "tflite").left] == ["CUSTOM:Erf"]


def test_stride_that_it_loses_is_warned_of_by_the_layers_name(nets: Path) -> None:
    outlook = litert_gpu.outlook(nets / "relu_int8.tflite", "tflite")
    assert outlook.left == ()
    (warning,) = outlook.warnings
    (layer,) = litert_gpu.strides_lost(operations(nets / "relu_int8.tflite"))
    assert layer in warning
    assert "ship the fp16 or fp32 file" in warning


def test_float_weights_keep_their_stride(nets: Path) -> None:
    assert litert_gpu.outlook(nets / "relu.tflite", "tflite").warnings == ()


def test_stride_of_one_is_not_lost(nets: Path, tmp_path: Path) -> None:
    model = load_model(nets / "relu_int8.tflite")
    (strided,) = [op for op in model.subgraphs[0].operators if hasattr(op.builtinOptions, "strideH")]
    strided.builtinOptions.strideH = strided.builtinOptions.strideW = 1
    save_model(model, tmp_path / "one.tflite")
    assert litert_gpu.outlook(tmp_path / "one.tflite", "tflite").warnings == ()


def test_beta_of_a_softmax_matters(nets: Path, tmp_path: Path) -> None:
    model = load_model(nets / "softmax_int8.tflite")
    (softmax,) = [op for op in model.subgraphs[0].operators if hasattr(op.builtinOptions, "beta")]
    softmax.builtinOptions.beta = 2.0
    save_model(model, tmp_path / "beta.tflite")
    left = litert_gpu.outlook(tmp_path / "beta.tflite", "tflite").left
    assert [(each.op, each.reason) for each in left] == [("SOFTMAX", "its beta is not 1")]


@pytest.mark.parametrize("name", ["relu", "cumsum", "reverse"])
def test_the_accelerator_itself_says_the_same(nets: Path, name: str) -> None:
    """It opens a file that it takes whole, and no other. Its rules are not those that are published, so
    this looks whether they still agree."""
    path = nets / f"{name}.tflite"
    whole = not litert_gpu.outlook(path, "tflite").left
    try:
        with litert.open_session(path, "gpu", 1):
            assert whole
    except DeviceUnavailable as error:
        pytest.skip(str(error))
    except ArtifactError:
        assert not whole
