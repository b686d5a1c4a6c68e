"""The execution providers of ONNX Runtime for phones, held against its own tool."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from onnxruntime.tools.mobile_helpers import usability_checker
from onnxruntime.tools.onnx_model_utils import ModelProtoWithShapeInfo

from resnet_edge.bundle.delegates import coreml_ep, coreml_ep_neuralnetwork, nnapi_ep

PROVIDERS = [coreml_ep, coreml_ep_neuralnetwork, nnapi_ep]
EACH = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda module: module.__name__.rpartition(".")[2])


def counts(provider: ModuleType, path: Path) -> Any:
    """What check_onnx_model_mobile_usability counts."""
    model = ModelProtoWithShapeInfo(path).model_with_shape_info
    if provider is nnapi_ep:
        return usability_checker.check_nnapi_partitions(model, True)
    return usability_checker.check_coreml_partitions(model, True, provider.LIST)


@EACH
@pytest.mark.parametrize("name", ["relu", "selu", "dynamic"])
def test_counts_are_those_of_onnxruntimes_own_tool(provider: ModuleType, nets: Path, name: str) -> None:
    path = nets / f"{name}.onnx"
    ours, theirs = provider.outlook(path, "onnx"), counts(provider, path)
    assert (ours.ops_taken, ours.ops_total) == (theirs.num_supported_nodes, theirs.num_nodes)


@EACH
def test_operator_it_has_not_is_named(provider: ModuleType, nets: Path) -> None:
    (left,) = provider.outlook(nets / "selu.onnx", "onnx").left
    assert (left.op, left.reason) == ("Selu", "the provider has no such operator")


@EACH
def test_size_that_is_not_fixed_leaves_all_to_the_cpu(provider: ModuleType, nets: Path) -> None:
    outlook = provider.outlook(nets / "dynamic.onnx", "onnx")
    assert outlook.ops_taken == 0
    assert {each.reason for each in outlook.left} == {"it has an input whose size is not fixed"}
