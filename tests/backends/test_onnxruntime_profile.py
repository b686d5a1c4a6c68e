"""What ONNX Runtime's profiler tells, read: names, times and work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.backends._onnxruntime_execution import read_execution
from resnet_edge.backends._onnxruntime_profile import layer_of, macs_of, read_profile, timed_node
from tests.backends import tiny


@pytest.mark.parametrize(
    ("node", "layer"),
    [
        ("net/stem/conv/Conv", "net/stem/conv"),
        ("net/stem/conv/Conv_nchwc", "net/stem/conv"),
        ("net/add/Add_quant_fused", "net/add"),
        ("logits_inner/DequantizeLinear_token_12", "logits"),
        ("Conv_1", ""),
    ],
)
def test_a_node_belongs_to_the_layer_before_its_last_slash(node: str, layer: str) -> None:
    assert layer_of(node) == layer


def test_only_whole_nodes_are_timed() -> None:
    assert timed_node("a/Conv_kernel_time") == "a/Conv"
    assert timed_node("a/Conv_fence_before") is None


def arguments(op: str, inputs: list[list[int]], output: list[int]) -> dict[str, Any]:
    return {
        "op_name": op,
        "input_type_shape": [{"float": shape} for shape in inputs],
        "output_type_shape": [{"float": output}],
    }


@pytest.mark.parametrize(
    ("event", "kernel", "macs"),
    [
        (arguments("Conv", [[2, 3, 8, 8], [4, 3, 3, 3]], [2, 4, 8, 8]), (), 8 * 8 * 4 * 27),
        (
            arguments("Conv", [[2, 3, 8, 8]], [2, 4, 8, 8]),
            (4, 3, 3, 3),
            8 * 8 * 4 * 27,
        ),  # its kernel is packed away
        (arguments("FusedConv", [[1, 4, 8, 8], [4, 1, 3, 3]], [1, 4, 8, 8]), (), 8 * 8 * 4 * 9),
        (arguments("Gemm", [[2, 16]], [2, 10]), (), 160),
        (arguments("Add", [[2, 16], [2, 16]], [2, 16]), (), 0),
    ],
)
def test_work_is_of_one_image(event: dict[str, Any], kernel: tuple[int, ...], macs: int) -> None:
    assert macs_of(event, kernel) == macs


def test_the_mean_is_over_the_middle_half(tmp_path: Path) -> None:
    """One slow inference, and one that was too quick, change nothing."""
    tiny.write_onnx(tmp_path)
    event = arguments("Relu", [[1, 4]], [1, 4])
    rows = [
        {"cat": "Node", "name": "net/relu/Relu_kernel_time", "dur": dur, "args": event}
        for dur in (1, 5, 5, 900)
    ]
    rows += [{"cat": "Session", "name": "model_run", "dur": 1}]
    (tmp_path / "profile.json").write_text(json.dumps(rows))
    (time,) = read_profile(tmp_path / "profile.json", tmp_path / "fixed.onnx")
    assert (time.layer, time.kind, time.microseconds, time.macs) == ("net/relu", "Relu", 5.0, 0)


def test_channels_that_are_filled_up_are_no_work(tmp_path: Path) -> None:
    """ONNX Runtime convolves blocks of 8 or 16 channels, and 5 channels are a block as well."""
    kernels = [np.ones(shape, np.float32) for shape in ((5, 3, 3, 3), (7, 5, 3, 3))]
    names = [f"net/conv{n}/Conv" for n in range(2)]
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["net/conv0/plain"], names[0], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["net/conv0/plain"], ["net/conv0/Relu"], "net/conv0/Relu"),
        helper.make_node("Conv", ["net/conv0/Relu", "w1"], [names[1]], names[1], pads=[1, 1, 1, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 6, 4])],
        [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, [1, 7, 6, 4])],
        [numpy_helper.from_array(kernel, f"w{n}") for n, kernel in enumerate(kernels)],
    )
    path = tmp_path / "a.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    session.run(None, {"x": np.ones((1, 3, 6, 4), np.float32)})
    profile = Path(session.end_profiling())
    expected = {f"net/conv{n}": 6 * 4 * kernel.size for n, kernel in enumerate(kernels)}
    assert {one.layer: one.macs for one in read_profile(profile, path) if one.macs} == expected
    ran = read_execution(profile, tmp_path / "optimized.onnx", path)
    assert {one.layer: one.macs for one in ran if one.macs} == expected
