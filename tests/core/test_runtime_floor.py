"""The oldest runtimes that files are to run on, as users name them."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import UsageError
from resnet_edge.core.runtime_floor import RuntimeFloor, floors


def test_a_list_is_read() -> None:
    listed = floors("tflite>=2.5, onnxruntime >= 1.12.1,tflite_micro>=2024-07")
    assert [str(floor) for floor in listed] == [
        "tflite>=2.5",
        "onnxruntime>=1.12.1",
        "tflite_micro>=2024-07",
    ]
    assert [floor.format for floor in listed] == ["tflite", "onnx", "tflite"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tflite", "'tflite' names no oldest runtime"),
        ("tflite==2.5", "names no oldest runtime"),
        ("tflite>=2.5,", "'' names no oldest runtime"),
        ("coreml>=7", "no runtime is called 'coreml'; choose from: tflite, litert, "),
        ("tflite>=two", "'two' is no version of tflite"),
        ("tflite>=2.5.", "'2.5.' is no version of tflite"),
        ("onnxruntime>=1.12.0.1", "is no version of onnxruntime"),
        ("tflite_micro>=1.0", "'1.0' is no version of tflite_micro: write it as 2024 or 2024-07-02"),
        ("tflite>=2.5,tflite>=2.7", "tflite is named twice"),
    ],
)
def test_what_is_no_such_list_is_one_line(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        floors(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "version", "minimum", "holds"),
    [
        ("tflite", "2.5", "2.5", True),
        ("tflite", "2.5", "2.4", True),
        ("tflite", "2.9", "2.10", False),
        ("tflite", "2.5.1", "2.5", True),
        ("tflite_micro", "2024", "2023-12-31", True),
        ("tflite_micro", "2024", "2024-01-02", False),
        ("tflite_micro", "2024-09", "2024-08-31", True),
    ],
)
def test_a_minimum_is_compared_as_releases_are(name: str, version: str, minimum: str, holds: bool) -> None:
    assert RuntimeFloor(name=name, version=version).holds(minimum) is holds


@pytest.mark.parametrize("day", ["2024-13", "2024-00", "2024-12-32", "2024-13-45"])
def test_a_day_that_is_none(day: str) -> None:
    with pytest.raises(UsageError, match="is no version of tflite_micro"):
        floors(f"tflite_micro>={day}")
