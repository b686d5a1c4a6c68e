"""Which artifact is timed where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.benchmarking.candidates import candidates
from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.benchmarking.task import Offers
from resnet_edge.core import registry
from resnet_edge.core.errors import MissingDependency, UsageError

FILES = tuple(
    BenchFile(path=Path(f"a.{name}"), name=f"a.{name}", format=name, scheme=None)
    for name in ("onnx", "tflite")
)
OFFERS = {
    "litert": Offers(("tflite",), ("cpu", "gpu"), False),
    "litert_reference": Offers(("tflite",), ("cpu",), True),
    "onnxruntime": Offers(("onnx",), ("cpu",), False),
}


def ask(name: str) -> Offers:
    if name not in OFFERS:
        raise MissingDependency(f"{name} is not installed")
    return OFFERS[name]


def places(*words: str) -> list[tuple[str, str, str]]:
    return [(t.file, t.backend, t.device) for t in candidates(FILES, words, ask).targets]


def test_named_places_are_tried_as_named() -> None:
    assert places("litert:gpu", "onnxruntime", "litert_reference") == [
        ("a.onnx", "onnxruntime", "cpu"),
        ("a.tflite", "litert", "gpu"),
        ("a.tflite", "litert_reference", "cpu"),
    ]
    assert candidates(FILES, ("litert", "onnxruntime"), ask).named


def test_without_names_all_that_is_there_is_tried_but_what_is_for_parity_only() -> None:
    chosen = candidates(FILES, (), ask)
    assert places() == [
        ("a.onnx", "onnxruntime", "cpu"),
        ("a.tflite", "litert", "cpu"),
        ("a.tflite", "litert", "gpu"),
    ]
    assert not chosen.named
    missing = {one.backend: one.message for one in chosen.unopened}
    everyday = set(registry.names("backends")) - registry.declared("backends").keys()
    assert missing == {name: f"{name} is not installed" for name in everyday if name not in OFFERS}


def test_a_named_place_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(MissingDependency):
        places("openvino")


def test_a_file_that_no_named_backend_opens_is_an_error() -> None:
    with pytest.raises(UsageError, match="none of --backends litert opens a.onnx"):
        places("litert")


def test_a_file_of_a_folder_that_no_named_backend_opens_is_left_out() -> None:
    folder = tuple(replace(file, in_folder=True) for file in FILES)
    chosen = candidates(folder, ("litert",), ask)
    assert [target.file for target in chosen.targets] == ["a.tflite"]
    assert chosen.notes == ("none of --backends litert opens a.onnx: not timed",)
    with pytest.raises(UsageError, match="none of --backends litert opens a.onnx"):
        candidates(folder[:1], ("litert",), ask)


def test_a_model_that_a_folder_brought_needs_no_backend() -> None:
    model = BenchFile(path=Path("a.keras"), name="a.keras", format="keras", scheme=None, brought=True)
    chosen = candidates((FILES[1], model), ("litert",), ask)
    assert [target.file for target in chosen.targets] == ["a.tflite"]


def test_without_names_files_are_tried_where_they_were_proved_and_their_model_beside_them() -> None:
    model = BenchFile(path=Path("a.keras"), name="a.keras", format="keras", scheme=None, brought=True)
    started: list[str] = []

    def noting(name: str) -> Offers:
        started.append(name)
        return Offers(("keras",), ("cpu", "gpu"), False) if name == "keras" else ask(name)

    chosen = candidates((*FILES, model), (), noting, {("litert", "cpu")})
    assert [(t.file, t.backend, t.device) for t in chosen.targets] == [
        ("a.tflite", "litert", "cpu"),
        ("a.keras", "keras", "cpu"),
    ]
    assert not chosen.named, "what does not open is no failure"
    assert started == ["keras", "litert"], "nothing else is started"


def test_where_no_place_of_the_proof_is_here_all_are_tried() -> None:
    assert candidates(FILES, (), ask, {("openvino", "cpu")}).targets == candidates(FILES, (), ask).targets
