"""Files in ONNX Runtime's own format, .ort, in every backend that runs ONNX Runtime."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from resnet_edge.backends import onnxruntime as python
from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, MissingDependency
from tests.backends import tiny

IMAGES = tiny.pixels(20).astype(np.float32)


@pytest.fixture(scope="module")
def files(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fixed.ort, uint8.ort and int8.ort, of style Fixed, with their .onnx."""
    folder = tmp_path_factory.mktemp("ort")
    for name in ("fixed", "uint8"):
        (folder / f"{name}.onnx").write_bytes((artifacts / f"{name}.onnx").read_bytes())
    quantize_static(folder / "fixed.onnx", folder / "int8.onnx")
    module = "onnxruntime.tools.convert_onnx_models_to_ort"
    command = [sys.executable, "-m", module, str(folder), "--optimization_style", "Fixed"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def quantize_static(source: Path, out: Path) -> None:
    """uint8 activations, int8 weights of each channel."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._images: Iterator[NDArray[Any]] = iter(IMAGES[:, None])

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            image = next(self._images, None)
            return None if image is None else {"image": image}

    quantize_static(
        str(source),
        str(out),
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


@pytest.fixture(
    params=[
        "onnxruntime",
        "onnxruntime_node",
        pytest.param("onnxruntime_web", marks=pytest.mark.chromium),
    ]
)
def backend(request: pytest.FixtureRequest) -> Any:
    try:
        return registry.load("backends", request.param)
    except MissingDependency as error:
        pytest.skip(str(error))


def outputs(backend: Any, path: Path) -> NDArray[Any]:
    with backend.open_session(path, "cpu", 1) as session:
        assert (session.input.name, session.input.shape) == ("image", (1, *tiny.SHAPE))
        return np.concatenate([session.run(image[None]) for image in IMAGES])


def test_float_scores_are_those_of_the_onnx_file(backend: Any, files: Path) -> None:
    ours, truth = outputs(backend, files / "fixed.ort"), outputs(python, files / "fixed.onnx")
    assert np.abs(ours - truth).max() < 1e-5 * np.abs(truth).max()


def test_int8_scores_are_those_of_the_onnx_file_to_the_bit(backend: Any, files: Path) -> None:
    """On x86, in a plain session: an .ort is optimized already, and PRECISE_SUMS comes too late for it.
    WebAssembly adds precisely in any case."""
    plain = ort.InferenceSession(str(files / "int8.onnx"), providers=["CPUExecutionProvider"])
    truth = np.concatenate([plain.run(None, {"image": image[None]})[0] for image in IMAGES])
    if backend.__name__.endswith("web"):
        truth = outputs(python, files / "int8.onnx")
    assert len(np.unique(truth)) > 20
    np.testing.assert_array_equal(outputs(backend, files / "int8.ort"), truth)


def test_integer_ends_have_no_scale(backend: Any, files: Path) -> None:
    with backend.open_session(files / "uint8.ort", "cpu", 1) as session:
        assert session.input.dtype == session.output.dtype == "uint8"
        assert session.input.quantization is session.output.quantization is None


@pytest.mark.parametrize("what", ["truncated", "random", "empty"])
def test_what_is_no_ort_file_is_refused_in_one_line(
    backend: Any, files: Path, tmp_path: Path, what: str
) -> None:
    whole = (files / "int8.ort").read_bytes()
    content = {"truncated": whole[: len(whole) // 2], "random": b"\x01" * 4096, "empty": b""}[what]
    path = tmp_path / f"{what}.ort"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=what) as caught, backend.open_session(path, "cpu", 1):
        pass
    assert "\n" not in str(caught.value)
