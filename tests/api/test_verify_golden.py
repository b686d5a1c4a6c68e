"""Golden vectors from Python; tests/golden/test_replay.py replays them in every way."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge import errors, verify_golden
from resnet_edge.api.reports import GoldenReport
from resnet_edge.golden.save import save
from resnet_edge.workers.progress import silent
from tests.api.refusals import check_refused
from tests.golden import goldens


def test_artifacts_are_held_against_what_was_saved(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = goldens.write(tmp_path, "tflite")
    goldens.prepare(folder)
    save(goldens.request(folder, goldens.measured(folder / "int8.tflite", folder)), silent)
    capfd.readouterr()
    report = verify_golden(folder / "golden.npz", [folder / "int8.tflite"], backends="litert")
    assert isinstance(report, GoldenReport)
    assert (report.passed, report.exit_code, report.trouble) == (True, 0, None)
    document = report.to_dict()
    assert (document["passed"], document["images"], document["rows"][0]["n"]) == (True, 12, 12)
    assert "int8.tflite" in report._repr_html_()
    assert capfd.readouterr() == ("", "")


def test_what_is_wrong_is_refused(here: Path) -> None:
    check_refused(lambda: verify_golden("golden.npz", []), errors.UsageError, "nothing to verify")
    check_refused(lambda: verify_golden("golden.npz", "net.onnx"), errors.ResnetEdgeError, "golden.npz")
