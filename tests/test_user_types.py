"""What mypy tells a user of `import resnet_edge`: types of what is there, and errors for what is not."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import resnet_edge

PACKAGE = Path(resnet_edge.__file__).parent
SCRIPT = """
from pathlib import Path
from typing import assert_type

import numpy as np
import resnet_edge

images, labels = np.zeros((4, 28, 28, 1), np.uint8), np.zeros(4, np.int64)


def gate(report: resnet_edge.reports.ConvertReport, progress: resnet_edge.Progress) -> str:
    return report.best("size").path


report = resnet_edge.convert("m.keras", data=(images, labels), out=Path("dist"), formats=["tflite"])
assert_type(report, resnet_edge.reports.ConvertReport)
assert_type([row.drop_pp for row in report.parity], list[float | None])
assert_type(resnet_edge.verify(report, reference="m.keras", data=images).passed, bool)
assert_type(resnet_edge.bench(Path("dist").glob("*.onnx")).conclusive, bool)
assert_type(resnet_edge.package(resnet_edge.load_report("dist").to_dict().get("x", "dist")).passed, bool)
resnet_edge.verify_golden("golden.zip", ["a.onnx", Path("b.onnx")])
assert_type(
    resnet_edge.train(arch="resnet20", data="fashion-mnist", out="n.keras"), resnet_edge.reports.TrainReport
)
resnet_edge.convrt("m.keras")  # wrong
resnet_edge.reports.Convert  # wrong
resnet_edge.convert("m.keras", data=3)  # wrong
resnet_edge.convert("m.keras", io="float")  # wrong
report.best("speed")  # wrong
report.artefacts  # wrong
resnet_edge.bench(3)  # wrong
resnet_edge.verify([3], reference="m.keras", data=images)  # wrong
resnet_edge.package(["a", "b"])  # wrong
resnet_edge.verify_golden("golden.zip", 3)  # wrong
"""


@pytest.mark.slow
def test_a_users_script_has_the_types_of_the_api(tmp_path: Path) -> None:
    script = tmp_path / "user.py"
    script.write_text(SCRIPT, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), script.name]
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
    )
    wrong = [number for number, line in enumerate(SCRIPT.split("\n"), 1) if line.endswith("# wrong")]
    errors = [int(line) for line in re.findall(r"^user\.py:(\d+): error", ran.stdout, re.MULTILINE)]
    assert (errors, ran.stderr) == (wrong, ""), ran.stdout


def test_what_only_runs_is_hidden_from_type_checkers() -> None:
    """A module with a `__getattr__` has, to them, every name that somebody may misspell."""
    body = ast.parse((PACKAGE / "__init__.py").read_text("utf-8")).body
    assert "__getattr__" not in {node.name for node in body if isinstance(node, ast.FunctionDef)}
    assert (PACKAGE / "py.typed").is_file()
