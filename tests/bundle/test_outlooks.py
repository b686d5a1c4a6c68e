"""bundle/outlooks.py, before the accelerators' own tools."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.bundle.delegates._vela_environment import ENVIRONMENT
from resnet_edge.bundle.outlooks import ask
from resnet_edge.bundle.task import ForetellDelegates, MadeFile
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ArtifactError, MissingDependency
from resnet_edge.core.results.bundle import BundledFile
from resnet_edge.formats.tflite import describe
from resnet_edge.workers.progress import silent
from tests.backends import tiny


def model_file(folder: Path, delegates: tuple[str, ...]) -> MadeFile:
    """A float file, which the profile `mcu` would never take."""
    tiny.write_tflite(folder)
    path = folder / "fixed.tflite"
    inputs, outputs = describe(path)
    digest = sha256_of(path)
    file = BundledFile(
        path=path.name,
        profile="mcu",
        format="tflite",
        scheme="fp32",
        size_bytes=path.stat().st_size,
        sha256=digest,
        input=inputs[0],
        output=outputs[0],
        scores="logits",
        source=path.name,
        source_sha256=digest,
    )
    return MadeFile(file, ("litert",), delegates)


def test_a_file_that_the_npu_leaves_to_the_cpu_is_an_error(tmp_path: Path) -> None:
    try:
        ENVIRONMENT.require("ethos_u", "vela")
    except MissingDependency as error:
        pytest.skip(str(error))
    task = ForetellDelegates(folder=str(tmp_path), files=(model_file(tmp_path, ("ethos_u",)),))
    with pytest.raises(ArtifactError, match=r"nothing of it runs on ethos-u55-128.*the profile mcu out"):
        ask(task, silent)


def test_a_compiler_that_is_not_here_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path / "nowhere"))
    file = model_file(tmp_path, ("ethos_u", "litert_gpu"))
    vela, gpu = ask(
        ForetellDelegates(folder=str(tmp_path), files=(file, replace(file, delegates=()))), silent
    ).outlooks
    assert (vela.delegate, vela.outlook) == ("ethos_u", None)
    assert "ethos-u-vela" in vela.reason
    assert gpu.outlook is not None
    assert gpu.outlook.ops_taken == gpu.outlook.ops_total > 0
