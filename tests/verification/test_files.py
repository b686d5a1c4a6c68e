"""verification/files.py and verify_checks.py: what the files are, and what must hold of them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from resnet_edge.core.artifact import Artifact, Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError, UsageError
from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.explanation import Explanation, LayerFinding
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.evaluation.job import Target
from resnet_edge.verification.checks import check_other, check_unchanged, clipped, unfed
from resnet_edge.verification.files import look
from resnet_edge.verification.task import IdentifyFiles, Looked
from resnet_edge.workers.progress import silent
from tests.backends import tiny

BACKENDS = ("litert", "onnxruntime")


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    """An ONNX file whose weights are in another file."""
    tiny.write_onnx(tmp_path)
    model = onnx.load(tmp_path / "fixed.onnx")
    path = tmp_path / "apart.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path


def looked(*paths: Path, contents: bool = False) -> Looked:
    formats = tuple(path.suffix[1:] for path in paths)
    folder = tempfile.mkdtemp(dir=paths[0].parent)
    return look(
        IdentifyFiles(
            paths=tuple(map(str, paths)), formats=formats, backends=BACKENDS, folder=folder, contents=contents
        ),
        silent,
    )


def test_weights_in_another_file_are_a_part_of_it(apart: Path) -> None:
    before = looked(apart)
    weights = apart.parent / "weights.bin"
    assert before.beside == ((str(weights),),)
    assert before.artifacts[0].size_bytes == apart.stat().st_size + weights.stat().st_size
    check_unchanged(before)
    values = np.frombuffer(weights.read_bytes(), np.uint8).copy()
    values[40] ^= 1
    weights.write_bytes(values.tobytes())
    assert looked(apart).artifacts[0].sha256 != before.artifacts[0].sha256
    with pytest.raises(ArtifactError, match=r"apart\.onnx changed"):
        check_unchanged(before)


def test_what_is_no_artifact_stops_no_other(apart: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no protobuf")
    found = looked(bad, apart)
    assert [Path(one.path).name for one in found.artifacts] == ["apart.onnx"]
    assert len(found.targets) == len(found.min_sqnr_db) == len(found.beside) == 1
    assert [failure.what for failure in found.failures] == ["bad.onnx"]
    with pytest.raises(ArtifactError, match=r"bad\.onnx"):
        looked(bad)
    with pytest.raises(ArtifactError, match=r"bad\.onnx"):
        looked(bad, bad)


def facts(sha256: str) -> ModelFacts:
    return ModelFacts(
        name="net",
        source="net.tflite",
        sha256=sha256,
        parameters=0,
        macs=None,
        input_shape=(4, 4, 1),
        head=Head.of_classes(3, "logits"),
        class_names=(),
        preprocessing=PRESETS["model"],
    )


def test_a_file_against_itself_is_refused_but_on_another_backend() -> None:
    artifact = Artifact(
        path="net.tflite",
        format="tflite",
        scheme="fp32",
        size_bytes=1,
        sha256="a" * 64,
        inputs=(),
        outputs=(),
    )
    own, other = (Target("litert", "cpu"),), (Target("litert", "cpu"), Target("openvino", "cpu"))
    with pytest.raises(UsageError, match="is the reference itself"):
        check_other(
            Looked(
                artifacts=(artifact,),
                targets=(own,),
                min_sqnr_db=(1.0,),
                beside=((),),
                copies=("",),
                contents=("g",),
                failures=(),
            ),
            facts("a" * 64),
            "",
            FIRST_BACKEND,
        )
    check_other(
        Looked(
            artifacts=(artifact,),
            targets=(other,),
            min_sqnr_db=(1.0,),
            beside=((),),
            copies=("",),
            contents=("g",),
            failures=(),
        ),
        facts("a" * 64),
        "",
        FIRST_BACKEND,
    )
    check_other(
        Looked(
            artifacts=(artifact,),
            targets=(own,),
            min_sqnr_db=(1.0,),
            beside=((),),
            copies=("",),
            contents=("g",),
            failures=(),
        ),
        facts("b" * 64),
        "",
        FIRST_BACKEND,
    )
    with pytest.raises(UsageError, match="is the reference itself"):
        check_other(
            Looked(
                artifacts=(artifact,),
                targets=(own,),
                min_sqnr_db=(1.0,),
                beside=((),),
                copies=("",),
                contents=("g",),
                failures=(),
            ),
            facts("b" * 64),
            "g",
            FIRST_BACKEND,
        )


def explained(cause: str) -> Explanation:
    finding = LayerFinding(
        layer="conv",
        reference_layer="conv",
        order=0,
        cause=cause,
        sentence="its weights are 255 times those",
        certain=True,
    )
    return Explanation(
        artifact="net.onnx", n=0, layers=1, compared=1, findings=(finding,), trace=(), remarks=()
    )


def test_files_that_take_no_pixels_are_told_how_to_say_so() -> None:
    (note,) = unfed([explained("rescaled")], "net.keras")
    assert "net.onnx" in note
    assert "--feed preprocessed" in note
    assert unfed([explained("padding")], "net.keras") == ()


def test_an_input_that_holds_no_pixels_is_told(tmp_path: Path) -> None:
    """Of int16, scaled for 0 to 1: nearly all pixels are clipped to white."""

    def artifact(*inputs: TensorSpec) -> Artifact:
        return Artifact(
            path=str(tmp_path / "net.tflite"),
            format="tflite",
            scheme="int16x8",
            size_bytes=1,
            sha256="",
            inputs=inputs,
            outputs=inputs,
        )

    unit = TensorSpec("image", (1, 8, 8, 3), "int16", Quantization((1 / 32767,), (0,)))
    (note,) = clipped([artifact(unit)], "net.keras")
    assert note.startswith("the input of net.tflite (int16) holds nothing above 1, ")
    assert "--feed preprocessed" in note
    pixels = replace(unit, quantization=Quantization((255 / 32767,), (0,)))
    assert clipped([artifact(pixels), artifact()], "net.keras") == ()


def test_the_reference_with_another_comment_is_the_reference(tmp_path: Path) -> None:
    tiny.write_onnx(tmp_path)
    model = onnx.load(tmp_path / "fixed.onnx")
    model.doc_string = "another file"
    onnx.save(model, tmp_path / "other.onnx")
    (content,) = looked(tmp_path / "fixed.onnx", contents=True).contents
    found = looked(tmp_path / "other.onnx", contents=True)
    with pytest.raises(UsageError, match=r"other\.onnx is the reference itself"):
        check_other(found, facts("b" * 64), content, FIRST_BACKEND)


def test_what_is_wrong_is_told_of_the_file_that_people_know(tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"odd")
    with pytest.raises(ArtifactError, match="bad") as caught:
        looked(tmp_path / "bad.tflite")
    assert str(tmp_path / "bad.tflite") in str(caught.value)
