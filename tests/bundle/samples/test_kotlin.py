"""The samples in Kotlin: all of them compiled, and what needs no Android run on a JVM.

ONNX Runtime's part is compiled against its own classes. The others (Android, LiteRT, MediaPipe, Play
services, androidx.test) are in no package that can be had here: they are compiled against the signatures in
stubs/, written down from the sources and references named there, with the commits that were read. That proves
the syntax, and the agreement with these signatures, and no more: nothing here ran on Android.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.bundle.samples import kotlin
from resnet_edge.data.resize import apply
from tests.backends import tiny
from tests.bundle.samples import bundles, kotlin_compiler
from tests.bundle.samples.bundles import BACKENDS, changed, sha256
from tests.bundle.samples.kotlin_compiler import Kotlin
from tests.bundle.samples.photos import cases

pytestmark = pytest.mark.slow

STUBS = Path(__file__).parent / "stubs"
HARNESS = "resnetedge.HarnessKt"
FILES = ("litert/fixed.tflite", "android-tasks/uint8.tflite", "onnx/fixed.onnx", "mcu/int8.tflite")


def stubs(folder: Path) -> list[Path]:
    """The signatures as files of source: each of the stubs' texts holds several."""
    paths = []
    for text in sorted(STUBS.glob("*.txt")):
        parts = re.split(r"^# ---- (.+)$", text.read_text("utf-8"), flags=re.MULTILINE)
        for path, source in zip(parts[1::2], parts[2::2], strict=True):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(source, "utf-8")
            paths.append(folder / path)
    return paths


@pytest.fixture(scope="module")
def compiler() -> Kotlin:
    return Kotlin()


@pytest.fixture(scope="module")
def android(tmp_path_factory: pytest.TempPathFactory, artifacts: Path) -> Path:
    """A bundle with files of every profile."""
    folder = tmp_path_factory.mktemp("android") / "bundle"
    folder.mkdir()
    bundles.write(folder, artifacts, FILES)
    return folder


@pytest.fixture(scope="module")
def built(
    compiler: Kotlin, android: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Path]]:
    """Everything compiled, once: the folder of the classes, and the sources."""
    folder = tmp_path_factory.mktemp("kotlin")
    sources = [*sorted(android.glob("samples/kotlin/*.kt")), android / "selftest/android/GoldenTest.kt"]
    assert len(sources) == 7 + 1
    sources += [STUBS / "Harness.kt", *stubs(folder / "stubs")]
    if not kotlin_compiler.ort_classes().is_file():
        pytest.skip(f"the classes of ONNX Runtime are not there: {kotlin_compiler.install_command()}")
    code, said = compiler.compile(sources, folder / "classes", kotlin_compiler.ort_classes())
    assert code == 0, said
    return folder / "classes", sources


def test_all_of_it_compiles_without_a_warning(built: tuple[Path, list[Path]]) -> None:
    names = {path.stem for path in (built[0] / "resnetedge").glob("*.class")}
    assert names >= {"LiteRtModel", "TasksModel", "OrtModel", "AccelerationKt", "PhotoKt", "GoldenTest"}


