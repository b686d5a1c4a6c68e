"""What the package says that it needs."""

from __future__ import annotations

import sys

import pytest
from packaging.requirements import Requirement

from resnet_edge.core.errors import MissingDependency, UsageError
from resnet_edge.core.packages import BASE
from resnet_edge.hosts import requirements


def names(lines: list[Requirement]) -> set[str]:
    return {each.name for each in lines}


def test_the_base_is_that_of_the_package() -> None:
    needs = requirements.read()
    assert {each.name for each in needs.base} == {*BASE} - {"resnet-edge"}
    assert needs.python <= sys.version_info[:2]


def test_backends_bring_their_extras_and_what_these_name() -> None:
    needs = requirements.read()
    assert names(needs.of_backends(("litert",))) >= {"ai-edge-litert", "flatbuffers", "numpy"}
    assert "onnxruntime" not in names(needs.of_backends(("litert",)))
    assert names(needs.of_backends(("iree",))) >= {"iree-base-runtime", "onnx"}  # by resnet-edge[onnx]


def test_what_cannot_be_brought_is_refused() -> None:
    needs = requirements.read()
    with pytest.raises(UsageError, match="litert_js is no package of pip's of its own.*litert"):
        needs.of_backends(("litert_js",))


def test_the_metadata_of_an_install_says_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    clone = requirements.read()
    monkeypatch.setattr(
        requirements, "PACKAGE", requirements.PACKAGE / "core"
    )  # beside which there is no project
    installed = requirements.read()
    assert clone.python == installed.python
    for extra in ("litert", "onnxruntime"):
        assert {*map(str, clone.extras[extra])} == {
            str(Requirement(str(each).partition(";")[0])) for each in installed.extras[extra]
        }
    assert {each.name for each in installed.base} >= {"numpy", "msgspec"}


def test_what_is_not_installed_here_has_no_version() -> None:
    with pytest.raises(MissingDependency, match="no-such-runtime is not installed here"):
        requirements.installed(Requirement("no-such-runtime>=2"))


def test_a_gpu_has_a_distribution_in_place_of_the_one_of_the_processor() -> None:
    needs = requirements.read()
    by_name = {
        each.name: each for each in needs.of_backends(("litert:gpu", "onnxruntime:cuda", "onnxruntime"))
    }
    assert "onnxruntime" not in by_name
    gpu = by_name["onnxruntime-gpu"]
    here = requirements.installed(Requirement("onnxruntime"))
    assert (gpu.extras, requirements.pinned(gpu)) == ({"cuda", "cudnn"}, f"onnxruntime-gpu<={here}")
    assert requirements.pinned(by_name["numpy"]) == f"numpy=={requirements.installed(by_name['numpy'])}"


def test_a_device_that_no_wheel_brings_is_refused() -> None:
    with pytest.raises(UsageError, match="onnxruntime:tensorrt: no wheel brings .*onnxruntime:cuda"):
        requirements.read().of_backends(("onnxruntime:tensorrt",))
