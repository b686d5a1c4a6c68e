"""Names of backends, here and on other machines."""

from __future__ import annotations

import pytest

from resnet_edge.core.backend_name import on_host, runtime_of, split_host


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


def test_a_name_with_its_host() -> None:
    assert [on_host("litert", ""), on_host("litert", "pi4")] == ["litert", "litert@pi4"]
