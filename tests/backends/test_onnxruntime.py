from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from resnet_edge.backends import onnxruntime as backend
from resnet_edge.core.artifact import Quantization
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from resnet_edge.inspection.doctor import ProbeBackend
from resnet_edge.workers.process import WorkerProcess
from tests.backends import tiny


def test_scales_are_read_from_the_nodes_at_the_ends(artifacts: Path) -> None:
    with backend.open_session(artifacts / "uint8.onnx", "cpu", 1) as session:
        assert session.input.quantization == Quantization((tiny.IN_SCALE,), (tiny.IN_POINT,))
        assert session.output.quantization == Quantization((tiny.OUT_SCALE,), (tiny.OUT_POINT,))


def test_plain_uint8_pixels_have_no_scale(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real"], ["logits"], axes=[1, 2], keepdims=0),
    ]
    save(tmp_path / "cast.onnx", nodes, [1, 8, 8, 3], [1, 3], TensorProto.UINT8)
    with backend.open_session(tmp_path / "cast.onnx", "cpu", 1) as session:
        assert session.input.dtype == "uint8"
        assert session.input.quantization is None
        assert session.run(np.full((1, 8, 8, 3), 200, np.uint8)).tolist() == [[200.0] * 3]


def test_gpu_that_is_not_there_is_no_cpu(artifacts: Path) -> None:
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with (
        pytest.raises(DeviceUnavailable, match="no CUDAExecutionProvider.*onnxruntime-gpu"),
        backend.open_session(artifacts / "fixed.onnx", "cuda", 1),
    ):
        pass


def test_graph_that_the_device_cannot_take_whole_does_not_go_to_the_cpu(
    artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The Azure provider is in every wheel and has a kernel for none of the nodes: it stands
    # for CUDA where that has no kernel, or no GPU.
    monkeypatch.setitem(backend._PROVIDERS, "cuda", ("AzureExecutionProvider", {}))
    for file, error in (("fixed.onnx", DeviceUnavailable), ("random.onnx", ArtifactError)):
        with pytest.raises(error) as caught, backend.open_session(artifacts / file, "cuda", 1):
            pass
        assert "\n" not in str(caught.value)


def test_only_devices_of_cuda_load_its_libraries_from_where_pip_put_them(
    artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the CUDA provider finds no libcublasLt.so.13 beside it, and does not open."""
    times: list[str] = []
    monkeypatch.setattr(ort, "preload_dlls", lambda: times.append("loaded"))
    monkeypatch.setitem(backend._PROVIDERS, "cuda", ("AzureExecutionProvider", {}))
    with backend.open_session(artifacts / "fixed.onnx", "cpu", 1):
        assert not times
    with pytest.raises(DeviceUnavailable), backend.open_session(artifacts / "fixed.onnx", "cuda", 1):
        pass
    assert times == ["loaded"]
    assert backend.CUDA < backend.DEVICES


def mean(source: str = "image") -> onnx.NodeProto:
    return helper.make_node("ReduceMean", [source], ["logits"], axes=[1, 2], keepdims=0)


@pytest.mark.parametrize(
    ("nodes", "image", "logits", "dtype", "words"),
    [
        ([mean()], [1, "H", 8, 3], [1, 3], TensorProto.FLOAT, r"of any size \(1, any, 8, 3\).*--input-shape"),
        ([mean()], [1, 8, 8, 3, 1], [1, 3, 1], TensorProto.FLOAT, r"takes \(1, 8, 8, 3, 1\)"),
        (
            [helper.make_node("Identity", ["image"], ["logits"])],
            [1, 8, 8, 3],
            [1, 8, 8, 3],
            TensorProto.FLOAT,
            "one score per class",
        ),
        ([mean()], [1, 8, 8, 3], [1, 3], TensorProto.DOUBLE, "in float64"),
        (
            [helper.make_node("Mystery", ["image"], ["logits"])],
            [1, 8, 8, 3],
            [1, 3],
            TensorProto.FLOAT,
            "Mystery",
        ),
    ],
    ids=["height", "rank", "no classifier", "dtype", "unknown operator"],
)
def test_what_is_no_image_classifier_is_refused(
    tmp_path: Path,
    nodes: list[onnx.NodeProto],
    image: list[int | str],
    logits: list[int | str],
    dtype: int,
    words: str,
) -> None:
    save(tmp_path / "odd.onnx", nodes, image, logits, dtype, dtype)
    with (
        pytest.raises(ArtifactError, match=words) as caught,
        backend.open_session(tmp_path / "odd.onnx", "cpu", 1),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_images_for_which_there_is_no_memory_are_refused(tmp_path: Path) -> None:
    node = helper.make_node("ReduceMean", ["image"], ["logits"], axes=[1, 2], keepdims=0)
    save(tmp_path / "a.onnx", [node], [1, 2**60, 8, 3], [1, 3], TensorProto.FLOAT)
    with (
        pytest.raises(ArtifactError, match=r"a\.onnx takes images .* numbers, and [\d,]+ bytes of memory"),
        backend.open_session(tmp_path / "a.onnx", "cpu", 1),
    ):
        pass


def test_graph_that_breaks_while_it_runs_says_so_in_one_line(tmp_path: Path) -> None:
    # The shape is right for 64 pixels a channel and no other count; ORT sees it at run time.
    shape = numpy_helper.from_array(np.array([1, 64, 3]), "shape")
    nodes = [
        helper.make_node("Reshape", ["image", "shape"], ["flat"]),
        helper.make_node("ReduceMean", ["flat"], ["logits"], axes=[1], keepdims=0),
    ]
    save(tmp_path / "reshape.onnx", nodes, ["N", 8, 8, 3], ["N", 3], TensorProto.FLOAT, constants=[shape])
    with backend.open_session(tmp_path / "reshape.onnx", "cpu", 1) as session:
        assert session.run(np.ones((1, 8, 8, 3), np.float32)).tolist() == [[1.0] * 3]
        with pytest.raises(ArtifactError, match="does not run") as caught:
            session.run(np.ones((2, 8, 8, 3), np.float32))
    assert "\n" not in str(caught.value)


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    image: list[int | str],
    logits: list[int | str],
    dtype: int,
    out_dtype: int = TensorProto.FLOAT,
    constants: list[onnx.TensorProto] | None = None,
) -> None:
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info("image", dtype, image)],
        [helper.make_tensor_value_info("logits", out_dtype, logits)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(path))


def test_nothing_is_told_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its telemetry on, onnxruntime leaves the file .ses in TMPDIR as soon as it is imported."""
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY")  # of the suite itself
    log = tmp_path / "log"
    with WorkerProcess("opens", log, {"TMPDIR": str(tmp_path)}) as worker:
        probe = worker.run(ProbeBackend(backend="onnxruntime"))
    assert probe.devices[0].status == "opens"
    assert [entry.name for entry in tmp_path.iterdir()] == ["log"]
