"""NNAPI by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates import nnapi_ep


def test_nnapi_is_said_to_be_deprecated(nets: Path) -> None:
    assert "Android 15 deprecated NNAPI" in nnapi_ep.outlook(nets / "relu.onnx", "onnx").sentence
