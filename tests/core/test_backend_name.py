"""Names of backends, here and on other machines."""

from __future__ import annotations

import pytest

from resnet_edge.core.backend_name import (
    on_host,
    option_of,
    placed,
    runtime_of,
    split_host,
)


@pytest.mark.parametrize(
    ("text", "backend", "host"),
    [
        ("litert", "litert", ""),
        ("litert@pi4", "litert", "pi4"),
        ("LiteRT:gpu@pi@10.0.0.1:22", "LiteRT:gpu", "pi@10.0.0.1:22"),
        ("litert@pi@[fe80::1]:22", "litert", "pi@[fe80::1]:22"),
        ("tflite@2.7", "tflite@2.7", ""),
        ("tflite@2.7:cpu", "tflite@2.7:cpu", ""),
        ("tflite@2.7@pi4", "tflite@2.7", "pi4"),
        ("litert@", "litert", ""),
        ("litrt@pi4", "litrt@pi4", ""),
    ],
)
def test_a_host_follows_the_backend(text: str, backend: str, host: str) -> None:
    assert split_host(text) == (backend, host)


@pytest.mark.parametrize("name", ["litert", "litert:gpu", "litert@pi4", "litert:gpu@a@b:1"])
def test_the_runtime_is_the_file_of_the_room(name: str) -> None:
    assert runtime_of(name) == "litert"


@pytest.mark.parametrize(
    ("backend", "device", "option"),
    [
        ("litert", "cpu", "litert"),
        ("litert", "gpu", "litert:gpu"),
        ("litert@pi4", "cpu", "litert@pi4"),
        ("tflite@2.7@pi4", "cpu", "tflite@2.7@pi4"),
        ("onnxruntime@trainbox", "cuda", "onnxruntime:cuda@trainbox"),
    ],
)
def test_a_row_is_asked_for_again(backend: str, device: str, option: str) -> None:
    assert option_of(backend, device) == option


@pytest.mark.parametrize(
    ("word", "row"),
    [
        ("litert", ("litert", "cpu")),
        ("litert:gpu@pi4", ("litert@pi4", "gpu")),
        ("tflite@2.7@pi4", ("tflite@2.7@pi4", "cpu")),
    ],
)
def test_what_was_asked_for_as_rows_have_it(word: str, row: tuple[str, str]) -> None:
    assert placed(word) == row


def test_a_name_with_its_host() -> None:
    assert [on_host("litert", ""), on_host("litert", "pi4")] == ["litert", "litert@pi4"]
