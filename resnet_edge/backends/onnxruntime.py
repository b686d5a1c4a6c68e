"""ONNX Runtime on the CPU, or through another execution provider, by whose name it is asked for.

`cuda` and `tensorrt` compute in float32; `cuda-tf32` as the provider does on its own. `openvino` is its
provider for CPUs. A node that the provider does not take is an error, not the CPU's.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from resnet_edge.backends._border import AGAIN, check_device, check_file, misfit, the_classifier
from resnet_edge.backends._file_ends import with_quantization
from resnet_edge.backends._precise_sums import PRECISE_SUMS, needs_precise_sums
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable, first_line
from resnet_edge.core.results.execution import OperatorRun
from resnet_edge.core.results.profile import Profile

FORMATS = frozenset({"onnx"})
_PROVIDERS: dict[str, tuple[str, dict[str, str]]] = {
    "cpu": ("CPUExecutionProvider", {}),
    # TF32 keeps 10 bits of mantissa: a logit of ResNet-50 moves by 0.3 (onnxruntime#19357).
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0"}),
    "cuda-tf32": ("CUDAExecutionProvider", {"use_tf32": "1"}),
    "tensorrt": ("TensorrtExecutionProvider", {}),
    "openvino": ("OpenVINOExecutionProvider", {"device_type": "CPU", "precision": "FP32"}),
}
DEVICES = frozenset(_PROVIDERS)
KERNELS = "onnxruntime"
FIRST_FOR = ("onnx", "ort")
COMPILING = frozenset({"tensorrt", "openvino"})
"""Devices whose provider makes one operation of a whole graph."""
CUDA = frozenset({"cuda", "cuda-tf32", "tensorrt"})
"""Devices whose provider needs the libraries of CUDA and cuDNN. Where pip has installed them (nvidia-cublas
and its like), the dynamic linker does not look; ONNX Runtime loads them from there when it is told to."""
DEVICE_PACKAGES = {"cuda": "onnxruntime-gpu[cuda,cudnn]", "cuda-tf32": "onnxruntime-gpu[cuda,cudnn]"}
_PACKAGES = {"OpenVINOExecutionProvider": "onnxruntime-openvino"}
"""What brings a provider, in place of onnxruntime; the others come with onnxruntime-gpu."""
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
}


def version() -> str:
    """The version of the runtime."""
    return str(ort.__version__)


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[OrtSession]:
    """Open an .onnx or .ort file. Raises DeviceUnavailable, ArtifactError."""
    check_device("onnxruntime", device, DEVICES, "it has no such execution provider here")
    provider, _ = _PROVIDERS[device]
    if provider not in ort.get_available_providers():
        raise DeviceUnavailable(
            f"this onnxruntime has no {provider}: install {_PACKAGES.get(provider, 'onnxruntime-gpu')} "
            "in place of onnxruntime"
        )
    check_file(path)
    if device in CUDA:
        ort.preload_dlls()
    try:
        session = _inference_session(path, device, threads)
    except Exception as error:  # ORT's exceptions share no base of their own
        raise _refusal(path, device, error) from error
    if session.get_providers()[0] != provider:  # the CPU steps in without an error: onnxruntime#23372
        raise _no_device(provider)
    yield OrtSession(path, session, device)


def profile(path: Path, device: str, threads: int, images: NDArray[Any], runs: int) -> Profile:
    """The operators of an inference on `images`. Raises DeviceUnavailable, ArtifactError."""
    from resnet_edge.backends._onnxruntime_profile import read_profile

    with open_session(path, device, threads) as plain, tempfile.TemporaryDirectory() as folder:
        plain.run(images)  # refused, if it is, with its reason
        session = _inference_session(path, device, threads, profile_prefix=f"{folder}/profile")
        for _ in range(runs):
            session.run(None, {plain.input.name: images})
        return Profile(read_profile(Path(session.end_profiling()), path), runs)


def execution(path: Path, device: str) -> tuple[OperatorRun, ...] | None:
    """The operators of an inference; None where the provider compiles the graph whole and tells nothing of
    it. Raises DeviceUnavailable, ArtifactError."""
    from resnet_edge.backends._onnxruntime_execution import read_execution

    if device in COMPILING:
        return None
    with open_session(path, device, 1) as plain, tempfile.TemporaryDirectory() as folder:
        image = np.zeros((1, *(size or 1 for size in plain.input.shape[1:])), plain.input.dtype)
        plain.run(image)  # refused, if it is, with its reason
        optimized = f"{folder}/optimized.onnx"
        session = _inference_session(path, device, 1, f"{folder}/profile", optimized)
        session.run(None, {plain.input.name: image})
        return read_execution(Path(session.end_profiling()), Path(optimized), path)


def _inference_session(
    path: Path, device: str, threads: int, profile_prefix: str | None = None, optimized: str | None = None
) -> ort.InferenceSession:
    options = _options(device, threads)
    if needs_precise_sums(path):
        options.add_session_config_entry(*PRECISE_SUMS)
    if profile_prefix is not None:
        options.enable_profiling, options.profile_file_prefix = True, profile_prefix
    if optimized is not None:
        options.optimized_model_filepath = optimized
    provider, settings = _PROVIDERS[device]
    if device == "openvino":
        settings = {**settings, "num_of_threads": str(threads)}
    if device == "tensorrt":  # it has no option for it, and reads this once (onnxruntime#26029)
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    return ort.InferenceSession(str(path), options, providers=[(provider, settings)], enable_fallback=0)


def _refusal(path: Path, device: str, error: Exception) -> ArtifactError | DeviceUnavailable:
    """Whose fault it is that a file does not open: a file that the CPU opens is not to blame."""
    if device != "cpu":
        with suppress(Exception):  # whatever it raises: the CPU does not open it either
            provider, _ = _PROVIDERS[device]
            options = _options(device, 1, may_fall_back=True)
            session = ort.InferenceSession(str(path), options, providers=[provider], enable_fallback=0)
            if provider not in session.get_providers():
                return _no_device(provider)
            _inference_session(path, "cpu", 1)
            return DeviceUnavailable(
                f"{path} opens on cpu and not on {device} ({_reason(error)}): use the device cpu"
            )
    return ArtifactError(f"{path} cannot be opened as ONNX ({_reason(error)}): copy or convert it again")


def _no_device(provider: str) -> DeviceUnavailable:
    return DeviceUnavailable(
        f"{provider} does not open here (its libraries, the driver or a GPU are missing): use device cpu"
    )


def _reason(error: Exception) -> str:
    """ORT's message in one line, without its prefix and the path, which our line has already."""
    return re.sub(
        r"^\[ONNXRuntimeError\] : \d+ : \w+ : (Load model from .*? failed:)?", "", first_line(error)
    )


