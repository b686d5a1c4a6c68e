"""LiteRT's GPU accelerator (ML Drift, on WebGPU), through a CompiledModel that may use nothing else.

Float files are right on it. Files with integer weights are not: a 1x1 convolution with a stride is
computed as if it had none (benchmarks/gpu_quantized.py shows it), and a ResNet has one at the shortcut of
every stage. Nothing is refused here, because it is the proof that must find out.

The accelerator computes in float16 where it is allowed to, which a real GPU does faster. Here it is not
allowed: a proof asks whether the file is right, and the rounding of float16 (1e-3) would hide what float32
shows (1e-6).
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel, GpuOptions, HardwareAccelerator, Options
from numpy.typing import NDArray

from resnet_edge.backends import _vulkan
from resnet_edge.backends._border import misfit
from resnet_edge.backends._litert.session import COPY_AGAIN, declared
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.device import as_software
from resnet_edge.core.errors import ArtifactError, DeviceUnavailable, ResnetEdgeError, first_line

ADAPTER = re.compile(r"Selected adapter: .*adapterType=(.*)")
NO_ADAPTER = "Failed to initialize WebGPU environment"
UNSUPPORTED = re.compile(r"not supported by GPU delegate:\n(.*?)\n[^\n]*operations will run", re.DOTALL)
IN_FLOAT32 = GpuOptions(enforce_f32=True)


@contextmanager
def open_gpu(path: Path) -> Iterator[GpuSession]:
    """Open a .tflite file on the GPU, all of it. Raises DeviceUnavailable, ArtifactError."""
    ends = declared(path)
    adapters = _vulkan.prepare()
    with tempfile.TemporaryFile() as log:
        try:
            with _stderr_to(log):
                model = _compiled(path)
        except (RuntimeError, ValueError) as error:
            raise _refusal(path, error, _read(log)) from error
        kinds = ADAPTER.findall(_read(log))
    if not model.is_fully_accelerated():
        raise ArtifactError(f"{path} runs on the GPU in part only: run it on the cpu")
    # The runtime's own word, where it is there: on a machine with both, Vulkan does not know which it takes.
    imitated = "CPU" in kinds[-1] if kinds else any(adapter.is_software for adapter in adapters)
    session = GpuSession(path, model, ends, as_software("gpu") if imitated else "gpu")
    try:
        yield session
    finally:
        session.close()


class GpuSession:
    """A compiled model with its buffers; a dynamic batch is resized when it changes."""

    def __init__(
        self, path: Path, model: CompiledModel, ends: tuple[TensorSpec, TensorSpec], device: str
    ) -> None:
        self.input, self.output = ends
        self.device = device
        self._path, self._model = path, model
        self._batch = self.input.shape[0] or 1
        self._buffers()

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        if reason := misfit(images, self.input):
            raise ArtifactError(f"{self._path}: {reason}")
        classes = self.output.shape[1]
        assert classes is not None  # the_classifier refuses it
        try:
            if len(images) != self._batch:
                self._model.resize_input_tensor(0, images.shape)
                self._batch = len(images)
                self._destroy()
                self._buffers()
            self._in[0].write(images)
            self._model.run_by_index(0, self._in, self._out)
            scores = self._out[0].read(self._batch * classes, np.dtype(self.output.dtype))
        except (RuntimeError, ValueError) as error:
            raise ArtifactError(f"{self._path} does not run on the GPU: {first_line(error)}") from error
        outputs: NDArray[Any] = scores.reshape(self._batch, classes)
        return outputs

    def close(self) -> None:
        """Give the GPU's memory back: the buffers before the model that they belong to."""
        self._destroy()
        self._model.close()

    def _buffers(self) -> None:
        self._in, self._out = self._model.create_input_buffers(0), self._model.create_output_buffers(0)

    def _destroy(self) -> None:
        for buffer in (*self._in, *self._out):
            buffer.destroy()


def _compiled(path: Path) -> CompiledModel:
    options = Options(hardware_accelerators=HardwareAccelerator.GPU, gpu_options=IN_FLOAT32)
    return CompiledModel.from_file(str(path), options=options)


def _refusal(path: Path, error: Exception, log: str) -> ResnetEdgeError:
    """Why it was not opened, from what the runtime told on the way: its exception says next to nothing."""
    if NO_ADAPTER in log:
        names = ", ".join(adapter.name for adapter in _vulkan.prepare())
        return DeviceUnavailable(
            f"LiteRT does not take this GPU ({names or 'none found'}): let VK_ICD_FILENAMES name another "
            f"driver, such as the {_vulkan.DRIVER} of chromium"
        )
    if operations := UNSUPPORTED.search(log):
        # A line for each operation: its name, a sentence, and the name of a tensor, which is long.
        sentences = (line.split(". ")[0].rstrip(".") for line in operations[1].splitlines())
        reasons = "; ".join(dict.fromkeys(sentences))[:300]
        return ArtifactError(f"{path} does not run on the GPU ({reasons}): take an fp32 or fp16 file there")
    return ArtifactError(f"{path} cannot be opened on the GPU ({first_line(error)}): {COPY_AGAIN}")


def _read(log: Any) -> str:
    log.seek(0)
    return str(log.read().decode("utf-8", "replace"))


@contextmanager
def _stderr_to(log: Any) -> Iterator[None]:
    """Keep what native code writes to stderr as well; it is shown afterwards."""
    sys.stderr.flush()
    shown = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(shown, 2)
        os.close(shown)
        sys.stderr.write(_read(log))
