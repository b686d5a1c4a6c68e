"""What is told of an int8 file on a processor without VNNI."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resnet_edge.core.head import Head
from resnet_edge.core.results.int8_risk import AS_IT_COMES, SEVEN_BITS, Int8Risk
from resnet_edge.diagnosis.integers_task import EmulateOverflow
from resnet_edge.diagnosis.overflow_emulation import overflowing
from resnet_edge.workers.progress import silent
from tests.backends import tiny
from tests.diagnosis.overflow.test_emulation import IMAGES, written


def risk_of(path: Path, folder: Path, labels: list[int] | None = None) -> Int8Risk | None:
    np.save(folder / "images.npy", IMAGES)
    if labels is not None:
        np.save(folder / "labels.npy", np.array(labels))
    named = None if labels is None else str(folder / "labels.npy")
    task = EmulateOverflow(
        file=path.name,
        path=str(path),
        images=str(folder / "images.npy"),
        labels=named,
        n=8,
        preprocessing=None,
        head=Head.of_classes(5, "logits"),
    )
    return overflowing(task, silent).risk


def test_layers_ways_and_advice(tmp_path: Path) -> None:
    risk = risk_of(written(tmp_path, "wide"), tmp_path, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1])
    assert risk is not None
    assert [way.way for way in risk.ways] == [AS_IT_COMES, SEVEN_BITS]
    cut, seven = risk.ways
    assert risk.n == 8
    assert cut.max_abs > seven.max_abs
    assert cut.agreement_ci95[0] <= cut.agreement <= cut.agreement_ci95[1]
    assert risk.top1 is not None
    assert cut.drop_ci95_pp is not None
    assert [layer.layer for layer in risk.layers] == ["conv0", "conv1", "gemm"]
    first = risk.layers[0]
    assert first.pairs == 70 * 25 * 4 // 2
    assert 0 < first.at_risk < first.pairs
    assert 1 < first.worst <= 2 * 128 * 255 / 32768
    assert 0 < first.overflowed < 1
    assert "most of all in conv0" in risk.advice[0]
    assert "session.x64quantprecision=1" in risk.advice[1]


def test_without_labels_only_agreement_is_told(tmp_path: Path) -> None:
    risk = risk_of(written(tmp_path, "plain"), tmp_path)
    assert risk is not None
    assert risk.top1 is None
    assert all(way.top1 is None and way.drop_ci95_pp is None for way in risk.ways)
    assert "top-1" not in " ".join(risk.advice)


def test_a_file_that_cannot_overflow_is_not_run(tmp_path: Path) -> None:
    assert risk_of(written(tmp_path, "plain", np.uint8, np.uint8), tmp_path) is None


def test_float_files_have_no_risk(tmp_path: Path) -> None:
    assert risk_of(tiny.write_all(tmp_path) / "fixed.onnx", tmp_path) is None
