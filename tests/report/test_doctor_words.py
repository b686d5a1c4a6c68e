"""Tests of report.doctor_words."""

from __future__ import annotations

from resnet_edge.core import registry
from resnet_edge.core.results.examination import BackendState, DeviceState, Examination, SandboxState
from resnet_edge.report.doctor_words import absent, broken, machine_lines, summary, working

LITERT = BackendState(
    "litert", "2.3.0", (DeviceState(device="cpu", status="opens", logits=(0.5,), first_ms=0.04),)
)
NO_CUDA = "this onnxruntime has no CUDAExecutionProvider: install onnxruntime-gpu"
ONNX = BackendState(
    "onnxruntime",
    "1.32.0",
    (
        DeviceState(device="cpu", status="opens", first_ms=0.37),
        DeviceState(device="cuda", status="not here", detail=NO_CUDA),
        DeviceState(device="tensorrt", status="not here", detail=NO_CUDA),
    ),
)
IREE = BackendState(
    "iree", "", (DeviceState(device="-", status="not installed", detail="iree: pip install 'x[iree]'"),)
)
WRONG = BackendState("openvino", "1", (DeviceState(device="cpu", status="broken", detail="it gives 1"),))
PINNED = [
    BackendState(name, "", (DeviceState(device="-", status="not installed", detail=f"{name}: get {name}"),))
    for name in registry.declared("backends")
]
MACHINE = {
    "cpu": "Some CPU",
    "architecture": "x86_64",
    "usable_cores": 2,
    "memory_bytes": None,
    "int8_flags": [],
    "os": "Linux",
    "python": "3.11.7",
}


def examination(*backends: BackendState) -> Examination:
    return Examination(
        machine=MACHINE,
        versions={"numpy": "2.4"},
        backends=backends,
        sandbox=SandboxState(files="open", network="open"),
    )


def test_what_works_is_listed_with_the_time_of_its_first_image() -> None:
    assert working(examination(IREE, LITERT, ONNX)) == [
        ["litert", "2.3.0", "cpu", "0.0400"],
        ["onnxruntime", "1.32.0", "cpu", "0.370"],
    ]
    assert working(examination(IREE)) == []


def test_a_reason_is_told_once_for_all_that_it_keeps_away() -> None:
    assert absent(examination(LITERT, ONNX, IREE)) == [
        f"onnxruntime cuda, onnxruntime tensorrt: {NO_CUDA}",
        "iree: pip install 'x[iree]'",
    ]
    assert absent(examination(LITERT)) == []


def test_runtimes_of_other_versions_are_one_line() -> None:
    (line,) = absent(examination(LITERT, *PINNED))
    assert all(backend.backend in line for backend in PINNED)
    assert "make extras-museum" in line


def test_the_summary_says_how_much_works_and_what_is_broken() -> None:
    assert summary(examination(LITERT, ONNX, IREE)) == (
        "2 backends of 3 work here, on cpu, and nothing that is installed is broken; 1 is not installed."
    )
    sick = examination(LITERT, WRONG)
    assert summary(sick) == "1 backend of 2 works here, on cpu; BROKEN: openvino."
    assert broken(sick) == ["openvino cpu: broken: it gives 1"]
    assert summary(examination(IREE)).startswith("0 backends of 1 work here, and nothing")


def test_the_machine_is_told_without_what_is_not_known() -> None:
    lines = machine_lines(examination())
    assert lines[0] == "Some CPU (x86_64), 2 cores"
    assert "none known" in lines[1]
    assert lines[-1] == "numpy 2.4"
