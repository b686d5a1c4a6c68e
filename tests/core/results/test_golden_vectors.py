from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.results.golden_vectors import (
    GoldenArtifact,
    GoldenRun,
    GoldenTolerance,
    GoldenVectors,
    faults,
)

ANY = GoldenTolerance(
    backend="", device="", expected=0, max_abs=2.0, steps=8, near_ties=(1,), reason="measured"
)
ON_CPU = replace(ANY, device="cpu", max_abs=1.0)
NAMED = replace(ANY, backend="litert", device="cpu", max_abs=0.5)
ARTIFACT = GoldenArtifact(
    file="net.int8.tflite",
    sha256="a" * 64,
    format="tflite",
    scheme="int8",
    runs=(GoldenRun("litert", "cpu"),),
    tolerances=(NAMED, ON_CPU, ANY),
    step=(0.1,),
)
SOUND = GoldenVectors(
    model="net",
    model_sha256="b" * 64,
    data="photos",
    data_sha256="c" * 64,
    output="logits",
    image_shape=(8, 8, 3),
    classes=3,
    class_names=("a", "b", "c"),
    rows=(4, 9),
    labels=(0, 2),
    artifacts=(ARTIFACT,),
)


def of_artifact(**changes: Any) -> GoldenVectors:
    return replace(SOUND, artifacts=(replace(ARTIFACT, **changes),))


def test_the_first_tolerance_that_fits_counts() -> None:
    assert ARTIFACT.tolerance("litert", "cpu") is NAMED
    assert ARTIFACT.tolerance("openvino", "cpu") is ON_CPU
    assert ARTIFACT.tolerance("litert", "gpu") is ANY


def test_nothing_is_wrong_with_a_sound_file() -> None:
    assert list(faults(SOUND)) == []


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        (replace(SOUND, rows=(), labels=()), "no image"),
        (replace(SOUND, classes=1), "no image classifier"),
        (replace(SOUND, image_shape=(8, 0, 3)), "no image classifier"),
        (replace(SOUND, class_names=("a",)), "names 1 of 3 classes"),
        (replace(SOUND, labels=(0,)), "1 labels for 2 images"),
        (replace(SOUND, labels=(0, 3)), "a label is out of range"),
        (replace(SOUND, artifacts=()), "no artifact"),
        (replace(SOUND, artifacts=(ARTIFACT, ARTIFACT)), "the same file"),
        (of_artifact(sha256="A" * 64), "SHA-256"),
        (of_artifact(runs=()), "no outputs"),
        (of_artifact(step=(0.0,)), "quantization step"),
        (of_artifact(step=(0.1, 0.1)), "quantization step"),
        (of_artifact(step=None), "counts steps"),
        (of_artifact(output=Quantization((0.1, 0.2), (0, 0))), "a quantization that is none"),
        (of_artifact(output=Quantization((-0.1,), (0,))), "a quantization that is none"),
        (of_artifact(input=Quantization((0.1,), (1 << 70,))), "a quantization that is none"),
        (of_artifact(tolerances=(NAMED,)), "backends that are not named"),
        (of_artifact(tolerances=(replace(ANY, expected=1),)), "belongs to no outputs"),
        (of_artifact(tolerances=(replace(ANY, expected=-1),)), "belongs to no outputs"),
        (of_artifact(tolerances=(replace(ANY, max_abs=float("inf")),)), "no positive number"),
        (of_artifact(tolerances=(replace(ANY, max_abs=float("nan")),)), "no positive number"),
        (of_artifact(tolerances=(replace(ANY, steps=-1),)), "no positive number"),
        (of_artifact(tolerances=(replace(ANY, near_ties=(2,)),)), "no image of the file"),
    ],
)
def test_what_cannot_be_meant_is_told(vectors: GoldenVectors, words: str) -> None:
    assert any(words in fault for fault in faults(vectors)), list(faults(vectors))
