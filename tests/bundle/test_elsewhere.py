"""bundle/elsewhere.py: where a file is proved beside its profile's runtimes. The timing on a real host is in
tests/cli/test_hosts.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from resnet_edge.bundle.elsewhere import check_opens, targets
from resnet_edge.bundle.task import MadeFile
from resnet_edge.core.errors import UsageError
from resnet_edge.evaluation.job import Offer, Target
from tests.bundle.test_runtime_agreement import FILE

MODEL_FILE = MadeFile(FILE, ("litert", "litert_js"), ())


def offer(word: str, backend: str, device: str = "cpu", format: str = "tflite") -> Offer:
    return Offer(
        word=word,
        target=Target(backend, device),
        formats=(format,),
        workers=1,
        version="1",
        machine={},
    )


def test_what_is_named_comes_behind_the_runtimes_of_the_profile_and_once() -> None:
    named = [
        offer("litert@pi4", "litert@pi4"),
        offer("litert", "litert"),
        offer("litert:gpu", "litert", "gpu"),
        offer("onnxruntime@pi4", "onnxruntime@pi4", format="onnx"),
    ]
    assert targets(MODEL_FILE, named) == [
        Target("litert", "cpu"),
        Target("litert_js", "cpu"),
        Target("litert@pi4", "cpu"),
        Target("litert", "gpu"),
    ]


def test_a_backend_that_opens_nothing_of_the_bundle_is_refused() -> None:
    onnx = replace(MODEL_FILE, file=replace(FILE, format="onnx"))
    check_opens([MODEL_FILE, onnx], [offer("litert@pi4", "litert@pi4")])
    with pytest.raises(UsageError, match=r"litert@pi4 opens tflite, and the bundle holds onnx: leave it out"):
        check_opens([onnx], [offer("litert@pi4", "litert@pi4")])
