"""The self-test and the example in Python, run as an app team would, on files that are right and wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.image_contract import PRESETS, ImageContract, contract
from resnet_edge.data.resize import apply
from tests.backends import tiny
from tests.data.photos import noise
from tests.samples.bundles import FILES, changed, sha256


def selftest(bundle: Path, *files: str) -> tuple[int, str]:
    command = [sys.executable, str(bundle / "selftest/selftest.py"), *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=bundle.parent, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_all_is_well(whole: Path) -> None:
    code, said = selftest(whole)
    assert code == 0
    assert [line.split(" on ")[0] for line in said.splitlines()] == [f"passed {name}" for name in FILES]


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


def test_an_output_that_is_off_is_told_as_that(bundle: Path) -> None:
    def shift(golden: Any) -> None:
        golden["files"][0]["scores"][1][3] += 0.01

    changed(bundle, shift)
    code, said = selftest(bundle)
    assert code == 1
    assert "golden/images/01.png: the OUTPUT is off: a score by 0.01" in said
    assert "INPUT" not in said
    assert "passed onnx/fixed.onnx" in said


def test_another_picture_is_told(bundle: Path) -> None:
    (bundle / "golden/images/00.png").write_bytes((bundle / "golden/images/01.png").read_bytes())
    code, said = selftest(bundle, "litert/fixed.tflite")
    assert (code, "golden/images/00.png: the picture is not the one of the bundle" in said) == (1, True)


def test_another_model_file_is_told(bundle: Path) -> None:
    shutil.copy(bundle / "litert/fixed.tflite", bundle / "litert/uint8.tflite")
    code, said = selftest(bundle)
    assert (code, "FAILED litert/uint8.tflite: the model file" in said) == (1, True)


def test_nothing_compared_is_no_success(bundle: Path) -> None:
    assert selftest(bundle, "litert/other.tflite")[0] == 1

    def empty(golden: Any) -> None:
        golden["images"] = []

    changed(bundle, empty)
    code, said = selftest(bundle)
    assert (code, "nothing was compared" in said) == (1, True)


@pytest.fixture(scope="module")
def classify(whole: Path) -> ModuleType:
    module = ModuleType("classify")
    module.__file__ = str(whole / "samples/python/classify.py")
    source = Path(module.__file__).read_text("utf-8")
    before = [*sys.path]
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    sys.path[:] = before
    sys.modules.pop("selftest", None)
    return module


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(60, 91), (17, 5), (8, 8)])
def test_pixels_are_those_of_the_reference(
    classify: ModuleType, tmp_path: Path, name: str, channels: int, size: tuple[int, int]
) -> None:
    how: ImageContract = contract(name, 8, 9, channels)
    Image.fromarray(noise(*size)).save(tmp_path / "photo.png")
    found = np.asarray(classify.prepared(tmp_path / "photo.png", asdict(how)))
    np.testing.assert_array_equal(found.reshape(8, 9, channels), apply(how, tmp_path / "photo.png"))


def test_a_photo_gets_a_name(whole: Path, tmp_path: Path) -> None:
    Image.fromarray(noise(40, 50)).save(tmp_path / "photo.jpg")
    command = [sys.executable, str(whole / "samples/python/classify.py"), str(tmp_path / "photo.jpg")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    shares = [float(line.split()[0]) for line in lines]
    assert shares == sorted(shares, reverse=True)
