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

    contents: dict[str, Any] = json.loads(encode(report).decode("utf-8"), parse_constant=refuse)
    return contents


def test_keys_of_the_contract(any_report: Report) -> None:
    contents = strict(any_report)
    assert contents.keys() >= TOP
    assert contents["schema"] == 1
    assert contents["passed"] is any_report.passed
    assert contents["model"].keys() >= MODEL
    for key, wanted in (("artifacts", ARTIFACT), ("parity", PARITY), ("latency", LATENCY)):
        assert len(contents[key]) == len(getattr(any_report, key))
        assert all(entry.keys() >= wanted for entry in contents[key])


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
    contents = strict(troubled)
    collapsed = next(row for row in contents["parity"] if row["artifact"] == "resnet20.int8.onnx")
    assert collapsed["sqnr_db"] is None
    assert collapsed["reasons"] == [
        "The drop of 84.10 pp exceeds 0.5 pp.",
        "sqnr_db is null because it is not a number",
    ]
    assert contents["latency"][0]["p50_ms"] is None
    assert len(contents["latency"][0]["reasons"]) == 2
    assert contents["machine"]["load"] is None
    assert "machine.load is null because it is infinite" in contents["notes"]


def test_finite_numbers_are_kept_exactly(ordinary: Report) -> None:
    row = replace(ordinary.parity[0], top1=0.1 + 0.2, sqnr_db=1e-300)
    entry = strict(replace(ordinary, parity=(row,)))["parity"][0]
    assert (entry["top1"], entry["sqnr_db"], entry["reasons"]) == (0.1 + 0.2, 1e-300, [])


def test_preprocessing_is_told_in_full(ordinary: Report) -> None:
    caffe = replace(ordinary, model=replace(ordinary.model, preprocessing=PRESETS["caffe"]))
    feeding = strict(caffe)["preprocessing"]
    assert (feeding["name"], feeding["where"], feeding["channels"]) == ("caffe", "graph", "BGR")
    assert feeding["offset"] == [-103.939, -116.779, -123.68]
