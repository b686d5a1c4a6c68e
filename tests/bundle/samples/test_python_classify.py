"""The example in Python: the pixels of the reference, a name for a photo, and what is none."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from resnet_edge.core.image_contract import PRESETS, ImageContract, contract
from resnet_edge.data.resize import apply
from tests.backends import tiny
from tests.bundle.samples.bundles import FILES, LABELS
from tests.bundle.samples.programs import CLASSIFY, run
from tests.data.photos import noise


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
    pixels = np.asarray(classify.prepared(tmp_path / "photo.png", asdict(how)))
    np.testing.assert_array_equal(pixels.reshape(8, 9, channels), apply(how, tmp_path / "photo.png"))


def test_a_photo_of_any_kind_is_that_of_the_reference(classify: ModuleType, tmp_path: Path) -> None:
    """Turned by EXIF, of 16 bits, and of a palette with transparency."""
    how, path = contract("crop", 8, 9, 1), tmp_path / "photo"
    turned = Image.Exif()
    turned[0x0112] = 6
    wide = np.random.default_rng(0).integers(0, 65536, (20, 30)).astype(np.uint16)
    palette = Image.fromarray(noise(20, 30)).quantize(16)
    Image.fromarray(noise(40, 25)).save(path.with_suffix(".jpg"), exif=turned)
    Image.fromarray(wide).save(path.with_suffix(".png"))
    palette.save(path.with_suffix(".gif"), transparency=3)
    for suffix in (".jpg", ".png", ".gif"):
        pixels = np.asarray(classify.prepared(path.with_suffix(suffix), asdict(how)))
        np.testing.assert_array_equal(pixels[..., None], apply(how, path.with_suffix(suffix)))


@pytest.mark.parametrize("file", [(), *[(name,) for name in FILES]])
def test_a_photo_gets_a_name(whole: Path, tmp_path: Path, file: tuple[str, ...]) -> None:
    Image.fromarray(noise(40, 50)).save(tmp_path / "photo.jpg")
    done = run(whole / CLASSIFY, tmp_path / "photo.jpg", *file, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    shares = [float(line.split()[0]) for line in lines]
    assert shares == sorted(shares, reverse=True)
    pixels = apply(contract("pillow", 8, 8, 1), tmp_path / "photo.jpg")
    best = LABELS[int(tiny.logits(pixels[None]).argmax())]
    assert lines[0].split("  ")[1] == best.encode("ascii", "backslashreplace").decode()


def test_what_is_no_photo_or_no_model_is_told(
    whole: Path, tmp_path: Path, without_litert: dict[str, str]
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"no photo")
    Image.fromarray(np.ones((9, 9), np.float32)).save(tmp_path / "wide.tiff")
    photo, script = tmp_path / "photo.jpg", whole / CLASSIFY
    for words, environment, line in (
        ((), {}, "python samples/python/classify.py PHOTO"),
        ((photo,), {}, "photo.jpg cannot be read as a photo"),
        ((tmp_path / "wide.tiff",), {}, "32-bit samples"),
        ((photo, "other.tflite"), {}, "other.tflite is no model file that this program opens"),
        (
            (photo,),
            without_litert,
            "needs ai-edge-litert, or tflite-runtime, or tensorflow, which is not",
        ),
    ):
        done = run(script, *words, **environment)
        assert (done.returncode, line in done.stderr) == (1, True), done.stderr


def test_a_model_that_its_runtime_does_not_open_is_told(bundle: Path, tmp_path: Path) -> None:
    Image.fromarray(noise(9, 9)).save(tmp_path / "photo.png")
    (bundle / FILES[0]).write_bytes(b"no model")
    done = run(bundle / CLASSIFY, tmp_path / "photo.png")
    assert (done.returncode, f"{FILES[0]}: the runtime here does not open it" in done.stderr) == (1, True)
