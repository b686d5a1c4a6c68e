"""The programs in Python of a bundle on the versions of Python, and on the runtimes, that devices have."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.bundle.samples import bundles
from tests.bundle.samples.bundles import FILES, rendered_paths
from tests.bundle.samples.interpreters import RUNTIMES, interpreter, runtime_of
from tests.bundle.samples.programs import CLASSIFY, SELFTEST, run_with

OLDEST = (3, 8)
PER_OUTPUT = "litert/uint8_per_output.tflite"


def test_all_of_it_is_of_the_oldest_grammar(whole: Path) -> None:
    """And nothing in it is an annotation, of which newer ones would be evaluated at run time."""
    paths = [path for path in rendered_paths(whole) if path.endswith(".py")]
    assert {SELFTEST, CLASSIFY} <= set(paths)
    for path in paths:
        tree = ast.parse((whole / path).read_text("utf-8"), feature_version=OLDEST)
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)]
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        arguments = [one for each in functions for one in (*each.args.args, *each.args.kwonlyargs)]
        assert not [one for one in (*functions, *arguments) if getattr(one, "annotation", None)]
        assert not [each for each in functions if each.returns]


@pytest.mark.parametrize("version", RUNTIMES)
@pytest.mark.parametrize("script", [SELFTEST, CLASSIFY])
def test_a_bare_python_says_what_it_lacks(whole: Path, version: str, script: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version}")
    if run_with(python, "-c", "import numpy, PIL").returncode == 0:
        pytest.skip(f"{python} has it all")
    done = run_with(python, whole / script, "photo.jpg")
    assert done.returncode == 1
    assert "is not installed: pip install numpy pillow" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("version", RUNTIMES)
def test_it_runs_on_the_runtime_of_its_time(whole: Path, version: str) -> None:
    python, tflite = runtime_of(version)
    done = run_with(python, whole / SELFTEST, FILES[0], FILES[2])
    assert "Traceback" not in done.stderr, done.stderr
    installed = "onnxruntime" in RUNTIMES[version]
    assert done.stdout.splitlines() == [
        f"passed {FILES[0]} on {tflite}: 4 images",
        f"passed {FILES[2]} on onnxruntime: 4 images"
        if installed
        else f"skipped {FILES[2]}: onnxruntime is not installed",
        f"RIGHT here. Model files that give what was proved: {'2' if installed else '1; not tested: 1'}",
    ]
    assert done.returncode == 0
    named = run_with(python, whole / CLASSIFY, whole / "golden/images/00.png")
    assert "Traceback" not in named.stderr, named.stderr
    assert (named.returncode, len(named.stdout.splitlines())) == (0, 3)


@pytest.mark.slow
def test_what_an_old_runtime_reads_wrongly_is_noticed(tmp_path: Path, artifacts: Path) -> None:
    """The last layer has a scale for each output, and tflite-runtime takes the first for all until 2.10."""
    python, _ = runtime_of("3.8")
    bundles.write(tmp_path, artifacts, (PER_OUTPUT,))
    done = run_with(python, tmp_path / SELFTEST, PER_OUTPUT)
    assert (done.returncode, "the OUTPUT is off" in done.stdout) == (1, True)
