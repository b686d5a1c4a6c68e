"""Backends that are data: what they say of themselves, and what they refuse before a runtime starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.backends._declared import KINDS, PinnedBackend
from resnet_edge.backends._pinned_environment import PinnedRuntime, runtimes
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable
from tests.backends import tiny


def backend(runtime: str) -> PinnedBackend:
    """One whose environment is not there."""
    pinned = PinnedRuntime(
        name=f"{runtime}@1", title=f"{runtime} 1", runtime=runtime, python=("3.11",), requirements=("x==1.0",)
    )
    return PinnedBackend(pinned=pinned)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    tiny.write_onnx(folder)
    return folder


def test_every_pinned_runtime_is_of_a_known_kind() -> None:
    assert {pinned.runtime for pinned in runtimes().values()} <= set(KINDS)
    for pinned in runtimes().values():
        backend = PinnedBackend(pinned=pinned)
        assert {KINDS[pinned.runtime].format} == backend.FORMATS
        assert backend.FOR_PARITY_ONLY
        assert backend.version() == pinned.version


@pytest.mark.parametrize(
    ("runtime", "file", "words"),
    [
        ("opencv", "uint8.onnx", "takes or gives uint8, and opencv 1 only float32: convert it to that"),
        ("opencv", "dynamic.onnx", "takes any number of images .* convert without --dynamic-batch"),
        ("opencv", "gone.onnx", "is not a file"),
    ],
)
def test_what_it_cannot_take_is_told_before_it_starts(
    folder: Path, runtime: str, file: str, words: str
) -> None:
    with (
        pytest.raises(ArtifactError, match=rf"{file} {words}"),
        backend(runtime).open_session(folder / file, "cpu", 1),
    ):
        pass


def test_it_runs_on_the_processor_alone(folder: Path) -> None:
    with (
        pytest.raises(DeviceUnavailable, match=r"opencv@1 has no device 'gpu' \(its wheel is for the CPU\)"),
        backend("opencv").open_session(folder / "fixed.onnx", "gpu", 1),
    ):
        pass
