"""report.json holds the contract's keys, and is strict JSON whatever was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NoReturn

from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.report import Report
from resnet_edge.report.contract import encode

TOP = {
    "schema",
    "resnet_edge",
    "versions",
    "machine",
    "model",
    "preprocessing",
    "artifacts",
    "parity",
    "latency",
    "passed",
}
MODEL = {"name", "source", "sha256", "parameters", "macs"}
ARTIFACT = {"file", "format", "scheme", "size_bytes", "sha256", "inputs", "outputs"}
PARITY = {
    "artifact",
    "backend",
    "device",
    "n",
    "top1",
    "reference_top1",
    "drop_pp",
    "drop_ci95_pp",
    "agreement",
}
PARITY |= {"max_abs", "sqnr_db", "verdict", "reasons"}
LATENCY = {"artifact", "backend", "device", "threads", "batch", "p50_ms", "p90_ms", "p50_ci95_ms", "vs_fp32"}


def strict(report: Report) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    found: dict[str, Any] = json.loads(encode(report).decode("utf-8"), parse_constant=refuse)
    return found


def test_keys_of_the_contract(any_report: Report) -> None:
    found = strict(any_report)
    assert found.keys() >= TOP
    assert found["schema"] == 1
    assert found["passed"] is any_report.passed
    assert found["model"].keys() >= MODEL
    for key, wanted in (("artifacts", ARTIFACT), ("parity", PARITY), ("latency", LATENCY)):
        assert len(found[key]) == len(getattr(any_report, key))
        assert all(entry.keys() >= wanted for entry in found[key])


def test_tensors_carry_scale_and_zero_point(ordinary: Report) -> None:
    entries = {entry["file"]: entry for entry in strict(ordinary)["artifacts"]}
    assert entries["resnet20.int8.tflite"]["outputs"][0] == {
        "name": "logits",
        "shape": [1, 10],
        "dtype": "int8",
        "quantization": {"scale": [0.1342657], "zero_point": [12], "axis": None},
    }
    assert entries["resnet20.fp32.onnx"]["inputs"][0]["quantization"] is None
    assert entries["resnet20.fp32.onnx"]["inputs"][0]["shape"] == [None, 28, 28, 1]


def test_what_is_not_finite_is_null_with_a_reason(troubled: Report) -> None:
    found = strict(troubled)
    collapsed = next(row for row in found["parity"] if row["artifact"] == "resnet20.int8.onnx")
    assert collapsed["sqnr_db"] is None
    assert collapsed["reasons"] == [
        "The drop of 84.10 pp exceeds 0.5 pp.",
        "sqnr_db is null because it is not a number",
    ]
    assert found["latency"][0]["p50_ms"] is None
    assert len(found["latency"][0]["reasons"]) == 2
    assert found["machine"]["load"] is None
    assert "machine.load is null because it is infinite" in found["notes"]


def test_finite_numbers_are_kept_exactly(ordinary: Report) -> None:
    row = replace(ordinary.parity[0], top1=0.1 + 0.2, sqnr_db=1e-300)
    found = strict(replace(ordinary, parity=(row,)))["parity"][0]
    assert (found["top1"], found["sqnr_db"], found["reasons"]) == (0.1 + 0.2, 1e-300, [])


def test_preprocessing_is_told_in_full(ordinary: Report) -> None:
    caffe = replace(ordinary, model=replace(ordinary.model, preprocessing=PRESETS["caffe"]))
    found = strict(caffe)["preprocessing"]
    assert (found["name"], found["where"], found["channels"]) == ("caffe", "graph", "BGR")
    assert found["offset"] == [-103.939, -116.779, -123.68]
