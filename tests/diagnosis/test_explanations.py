"""Which artifacts are looked into, and what becomes of those that could not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import ArtifactError, OutputError
from resnet_edge.diagnosis.explanations import Explainer, Explanations
from resnet_edge.workers.progress import silent
from tests.diagnosis.judgements import IMAGES, ended, judged


def explainer(logs: Path) -> Explainer:
    return Explainer(ended(logs), IMAGES, None, silent)


def never() -> str:
    raise AssertionError("no float graph is needed")


def full() -> str:
    raise OutputError("the disk is full")


def unknown() -> str:
    raise ArtifactError("the model has an operation that is not known")


def test_files_of_other_formats_need_no_float_graph(tmp_path: Path) -> None:
    given = [judged("net.keras", verdict="fail")]
    assert explainer(tmp_path).explain(given, never) == Explanations()


def test_without_a_float_graph_all_is_one_note(tmp_path: Path) -> None:
    explanations = explainer(tmp_path).explain([judged(), judged("net.tflite")], unknown)
    assert explanations == Explanations(
        notes=("layers are not compared: the model has an operation that is not known",)
    )


def test_a_full_disk_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the disk is full"):
        explainer(tmp_path).explain([judged()], full)


def test_a_worker_that_breaks_is_a_failure_of_each_file_once(tmp_path: Path) -> None:
    """A file that was not compared is not proved, whatever its outputs are."""
    given = [judged(), judged(backend="openvino"), judged("net.tflite", backend="litert")]
    explanations = explainer(tmp_path).explain(given, lambda: "float.tflite")
    assert [each.what for each in explanations.failures] == [
        "the layers of net.onnx",
        "the layers of net.tflite",
    ]
    assert {each.message for each in explanations.failures} == {"layers: the run is over"}
    assert (explanations.explanations, explanations.notes) == ((), ())
