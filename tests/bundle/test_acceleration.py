"""The tensors for Android's Acceleration Service: LiteRT makes the outputs of the inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.backends import litert
from resnet_edge.bundle import acceleration as bundle_acceleration
from resnet_edge.core.results.bundle import BundledFile
from resnet_edge.core.tensors import dequantize
from resnet_edge.evaluation.predict import stored
from tests.backends import tiny


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts")
    tiny.write_tflite(folder)
    return folder


@pytest.mark.parametrize("name", ["fixed", "uint8", "int8"])
def test_the_outputs_are_those_of_the_inputs(artifacts: Path, tmp_path: Path, name: str) -> None:
    with litert.open_session(artifacts / f"{name}.tflite", "cpu", 1) as session:
        tensors = stored(tiny.pixels(4), session.input)
        outputs = np.concatenate([session.run(tensor[None]) for tensor in tensors])
        ends = session.input, session.output
    path = f"litert/a.{name}.tflite"
    file = BundledFile(
        path=path,
        profile="litert",
        format="tflite",
        scheme="int8",
        size_bytes=1,
        sha256="",
        input=ends[0],
        output=ends[1],
        scores="logits",
        source="a",
        source_sha256="b",
    )
    bundle_acceleration.write(tmp_path, file, tensors, dequantize(outputs, ends[1]))
    folder = tmp_path / f"acceleration/litert/a.{name}"
    inputs = np.frombuffer((folder / "inputs.bin").read_bytes(), tensors.dtype).reshape(tensors.shape)
    np.testing.assert_array_equal(inputs, tensors)
    assert (folder / "outputs.bin").read_bytes() == outputs.tobytes()


@pytest.mark.parametrize(("limit", "count"), [(64 * 3, 3), (64 * 3 + 63, 3), (1, 1), (1 << 20, 4)])
def test_large_inputs_are_few(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, count: int
) -> None:
    with litert.open_session(artifacts / "uint8.tflite", "cpu", 1) as session:
        ends = session.input, session.output
    monkeypatch.setattr(bundle_acceleration, "LIMIT", limit)
    file = BundledFile(
        path="a/b.tflite",
        profile="litert",
        format="tflite",
        scheme="int8",
        size_bytes=1,
        sha256="",
        input=ends[0],
        output=ends[1],
        scores="logits",
        source="a",
        source_sha256="b",
    )
    bundle_acceleration.write(tmp_path, file, stored(tiny.pixels(4), ends[0]), np.zeros((4, 5), np.float32))
    sizes = [(tmp_path / "acceleration/a/b" / f"{end}.bin").stat().st_size for end in ("inputs", "outputs")]
    assert sizes == [64 * count, 5 * count]