def _options(device: str, threads: int, *, may_fall_back: bool = False) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    # Idle threads that spin would take the cores from whatever is measured next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if device != "cpu" and not may_fall_back:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return options


class OrtSession:
    """An opened InferenceSession; `device` follows from the provider that it reports."""

    def __init__(self, path: Path, session: ort.InferenceSession, device: str) -> None:
        inputs = [_spec(value) for value in session.get_inputs()]
        outputs = [_spec(value) for value in session.get_outputs()]
        image, scores = the_classifier(path, inputs, outputs, halves=True)
        self.input, self.output = with_quantization(path, image, scores)
        self.device = device
        self._path = path
        self._run = session.run
        self._name = self.input.name
        self._names = [self.output.name]
        self._shape = tuple(-1 if size is None else size for size in self.input.shape)
        self._dtype = np.dtype(self.input.dtype)

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        if images.shape != self._shape or images.dtype != self._dtype:
            self._fit(images)
        try:
            outputs: NDArray[Any] = self._run(self._names, {self._name: images})[0]
        except Exception as error:  # ORT's exceptions share no base of their own
            raise ArtifactError(f"{self._path} does not run ({_reason(error)}): {AGAIN}") from error
        return outputs

    def _fit(self, images: NDArray[Any]) -> None:
        """Check images of a shape not seen before. Raises ArtifactError."""
        if reason := misfit(images, self.input):
            raise ArtifactError(f"{self._path}: {reason}")
        self._shape = images.shape


def _spec(value: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in value.shape)
    return TensorSpec(value.name, shape, _DTYPES.get(value.type, value.type))
