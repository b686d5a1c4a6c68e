"""OpenVINO, which opens TFLite and ONNX files alike.

Computes in float32 what the file has in float32: on a CPU with bfloat16 it would take that, unasked,
and move outputs by 6e-3 (https://docs.openvino.ai/2026/openvino-workflow/running-inference/optimize-inference/precision-control.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openvino as ov
from numpy.typing import NDArray

from resnet_edge.backends._border import AGAIN, check_device, check_file, misfit, the_classifier
from resnet_edge.backends._file_ends import with_quantization
from resnet_edge.backends._openvino_execution import executed_by
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable, first_line
from resnet_edge.core.results.execution import OperatorRun

FORMATS = frozenset({"onnx", "tflite"})
DEVICES = frozenset({"cpu", "gpu"})
DEVICE_PACKAGES = {"gpu": ""}


def version() -> str:
    """The version of the runtime."""
    return str(ov.__version__).split("-")[0]


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[OpenVinoSession]:
    """Open a .tflite or .onnx file. Raises DeviceUnavailable, ArtifactError."""
    yield OpenVinoSession(path, *_compiled(path, device, threads), device)


def execution(path: Path, device: str) -> tuple[OperatorRun, ...]:
    """The operations of an inference. Raises DeviceUnavailable, ArtifactError."""
    return executed_by(_compiled(path, device, 1)[1])


def _compiled(path: Path, device: str, threads: int) -> tuple[Any, Any]:
    check_device("openvino", device, DEVICES, "OpenVINO has no such device")
    check_file(path)
    core = ov.Core()
    name = device.upper()
    if name not in (available.partition(".")[0] for available in core.available_devices):
        raise DeviceUnavailable(f"OpenVINO finds no {name} here: install its driver, or use the device cpu")
    try:
        model = core.read_model(str(path))
        compiled = core.compile_model(model, name, _options(device, threads))
    except RuntimeError as error:
        reason = first_line(RuntimeError(str(error).strip().splitlines()[-1]))
        raise ArtifactError(
            f"{path} cannot be opened by OpenVINO ({reason}): copy or convert it again"
        ) from error
    ran_on = [one.partition(".")[0] for one in compiled.get_property("EXECUTION_DEVICES")]
    if set(ran_on) != {name}:
        raise DeviceUnavailable(f"OpenVINO would run on {', '.join(ran_on)} and not on {name}")
    return model, compiled


def _options(device: str, threads: int) -> dict[str, Any]:
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if device == "cpu":
        # Pinning is the affinity's task: bench gives all backends the same cores.
        options |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    return options


class OpenVinoSession:
    """A compiled model and its one request."""

    def __init__(self, path: Path, model: Any, compiled: Any, device: str) -> None:
        self.input, self.output = _declared(path, model)
        self.device = device
        self._path = path
        self._request = compiled.create_infer_request()
        self._shape: tuple[int, ...] | None = None

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        if images.shape != self._shape or images.dtype.name != self.input.dtype:
            if reason := misfit(images, self.input):
                raise ArtifactError(f"{self._path}: {reason}")
            self._shape = images.shape
        try:
            results = self._request.infer([images], share_inputs=images.flags.c_contiguous)
        except RuntimeError as error:
            raise ArtifactError(f"{self._path} does not run ({first_line(error)}): {AGAIN}") from error
        outputs: NDArray[Any] = results[0]
        return outputs


def _declared(path: Path, model: Any) -> tuple[TensorSpec, TensorSpec]:
    """What goes in and comes out. Of a TFLite file OpenVINO tells neither the signature's names nor
    scales: LiteRT reads them."""
    if path.suffix == ".tflite":
        from resnet_edge.backends._litert.session import declared

        return declared(path)
    ends = [_spec(port) for port in model.inputs], [_spec(port) for port in model.outputs]
    return with_quantization(path, *the_classifier(path, *ends, halves=True))


def _spec(port: Any) -> TensorSpec:
    shape = tuple(size.get_length() if size.is_static else None for size in port.partial_shape)
    return TensorSpec(_name(port), shape, port.element_type.to_dtype().name)


def _name(port: Any) -> str:
    """The shortest: OpenVINO adds names of its own to that of the file."""
    return min(port.names, key=len, default="")
