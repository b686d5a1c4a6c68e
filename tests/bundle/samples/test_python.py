"""The self-test in Python, on files that are right and wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet_edge.backends import litert
from tests.backends import rgb, tiny
from tests.bundle.samples.bundles import FILES, changed, changed_json, scores_of, seal, sha256, with_scores
from tests.bundle.samples.conftest import Without
from tests.bundle.samples.programs import CLASSIFY, SELFTEST, run


def selftest(bundle: Path, *files: str, **environment: str) -> tuple[int, str]:
    done = run(bundle / SELFTEST, *files, **environment)
    return done.returncode, done.stdout


def right(files: int) -> str:
    return f"RIGHT here. Model files that give what was proved: {files}"


def test_all_is_well(whole: Path) -> None:
    code, said = selftest(whole)
    assert code == 0
    *each, last = said.splitlines()
    assert [line.split(" on ")[0] for line in each] == [f"passed {name}" for name in FILES]
    assert last == right(len(FILES))


def test_an_input_that_is_off_is_told_as_that(bundle: Path) -> None:
    """Another picture in its place, as of an app that prepares it in another way."""
    path = bundle / "golden/images/02.png"
    Image.fromarray(tiny.pixels(1, seed=9)[0, ..., 0]).save(path)

    def accept(golden: Any) -> None:
        golden["images"][2]["sha256"] = sha256(path.read_bytes())

    changed(bundle, accept)
    code, said = selftest(bundle, "litert/uint8.tflite")
    assert code == 1
    assert "golden/images/02.png: the INPUT is off" in said
    assert "OUTPUT" not in said
    assert said.count("golden/images") == 1


@pytest.mark.parametrize("change", [{"colour": "RGB"}, {"width": 9}, {"height": 7}])
def test_a_change_of_the_preprocessing_puts_the_input_off(bundle: Path, change: dict[str, Any]) -> None:
    changed_json(bundle, "preprocessing.json", lambda how: how.update(change))
    code, said = selftest(bundle)
    assert code == 1
    assert said.count("the INPUT is off") == 4 * len(FILES)
    assert "OUTPUT" not in said


def test_a_file_of_three_channels_gets_the_grey_three_times(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "rgb").mkdir()
    model = Path(shutil.copy(rgb.write_all(tmp_path / "rgb") / "bare.tflite", bundle / "litert/wide.tflite"))
    wide = np.repeat(tiny.pixels(4), 3, axis=3).astype(np.float32)
    with litert.open_session(model, "cpu", 1) as session:
        scores = np.concatenate([session.run(image[None]) for image in wide])

    def add(golden: Any) -> None:
        file = json.loads(json.dumps(golden["files"][0]))
        file |= {"file": "litert/wide.tflite", "sha256": sha256(model.read_bytes())}
        file |= {"inputs_sha256": [sha256(image.tobytes()) for image in wide]}
        file["input"]["shape"] = [1, 8, 8, 3]
        golden["files"].append(file)

    changed(bundle, add)
    with_scores(bundle, len(FILES), scores)
    code, said = selftest(bundle, "litert/wide.tflite")
    assert (code, said) == (0, f"passed litert/wide.tflite on litert: 4 images\n{right(1)}\n")


def test_another_answer_is_told_whatever_the_tolerance(bundle: Path) -> None:
    with_scores(bundle, 0, -scores_of(bundle, 0))

    def swap(golden: Any) -> None:
        file = golden["files"][0]
        file["tolerances"] = [{"runtime": "litert", "max_abs": 1e9, "reason": "none"}]

    changed(bundle, swap)
    code, said = selftest(bundle, "litert/fixed.tflite")
    assert (code, said.count("the OUTPUT is off: the answer is another")) == (1, 4)


def test_a_tolerance_of_the_runtime_goes_before_the_default(bundle: Path) -> None:
    with_scores(bundle, 0, scores_of(bundle, 0) + 0.01)

    def shift(golden: Any) -> None:
        file = golden["files"][0]
        file["tolerances"].append({"runtime": "litert", "max_abs": 0.02, "reason": "measured"})

    changed(bundle, shift)
    assert selftest(bundle, "litert/fixed.tflite")[0] == 0


def test_an_output_that_is_off_is_told_as_that(bundle: Path) -> None:
    scores = scores_of(bundle, 0)
    scores[1, 3] += 0.01
    with_scores(bundle, 0, scores)
    code, said = selftest(bundle)
    assert code == 1
    assert "golden/images/01.png: the OUTPUT is off: a score by 0.01" in said
    assert "INPUT" not in said
    assert "passed onnx/fixed.onnx" in said


def test_another_picture_is_told(bundle: Path) -> None:
    (bundle / "golden/images/00.png").write_bytes((bundle / "golden/images/01.png").read_bytes())
    code, said = selftest(bundle, "litert/fixed.tflite")
    assert (code, "golden/images/00.png: the picture is missing or not" in said) == (1, True)
    (bundle / "golden/images/00.png").unlink()
    assert selftest(bundle, "litert/fixed.tflite") == (code, said)


def test_another_model_file_is_told(bundle: Path) -> None:
    shutil.copy(bundle / "litert/fixed.tflite", bundle / "litert/uint8.tflite")
    code, said = selftest(bundle)
    assert (code, "FAILED litert/uint8.tflite: the model file" in said) == (1, True)


def test_a_file_that_its_runtime_does_not_open_is_told(bundle: Path, artifacts: Path) -> None:
    shutil.copy(artifacts / "truncated.onnx", bundle / "onnx/fixed.onnx")

    def accept(golden: Any) -> None:
        golden["files"][2]["sha256"] = sha256((bundle / "onnx/fixed.onnx").read_bytes())

    changed(bundle, accept)
    code, said = selftest(bundle)
    assert (code, "FAILED onnx/fixed.onnx: the runtime here does not open it" in said) == (1, True)


def test_what_cannot_be_opened_here_is_said(bundle: Path, without_litert: dict[str, str]) -> None:
    code, said = selftest(bundle, **without_litert)
    assert code == 0
    assert said.count("ai-edge-litert, or tflite-runtime, or tensorflow is not installed") == 2
    assert "passed onnx/fixed.onnx" in said
    assert said.splitlines()[-1] == f"{right(1)}; not tested: 2"
    code, said = selftest(bundle, *FILES[:2], **without_litert)
    assert (code, "no file could be opened: nothing was compared" in said) == (1, True)


def test_tensorflow_opens_it_where_nothing_smaller_is(bundle: Path, without: Without) -> None:
    code, said = selftest(bundle, FILES[0], **without("ai_edge_litert", "tflite_runtime"))
    assert (code, said) == (0, f"passed {FILES[0]} on tensorflow: 4 images\n{right(1)}\n")


@pytest.mark.parametrize("module", ["numpy", "PIL"])
@pytest.mark.parametrize("script", [SELFTEST, CLASSIFY])
def test_what_it_needs_itself_is_said(bundle: Path, without: Without, script: str, module: str) -> None:
    done = run(bundle / script, **without(module))
    assert done.returncode == 1
    assert f"{module} is not installed: pip install numpy pillow" in done.stderr


def test_a_runtime_that_does_not_import_is_told(bundle: Path, tmp_path: Path) -> None:
    """As tflite-runtime 2.14 beside numpy 2."""
    (tmp_path / "broken/ai_edge_litert").mkdir(parents=True)
    (tmp_path / "broken/ai_edge_litert/__init__.py").write_text("raise ImportError('made for numpy 1')")
    code, said = selftest(bundle, FILES[0], PYTHONPATH=str(tmp_path / "broken"))
    assert (code, "the runtime here does not open it: made for numpy 1" in said) == (1, True)


def test_other_scores_or_none_are_told(bundle: Path) -> None:
    path = bundle / "golden/scores/fixed.tflite.bin"
    path.write_bytes(path.read_bytes()[:-4])
    code, said = selftest(bundle, FILES[0])
    line = "golden/scores/fixed.tflite.bin is missing or not the one of the bundle: copy it again"
    assert (code, line in said) == (1, True)
    path.unlink()
    assert selftest(bundle, FILES[0]) == (code, said)


def test_a_kind_of_file_that_it_does_not_know_is_said(bundle: Path) -> None:
    (bundle / "onnx/fixed.onnx").rename(bundle / "onnx/fixed.pte")

    def rename(golden: Any) -> None:
        golden["files"][2]["file"] = "onnx/fixed.pte"

    changed(bundle, rename)
    seal(bundle)
    code, said = selftest(bundle)
    assert (code, "skipped onnx/fixed.pte: this test opens .tflite and .onnx" in said) == (0, True)


@pytest.mark.parametrize("name", ["golden/golden.json", "preprocessing.json"])
@pytest.mark.parametrize("script", [SELFTEST, CLASSIFY])
def test_json_that_cannot_be_read_is_told(bundle: Path, script: str, name: str) -> None:
    (bundle / name).write_text("{")
    done = run(bundle / script, *(["photo.jpg"] if script == CLASSIFY else []))
    assert (done.returncode, f"FAILED: {name} cannot be read" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("name", "content"), [("golden/golden.json", '{"files": 1}'), ("preprocessing.json", '{"width": 8}')]
)
@pytest.mark.parametrize("script", [SELFTEST, CLASSIFY])
def test_json_that_says_other_things_is_told(bundle: Path, script: str, name: str, content: str) -> None:
    """A digit of a tolerance would do: all would pass."""
    (bundle / name).write_text(content)
    done = run(bundle / script, *(["photo.jpg"] if script == CLASSIFY else []))
    line = f"FAILED: {name} is not the one of bundle.json: copy both again\n"
    assert (done.returncode, done.stdout) == (1, line)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"sha256": 3}', "[" * 100_000])
def test_an_index_that_cannot_be_read_is_told(bundle: Path, content: str | None) -> None:
    (bundle / "bundle.json").unlink()
    if content is not None:
        (bundle / "bundle.json").write_text(content)
    code, said = selftest(bundle)
    assert (code, said.count("FAILED"), said.count("\n")) == (1, 1, 1)
    assert "bundle.json" in said


def test_other_files_that_apps_take_up_are_told(bundle: Path) -> None:
    """And those that people read or change are theirs."""
    (bundle / "labels.txt").write_text("Zebra\n")
    (bundle / "samples/python/classify.py").write_text("print()\n")
    code, said = selftest(bundle)
    line = "FAILED labels.txt: it is missing or not the one of the bundle: copy it again"
    assert (code, said.splitlines()[0], said.count("FAILED")) == (1, line, 1)
    (bundle / "labels.txt").unlink()
    assert selftest(bundle) == (code, said)


def test_a_runtime_that_opens_a_file_and_does_not_run_it_is_told(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "broken/ai_edge_litert").mkdir(parents=True)
    (tmp_path / "broken/ai_edge_litert/__init__.py").touch()
    (tmp_path / "broken/ai_edge_litert/interpreter.py").write_text(
        "class Interpreter:\n"
        "    def __init__(self, path): pass\n"
        "    def allocate_tensors(self): pass\n"
        "    def get_input_details(self): return [{'index': 0}]\n"
        "    get_output_details = get_input_details\n"
        "    def set_tensor(self, index, tensor): pass\n"
        "    def invoke(self): raise RuntimeError('Node 3\\n  failed to invoke.')\n"
    )
    code, said = selftest(bundle, FILES[0], PYTHONPATH=str(tmp_path / "broken"))
    line, last = said.splitlines()
    assert (code, line) == (1, f"FAILED {FILES[0]}: litert does not run it: Node 3 failed to invoke.")
    assert last == "NOT RIGHT here. Failed: 1; the lines above say what to look at"


def test_nothing_compared_is_no_success(bundle: Path) -> None:
    assert selftest(bundle, "litert/other.tflite")[0] == 1

    def empty(golden: Any) -> None:
        golden["images"] = []

    changed(bundle, empty)
    code, said = selftest(bundle)
    assert (code, "nothing was compared" in said) == (1, True)


def test_an_array_of_samples_is_taken_as_it_is(bundle: Path) -> None:
    """Of a model that takes no photos: bytes in place of pictures."""
    samples = {"colour": "samples", "samples": 1}
    changed_json(bundle, "preprocessing.json", lambda how: how.update(samples))

    def arrays(golden: Any) -> None:
        for number, image in enumerate(golden["images"]):
            content = tiny.pixels(4)[number].tobytes()
            image |= {"path": f"golden/images/{number:02d}.bin", "sha256": sha256(content)}
            (bundle / image["path"]).write_bytes(content)

    changed(bundle, arrays)
    code, said = selftest(bundle)
    assert (code, said.count("passed ")) == (0, len(FILES))
    done = run(bundle / CLASSIFY, "photo.jpg")
    assert (done.returncode, "this model takes no photos" in done.stderr) == (1, True)
