"""What `inspect` refuses by the name alone, and what metadata are taken for; tests/cli runs it whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata, ScoreOutput
from resnet_edge.core.results.inspection import Inspection
from resnet_edge.inspection.inspect import _class_names, _takes_pixels, inspect


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.onnx", r"gone\.onnx is not there: name a file \(\.tflite, \.onnx, \.ort\)"),
        ("net.keras", r"net\.keras is no TFLite or ONNX file: convert it first"),
        ("notes.txt", r"notes\.txt is no TFLite or ONNX file: inspect reads \.tflite, \.onnx, \.ort"),
        ("empty.TFLITE", r"empty\.TFLITE is empty: copy or convert it again"),
        ("dist", r"dist is a folder: name one of a\.onnx, b\.tflite"),
        ("photos", r"photos is a folder: name a file \(\.tflite"),
    ],
)
def test_what_is_no_model_file_is_refused_without_a_worker(tmp_path: Path, name: str, message: str) -> None:
    for file in ("net.keras", "notes.txt", "dist/b.tflite", "dist/a.onnx", "photos/1.png"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(b"content")
    (tmp_path / "empty.TFLITE").touch()
    with pytest.raises(ArtifactError, match=message):
        inspect(tmp_path / name)


IMAGE = ImageInput(
    name="image", description="", width=8, height=8, colour_space="GRAYSCALE", mean=(0.0,), std=(1.0,)
)
SCORES = ScoreOutput(name="scores", description="", labels=())


def inspection_with(
    dtype: str = "float32", image: ImageInput | None = IMAGE, labels: tuple[LabelFile, ...] = ()
) -> Inspection:
    metadata = None
    if image is not None:
        metadata = ModelMetadata(
            name="net",
            description="",
            version="",
            author="",
            license="",
            image=image,
            scores=replace(SCORES, labels=labels),
        )
    return Inspection(
        file="net.tflite",
        format="tflite",
        size_bytes=1,
        sha256="",
        made_by=(),
        inputs=(TensorSpec("image", (1, 8, 8, 1), dtype),),
        outputs=(),
        ops=None,
        parameter_bytes=None,
        metadata=metadata,
    )


@pytest.mark.parametrize(
    ("inspection", "pixels"),
    [
        (inspection_with(), True),
        (inspection_with(image=replace(IMAGE, mean=(127.5,), std=(127.5,))), False),
        (inspection_with(image=replace(IMAGE, mean=(), std=())), None),
        (inspection_with("uint8"), None),
        (inspection_with(image=None), None),
    ],
)
def test_metadata_tell_whether_a_float_input_takes_pixels(
    inspection: Inspection, pixels: bool | None
) -> None:
    assert _takes_pixels(inspection) is pixels


def test_the_labels_without_a_language_come_before_those_with_one() -> None:
    german, plain = LabelFile("de.txt", ("Hund",), "de"), LabelFile("labels.txt", ("dog",))
    assert _class_names(inspection_with(labels=(german, plain))) == ("dog",)
    assert _class_names(inspection_with(labels=(german,))) == ("Hund",)
    assert _class_names(inspection_with()) == _class_names(inspection_with(image=None)) == ()
