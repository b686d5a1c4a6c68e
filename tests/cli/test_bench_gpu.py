"""`bench` where a program imitates the GPU: nothing is timed on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.backends import tiny, vulkan
from tests.cli.conversion import Place


@pytest.fixture(autouse=True)
def imitation() -> None:
    if not all(adapter.is_software for adapter in vulkan.needed()):
        pytest.skip("this machine has a GPU")


def test_an_imitated_gpu_that_was_named_is_a_failure_in_one_line(tmp_path: Path) -> None:
    place = Place(tmp_path, "bench")
    tiny.write_tflite(place.here)
    words = ("--backends", "litert,litert:gpu", "--budget", "1", "--json")
    ended = place.run("fixed.tflite", *words)
    assert ended.code == 3
    report = json.loads(ended.out)
    assert {row["device"] for row in report["rows"]} == {"cpu"}
    (failure,) = report["failures"]
    assert (failure["backend"], failure["device"]) == ("litert", "gpu")
    assert "says nothing about a gpu" in failure["message"]
    assert len([line for line in ended.errors if "imitated by a program" in line]) == 1
    assert place.is_clean()
