"""golden/golden.json, which programs in other languages read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.image_contract import contract
from resnet_edge.core.results.bundle import (
    BundledFile,
    BundleFacts,
    Golden,
    GoldenImage,
    GoldenScores,
    RuntimeTolerance,
)
from resnet_edge.report.bundle.golden import golden_json

PIXELS = TensorSpec("image", (1, 8, 8, 1), "uint8", Quantization((1.0,), (0,)))
LOGITS = TensorSpec("logits", (1, 2), "float32")
FILE = BundledFile(
    path="litert/x.int8.tflite",
    profile="litert",
    format="tflite",
    scheme="int8",
    size_bytes=7,
    sha256="aa",
    input=PIXELS,
    output=LOGITS,
    scores="logits",
    source="x.tflite",
    source_sha256="bb",
)
SCORES = GoldenScores(
    file=FILE.path,
    inputs_sha256=("cc", "dd"),
    scores="golden/scores/x.bin",
    scores_sha256="ab",
    tolerances=(RuntimeTolerance("default", 0.1, "é"),),
)
IMAGES = (GoldenImage("golden/images/00.png", "ee", 1), GoldenImage("golden/images/01.png", "ff", None))
FACTS = BundleFacts(
    name="x",
    title="X",
    labels=("Äpfel", '東 "京"'),
    image=contract("pillow", 8, 8, 1),
    files=(FILE,),
    golden=Golden(IMAGES, (SCORES,)),
)


def strict(text: bytes) -> Any:
    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text.decode("utf-8"), parse_constant=no_constant)


def test_it_says_all_that_a_self_test_needs() -> None:
    assert strict(golden_json(FACTS)) == {
        "schema": 2,
        "model": "x",
        "labels": ["Äpfel", '東 "京"'],
        "images": [
            {"path": "golden/images/00.png", "sha256": "ee", "label": 1},
            {"path": "golden/images/01.png", "sha256": "ff", "label": None},
        ],
        "files": [
            {
                "file": "litert/x.int8.tflite",
                "sha256": "aa",
                "kind": "logits",
                "threshold": None,
                "head": "classes",
                "thresholds": [],
                "input": {"dtype": "uint8", "shape": [1, 8, 8, 1], "scale": 1.0, "zero_point": 0},
                "output": {"dtype": "float32", "shape": [1, 2], "scale": None, "zero_point": None},
                "inputs_sha256": ["cc", "dd"],
                "scores": "golden/scores/x.bin",
                "scores_sha256": "ab",
                "tolerances": [{"runtime": "default", "max_abs": 0.1, "reason": "é"}],
            }
        ],
    }


def test_its_bytes_are_the_same_each_time() -> None:
    text = golden_json(FACTS)
    assert text == golden_json(replace(FACTS))
    assert text.startswith(b'{\n "schema": 2,\n "model": "x",\n')
    assert text.endswith(b"}\n")
    assert "東".encode() in text
