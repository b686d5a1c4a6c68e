"""The wheel works away from the clone: it holds the bundled model and data, each once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree and unpacked as an installer would."""
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place], cwd=ROOT, check=True
    )
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        assert sum(name.endswith("fashion_mnist_test.npz") for name in names) == 1
        assert not any(name.startswith("tests/") for name in names)
        archive.extractall(place / "site")
    return place / "site"


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_convert_runs_from_the_wheel_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    where = run(installed, tmp_path, "-c", "import resnet_edge; print(resnet_edge.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(installed)
    options = ("--schemes", "int8", "--formats", "onnx", "--latency-seconds", "0.2", "--json", "--quiet")
    done = run(installed, tmp_path, "-m", "resnet_edge", "convert", *options)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["passed"] is True
    assert [entry.name for entry in tmp_path.iterdir()] == ["dist"]
    assert (tmp_path / "dist/report.html").stat().st_size > 10_000
