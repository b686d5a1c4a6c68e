"""verification/checks.py: what must hold of the files before and after they are verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from resnet_edge.core.artifact import Artifact, Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError, UsageError
from resnet_edge.core.results.explanation import Explanation, LayerFinding
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from resnet_edge.evaluation.job import Target
from resnet_edge.verification.checks import (
    check_expected,
    check_other,
    check_unchanged,
    clipped,
    fitting,
    transposed,
    unfed,
    ungolden,
)
from resnet_edge.verification.task import IdentifiedFiles
from tests.backends import tiny
from tests.verification.looking import facts, identified


def test_weights_in_another_file_are_a_part_of_it(apart: Path) -> None:
    before = identified(apart)
    weights = apart.parent / "weights.bin"
    assert before.beside == ((str(weights),),)
    assert before.artifacts[0].size_bytes == apart.stat().st_size + weights.stat().st_size
    check_unchanged(before)
    values = np.frombuffer(weights.read_bytes(), np.uint8).copy()
    values[40] ^= 1
    weights.write_bytes(values.tobytes())
    assert identified(apart).artifacts[0].sha256 != before.artifacts[0].sha256
    with pytest.raises(ArtifactError, match=r"apart\.onnx changed"):
        check_unchanged(before)


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
    file = IdentifiedFiles(
        artifacts=(artifact,),
        targets=(own,),
        min_sqnr_db=(1.0,),
        beside=((),),
        copies=("",),
        contents=("g",),
        failures=(),
    )
    with pytest.raises(UsageError, match="is the reference itself"):
        check_other(file, facts("a" * 64), "", FIRST_BACKEND)
    keras = replace(artifact, format="keras")  # has no first backend: the reference runs nowhere like it
    check_other(replace(file, artifacts=(keras,)), facts("a" * 64), "", FIRST_BACKEND)
    check_other(replace(file, targets=(other,)), facts("a" * 64), "", FIRST_BACKEND)
    check_other(
        IdentifiedFiles(
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
            IdentifiedFiles(
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
    (content,) = identified(tmp_path / "fixed.onnx", contents=True).contents
    files = identified(tmp_path / "other.onnx", contents=True)
    with pytest.raises(UsageError, match=r"other\.onnx is the reference itself"):
        check_other(files, facts("b" * 64), content, FIRST_BACKEND)


def image_file(path: str, shape: tuple[int | None, ...], classes: int | None = 3) -> Artifact:
    """An artifact that takes images of `shape`."""
    return Artifact(
        path=path,
        format="onnx",
        scheme="fp32",
        size_bytes=1,
        sha256="a" * 64,
        inputs=(TensorSpec("image", shape, "float32"),),
        outputs=(TensorSpec("scores", (1, classes), "float32"),),
    )


def together(*artifacts: Artifact) -> IdentifiedFiles:
    """What was found of them, each with its own number in every list."""
    numbers = range(len(artifacts))
    return IdentifiedFiles(
        artifacts=artifacts,
        targets=tuple((Target("onnxruntime", f"cpu:{n}"),) for n in numbers),
        min_sqnr_db=tuple(float(n) for n in numbers),
        beside=tuple((f"beside{n}",) for n in numbers),
        copies=tuple(f"copy{n}" for n in numbers),
        contents=tuple(f"content{n}" for n in numbers),
        failures=(),
    )


@pytest.mark.parametrize("shape", [(1, 4, 4, 1), (None, 4, 4, 1), (1, None, None, 1), (1, 1, 4, 4)])
@pytest.mark.parametrize("classes", [3, None])
def test_files_that_take_and_give_what_the_reference_does_stay(
    shape: tuple[int | None, ...], classes: int | None
) -> None:
    files = together(image_file("a.onnx", shape, classes))
    assert fitting(files, facts("")) is files


def test_one_that_does_not_fit_is_a_failure_and_the_others_keep_what_is_theirs() -> None:
    wide, other = image_file("wide.onnx", (1, 4, 4, 3)), image_file("other.onnx", (1, 4, 4, 1), 5)
    files = fitting(together(wide, image_file("good.onnx", (1, 4, 4, 1)), other), facts(""))
    assert [artifact.path for artifact in files.artifacts] == ["good.onnx"]
    assert (files.targets[0][0].device, files.min_sqnr_db) == ("cpu:1", (1.0,))
    assert (files.beside, files.copies, files.contents) == ((("beside1",),), ("copy1",), ("content1",))
    said = {failure.what: failure.message for failure in files.failures}
    assert said["wide.onnx"].startswith("takes images of 4x4x3 (NHWC), and net.tflite of 4x4x1: name the")
    assert said["other.onnx"].startswith("gives 5 scores per image, and net.tflite 3: name the model")


def test_where_none_fits_the_first_is_the_error() -> None:
    with pytest.raises(ArtifactError, match=r"^first\.onnx takes images of 9x9x1"):
        fitting(
            together(image_file("first.onnx", (1, 9, 9, 1)), image_file("second.onnx", (1, 8, 8, 1))),
            facts(""),
        )


def test_channels_first_are_told_and_given_so() -> None:
    files = together(image_file("a.onnx", (1, 1, 4, 4)), image_file("b.onnx", (1, 4, 4, 1)))
    (note,) = transposed(files, facts(""))
    assert note.startswith("a.onnx takes its channels first, 1x4x4 (NCHW): it is given the images so")


def test_a_report_that_speaks_of_another_file_is_no_promise() -> None:
    artifact = image_file("dist/a.onnx", (1, 4, 4, 1))
    check_expected((artifact,), {})
    check_expected((artifact,), {Path("dist/a.onnx"): artifact.sha256, Path("a.onnx"): "other"})
    with pytest.raises(ArtifactError, match=r"dist/a\.onnx is not the file that the report beside it speaks"):
        check_expected((artifact,), {Path("dist/a.onnx"): "b" * 64})


def test_a_file_that_is_gone_has_changed(apart: Path) -> None:
    before = identified(apart)
    (apart.parent / "weights.bin").unlink()
    with pytest.raises(ArtifactError, match=r"apart\.onnx changed while it was being verified"):
        check_unchanged(before)


def test_what_is_left_out_of_golden_vectors_is_told_once() -> None:
    assert ungolden([]) == ()
    (note,) = ungolden(["a.onnx", "b.onnx", "a.onnx"])
    assert note.startswith("a.onnx, b.onnx takes prepared pixels")
