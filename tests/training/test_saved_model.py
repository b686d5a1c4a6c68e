"""Tests of training.saved_model: what is said of a file that does not tell all by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.models import ModelRequest
from resnet_edge.training.saved_model import as_saved, lost_ranges_note, preprocessing_note

FACTS = ModelFacts(
    name="net",
    source="app:ResNet50",
    sha256="",
    parameters=1,
    macs=None,
    input_shape=(4, 4, 1),
    head=Head.of_classes(2, "logits"),
    class_names=(),
    preprocessing=PRESETS["caffe"],
)


def test_the_file_is_opened_with_the_preprocessing_that_the_name_stood_for() -> None:
    request = as_saved(ModelRequest("app:ResNet50", trust=True), FACTS, Path("out.keras"))
    assert (request.source, request.preprocess, request.trust) == ("out.keras", "caffe", True)
    request_ = as_saved(ModelRequest("net.keras", preprocess="own.json"), FACTS, Path("out.keras"))
    assert request_.preprocess == "own.json"


@pytest.mark.parametrize(("name", "said"), [("caffe", True), ("model", False), ("none", False)])
def test_pixels_that_are_prepared_outside_are_to_be_said_again(name: str, said: bool) -> None:
    notes = preprocessing_note(replace(FACTS, preprocessing=PRESETS[name]))
    assert any("say so again to `convert`" in note for note in notes) is said


def test_ranges_of_the_old_weights_are_not_those_of_the_new() -> None:
    assert lost_ranges_note(FACTS) == ()
    (note,) = lost_ranges_note(replace(FACTS, learned_ranges=True))
    assert note.endswith("run `qat` again")
