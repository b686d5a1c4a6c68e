from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.bundle.delegates import coreml
from resnet_edge.graph.model import load_model, save_model

ALONE = "it stands alone, and the delegate takes at least 2 operations together"


def reasons(path: Path) -> dict[str, str]:
    return {each.op: each.reason for each in coreml.outlook(path, "tflite").left}


def test_integers_are_not_taken(nets: Path) -> None:
    outlook = coreml.outlook(nets / "relu_int8.tflite", "tflite")
    assert outlook.ops_taken == 0
    assert outlook.mac_share == 0
    assert "float32 alone, and this is int8" in reasons(nets / "relu_int8.tflite")["FULLY_CONNECTED"]


def test_mean_that_drops_its_axes_is_named_and_what_is_alone_goes_with_it(nets: Path) -> None:
    assert reasons(nets / "relu.tflite") == {
        "CONV_2D": ALONE,
        "FULLY_CONNECTED": ALONE,
        "MEAN": "it does not keep the axes that it averages over (keep_dims)",
    }


def test_two_operations_together_are_taken(nets: Path, tmp_path: Path) -> None:
    """The mean may then go with the convolution."""
    model = load_model(nets / "relu.tflite")
    (mean,) = [op for op in model.subgraphs[0].operators if hasattr(op.builtinOptions, "keepDims")]
    mean.builtinOptions.keepDims = True
    save_model(model, tmp_path / "kept.tflite")
    outlook = coreml.outlook(tmp_path / "kept.tflite", "tflite")
    assert outlook.left == ()
    assert outlook.facts == {"parts": 1.0}


def test_newer_version_of_an_operator_is_not_taken(nets: Path, tmp_path: Path) -> None:
    model = load_model(nets / "relu.tflite")
    for code in model.operatorCodes:
        code.version = 7
    save_model(model, tmp_path / "newer.tflite")
    assert all("is version 7" in reason for reason in reasons(tmp_path / "newer.tflite").values())


@pytest.mark.parametrize("op", ["REVERSE_SEQUENCE"])
def test_operation_it_has_not_is_named(nets: Path, op: str) -> None:
    assert reasons(nets / "reverse.tflite")[op] == "Core ML gets no such operation"
