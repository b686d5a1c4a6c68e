"""Tests of workers.bytecode with a package that nothing has imported yet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from pathlib import Path
from resnet_edge.core import packages
from resnet_edge.workers import bytecode
packages.EXTRAS.clear()
packages.EXTRAS["fresh_package"] = ("fresh-package", "fresh")
from resnet_edge.workers.process import WorkerProcess
with WorkerProcess("probe", Path(sys.argv[1]), {"PYTHONPATH": sys.argv[2]}) as worker:
    worker.call("probes:echo", {}, dict)
"""
PROBES = Path(__file__).parent


def run(tmp_path: Path, **env: str) -> Path:
    package = tmp_path / "fresh_package"
    package.mkdir()
    (package / "__init__.py").write_text("import fresh_package.inner\nprint('imported')\n")
    (package / "inner.py").write_text("x = 1\n")
    path = os.pathsep.join([str(tmp_path), str(PROBES.parent.parent)])
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "log"), str(PROBES)],
        env={**plain, "PYTHONPATH": path, **env},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return package


def test_what_was_never_imported_is_compiled_before_workers_are_shut_in(tmp_path: Path) -> None:
    package = run(tmp_path)
    assert len([*package.rglob("*.pyc")]) == 2


def test_who_wants_no_bytecode_gets_none(tmp_path: Path) -> None:
    package = run(tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert [*package.rglob("*.pyc")] == []
