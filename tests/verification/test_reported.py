"""Tests of verification.reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_edge.verification.reported import hashes_reported


def test_the_hashes_of_every_folder_are_found_and_files_promise_nothing(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        entries = [{"file": f"{name}.onnx", "sha256": name * 3}]
        (tmp_path / name / "report.json").write_text(json.dumps({"artifacts": entries}))
    (tmp_path / "empty").mkdir()
    paths = tmp_path / "one", tmp_path / "two", tmp_path / "empty", tmp_path / "one" / "one.onnx"
    assert hashes_reported(paths) == {
        tmp_path / "one" / "one.onnx": "oneoneone",
        tmp_path / "two" / "two.onnx": "twotwotwo",
    }


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"artifacts": 3}', '{"artifacts": [{"file": "a"}]}', "null"]
)
def test_a_report_of_others_promises_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    assert hashes_reported((tmp_path,)) == {}
