from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.api.outcome import golden_code
from resnet_edge.cli._golden import print_golden
from resnet_edge.core.errors import ArtifactError, DataError, MissingDependency, UnknownName, UsageError
from resnet_edge.golden.replay import GoldenReplay, replay
from resnet_edge.golden.save import save
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import silent
from tests.backends import tiny
from tests.golden import goldens

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {"tflite": ("fixed.tflite", "int8.tflite"), "onnx": ("fixed.onnx", "uint8.onnx")}
EXTRA = {"tflite": "litert", "onnx": "onnxruntime"}

# What [convert] brings and neither the base nor a runtime does.
BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
"""
CONVERTING = {
    "h5py", "jax", "keras", "litert_quantizer", "onnx", "scipy", "tensorflow",
    "tensorflow_model_optimization", "tf2onnx", "tf_keras",
}  # fmt: skip

REPLAY = """
import sys
from pathlib import Path
from resnet_edge.api.outcome import golden_code
from resnet_edge.cli._golden import print_golden
from resnet_edge.workers.progress import silent
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.golden.replay import replay
golden, scratch, *artifacts = map(Path, sys.argv[1:])
with WorkerPool(scratch, grant=Grant(writes=(str(scratch),))) as workers:
    found = replay(golden, artifacts, (), workers, scratch, silent)
print_golden(found)
assert not {"numpy", "keras", "tensorflow"} & set(sys.modules)
sys.exit(golden_code(found))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = goldens.write(tmp_path_factory.mktemp("golden"), "tflite", "onnx")
    goldens.prepare(folder)
    names = [name for files in FILES.values() for name in files]
    save(goldens.request(folder, *(goldens.measured(folder / name, folder) for name in names)), silent)
    return folder


def replayed(
    folder: Path,
    scratch: Path,
    *names: str,
    places: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
) -> GoldenReplay:
    paths = [folder / name for name in names]
    with WorkerPool(scratch, env=env, grant=Grant(writes=(str(scratch),))) as workers:
        return replay(folder / "golden.npz", paths, places, workers, scratch, silent)


def test_all_artifacts_pass_where_they_were_saved(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = replayed(folder, tmp_path, "int8.tflite", "uint8.onnx", "fixed.onnx")
    assert result.passed
    assert [(row.backend, row.verdict) for row in result.rows] == [
        ("litert", "pass"),
        ("onnxruntime", "pass"),
        ("onnxruntime", "pass"),
    ]
    assert result.left == ("fixed.tflite",)
    assert golden_code(result) == 0
    print_golden(result)
    text = capsys.readouterr().out
    assert text.count("pass") == 3
    assert "not given: fixed.tflite" in text


def test_the_name_of_a_file_does_not_matter(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "renamed.onnx").write_bytes((folder / "fixed.onnx").read_bytes())
    result = replayed(folder, tmp_path, str(tmp_path / "renamed.onnx"))
    assert (result.passed, result.rows[0].artifact) == (True, "renamed.onnx")


def test_another_file_is_an_error(folder: Path, tmp_path: Path) -> None:
    tiny.write_onnx(tmp_path)
    other = str(tmp_path / "fixed.onnx")
    with pytest.raises(DataError, match="the file of this name has another SHA-256 there"):
        replayed(folder, tmp_path, other)
    renamed = tmp_path / "renamed.onnx"
    (tmp_path / "fixed.onnx").rename(renamed)
    with pytest.raises(DataError, match=r"it has fixed\.tflite"):
        replayed(folder, tmp_path, str(renamed))


def test_what_does_not_open_is_told_and_passes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = replayed(folder, tmp_path, "fixed.onnx", places=("onnxruntime", "onnxruntime:cuda"))
    assert [row.verdict for row in result.rows] == ["pass", "not run"]
    assert (result.passed, golden_code(result)) == (False, 3)
    print_golden(result)
    assert "fixed.onnx on onnxruntime cuda: " in capsys.readouterr().out


def test_what_makes_no_sense_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the artifacts"):
        replayed(folder, tmp_path)
    with pytest.raises(UsageError, match="opens onnx"):
        replayed(folder, tmp_path, "fixed.onnx", places=("litert",))
    with pytest.raises(UsageError, match="no device 'tpu'"):
        replayed(folder, tmp_path, "fixed.onnx", places=("onnxruntime:tpu",))
    with pytest.raises(UnknownName):
        replayed(folder, tmp_path, "fixed.onnx", places=("no_such",))
    with pytest.raises(ArtifactError, match="is not there"):
        replayed(folder, tmp_path, "none.onnx")


def test_nothing_replayed_is_no_pass(folder: Path, tmp_path: Path) -> None:
    result = replayed(folder, tmp_path, "fixed.onnx")
    empty = GoldenReplay(result.golden, result.vectors, ())
    assert (empty.passed, golden_code(empty)) == (False, 3)


def blocking(folder: Path, names: set[str]) -> dict[str, str]:
    """An environment in which these cannot be imported."""
    (folder / "sitecustomize.py").write_text(BLOCK.format(names=sorted(names)))
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}


@pytest.mark.parametrize("format", FILES)
def test_a_replay_imports_nothing_that_converts(folder: Path, tmp_path: Path, format: str) -> None:
    other = {"tflite": "onnxruntime", "onnx": "ai_edge_litert"}[format]
    env = blocking(tmp_path, CONVERTING | {other})
    assert replayed(folder, tmp_path, *FILES[format], env=env).passed
    with pytest.raises(MissingDependency):  # the block works
        replayed(folder, tmp_path, *FILES[format], env=env, places=("keras",))


@pytest.mark.slow
def test_without_the_usual_backend_one_that_opens_the_file_is_taken(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    result = replayed(folder, tmp_path, "fixed.onnx", env=blocking(tmp_path, {"onnxruntime"}))
    assert result.passed
    assert result.rows[0].backend != "onnxruntime"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True
    )
    (wheel_file,) = folder.glob("*.whl")
    return wheel_file


@pytest.mark.slow
@pytest.mark.parametrize("format", FILES)
def test_it_replays_where_only_one_runtime_is_installed(
    folder: Path, tmp_path: Path, wheel: Path, format: str
) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    limits = str(ROOT / "constraints.txt")
    install = [str(python), "-m", "pip", "install", "--quiet", "--constraint", limits]
    got = subprocess.run([*install, f"{wheel}[{EXTRA[format]}]"], capture_output=True, text=True, check=False)
    if got.returncode and re.search(r"from versions: none|NewConnectionError|name resolution", got.stderr):
        pytest.skip("pip reaches no package index here")
    assert got.returncode == 0, got.stderr
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    )
    there = {line.partition("==")[0].lower().replace("-", "_") for line in listed.stdout.splitlines()}
    brought = {"onnx"} if format == "onnx" else set()  # the extra [onnxruntime] names it
    assert there & CONVERTING == brought
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(names: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        places = (folder / "golden.npz", tmp_path, *(folder / name for name in names))
        command = [str(python), "-c", REPLAY, *map(str, places)]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    done = run(FILES[format])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("pass") == 2
    others = next(names for other, names in FILES.items() if other != format)
    done = run(others)
    assert "MissingDependency" in done.stderr
    assert "pip install 'resnet-edge[" in done.stderr