def test_a_call_that_is_not_there_does_not_compile(
    compiler: Kotlin, built: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    """One wrong method in the part for ONNX Runtime, against its own classes."""
    classes, sources = built
    source = next(path for path in sources if path.name == "OrtModel.kt").read_text("utf-8")
    wrong = tmp_path / "OrtModel.kt"
    wrong.write_text(source.replace("createSession(", "openSession("))
    code, said = compiler.compile([wrong], tmp_path / "out", kotlin_compiler.ort_classes(), classes)
    assert (code != 0, "unresolved reference 'openSession'" in said) == (True, True), said


def test_pixels_are_those_of_the_reference(
    compiler: Kotlin, built: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    wanted: dict[Path, NDArray[np.uint8]] = {}
    lines = []
    for number, (how, photo) in enumerate(cases()):
        path, (height, width) = tmp_path / str(number), photo.shape[:2]
        rgba = np.dstack([photo, np.full((height, width), 255, np.uint8)])
        path.with_suffix(".rgba").write_bytes(rgba.tobytes())
        path.with_suffix(".json").write_text(json.dumps(asdict(how)))
        lines.append(f"{path} {width} {height}")
        wanted[path] = apply(how, Image.fromarray(photo))
    (tmp_path / "cases").write_text("\n".join(lines))
    code, said = compiler.run(built[0], HARNESS, "prepare", str(tmp_path / "cases"))
    assert code == 0, said
    assert len(wanted) > 100
    for path, pixels in wanted.items():
        output = path.with_suffix(".out").read_bytes()
        assert output == pixels.tobytes(), path.with_suffix(".json").read_text()


def recorded(bundle: Path, name: str) -> None:
    """What a file really gives for the golden images, for the harness."""
    pixels = tiny.pixels(4)
    with BACKENDS[Path(name).suffix[1:]].open_session(bundle / name, "cpu", 1) as session:
        rows = [session.run(bundles.tensor(image, session.input)[None]) for image in pixels]
    (bundle / "outputs.txt").write_text("\n".join(row.tobytes().hex() for row in rows))


@pytest.fixture
def spoilt(android: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, to spoil."""
    return Path(shutil.copytree(android, tmp_path / "bundle"))


@pytest.mark.parametrize("name", FILES)
def test_golden_images_pass(
    compiler: Kotlin, built: tuple[Path, list[Path]], spoilt: Path, name: str
) -> None:
    """Float32, uint8 and int8 tensors, by their hashes, and what comes out."""
    recorded(spoilt, name)
    code, said = compiler.run(built[0], HARNESS, "selftest", str(spoilt), name, "litert")
    assert (code, len(said.splitlines())) == (0, 1), said
    scores = bundles.scores_of(spoilt, 0)[0]
    best = int(scores.argmax())
    share = float(np.exp(scores - scores.max())[best] / np.exp(scores - scores.max()).sum())
    label, shown_share = said.split(",")[0].rsplit(" ", 1)
    assert label == bundles.LABELS[best]
    assert abs(float(shown_share) - share) < 0.05


def test_what_is_off_is_told(compiler: Kotlin, built: tuple[Path, list[Path]], spoilt: Path) -> None:
    """An output, an input, a picture, a model file; and nothing to compare is no success."""
    name = FILES[0]
    recorded(spoilt, name)
    picture = spoilt / "golden/images/02.png"
    Image.fromarray(tiny.pixels(1, seed=9)[0, ..., 0]).save(picture)
    (spoilt / "golden/images/03.png").unlink()

    def spoil(golden: Any) -> None:
        golden["images"][2]["sha256"] = sha256(picture.read_bytes())
        golden["files"][0]["tolerances"].append({"runtime": "gpu", "max_abs": 1e9, "reason": "none"})

    scores = bundles.scores_of(spoilt, 0)
    scores[1, 3] += 0.01
    scores[0] = scores[0, ::-1].copy()
    bundles.with_scores(spoilt, 0, scores)
    changed(spoilt, spoil)
    _, said = compiler.run(built[0], HARNESS, "selftest", str(spoilt), name, "litert")
    assert "golden/images/01.png: the OUTPUT is off: a score by 0.0100, and 0.000100 is allowed" in said
    assert "golden/images/02.png: the INPUT is off: this code makes another tensor of it than it must" in said
    assert "golden/images/03.png: the picture is missing or not the one of the bundle" in said
    assert said.count("golden/images") == 4
    _, said = compiler.run(built[0], HARNESS, "selftest", str(spoilt), name, "gpu")
    assert "golden/images/00.png: the OUTPUT is off: the answer is another" in said
    assert "golden/images/01.png" not in said
    (spoilt / name).unlink()
    _, said = compiler.run(built[0], HARNESS, "selftest", str(spoilt), name, "litert")
    assert "the model file is missing or not the one of the bundle" in said
    changed(spoilt, lambda golden: golden.update(images=[]))
    _, said = compiler.run(built[0], HARNESS, "selftest", str(spoilt), name, "litert")
    assert "FAILED: there is no golden image: nothing was compared" in said


@pytest.mark.parametrize(
    ("names", "without"),
    [
        (("litert/fixed.tflite",), ("TasksModel", "OrtModel", "MediaPipe", "onnx")),
        (("onnx/fixed.onnx",), ("TasksModel", "LiteRtModel", "Acceleration", "Accelerator")),
    ],
)
def test_a_bundle_has_what_opens_its_files(
    tmp_path: Path, artifacts: Path, names: tuple[str, ...], without: tuple[str, ...]
) -> None:
    texts = kotlin.render(bundles.write(tmp_path / "b", artifacts, names))
    selftest = texts["selftest/android/GoldenTest.kt"]
    assert "// @" not in selftest
    assert not [word for word in without if word in selftest or any(word in path for path in texts)]
    assert kotlin.render(bundles.write(tmp_path / "c", artifacts, ("mcu/int8.tflite",))) == {}
