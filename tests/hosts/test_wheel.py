"""Our own wheel: the same bytes from the same code, and pip takes it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from resnet_edge.hosts import requirements, wheel
from resnet_edge.hosts.requirements import PACKAGE


def test_the_same_code_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        wheel.write(folder, requirements.read())
    assert (first / wheel.FILE).read_bytes() == (second / wheel.FILE).read_bytes()


def test_it_has_every_module_and_no_model(tmp_path: Path) -> None:
    names = zipfile.ZipFile(wheel.write(tmp_path, requirements.read())).namelist()
    modules = {file.relative_to(PACKAGE.parent).as_posix() for file in PACKAGE.rglob("*.py")}
    assert modules <= {*names}
    assert "resnet_edge/hosts/_programs/prepare.sh" in names
    assert not [name for name in names if "calibration/" in name or name.endswith(".pyc")]


def test_pip_installs_it_and_it_runs_there(tmp_path: Path) -> None:
    file = wheel.write(tmp_path, requirements.read())
    site = tmp_path / "site"
    install = [
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-compile",
        "--target",
        str(site),
        str(file),
    ]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    script = (
        "import resnet_edge, importlib.metadata as m; print(resnet_edge.__file__, m.version('resnet-edge'))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={"PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == str(site / "resnet_edge/__init__.py")
