"""IREE: compiles an ONNX file for this machine's processor when it is opened (`llvm-cpu`), then runs it.

The compiler is a program of its own: what it takes in memory is not the network's, and a file that breaks it
breaks nothing else. TFLite files it does not open: their way to IREE is an importer of TensorFlow that the
wheels of TensorFlow 2.21 do not have (docs/runtimes.md).

Opening takes from seconds (ResNet-20) to a minute, so that `bench` times it where it is named.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import iree.runtime as iree
import numpy as np
from iree.compiler.tools.binaries import find_tool
from iree.runtime import flags
from iree.runtime._binding import create_hal_driver
from numpy.typing import NDArray

from resnet_edge.backends._border import AGAIN, check_device, check_file, misfit
from resnet_edge.backends._file_ends import declared_in_onnx, with_quantization
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.errors import ArtifactError, first_line

FORMATS = frozenset({"onnx"})
DEVICES = frozenset({"cpu"})
FOR_PARITY_ONLY = True

OPSET = 17
"""What IREE's importer asks for: older files are raised to it
(https://iree.dev/guides/ml-frameworks/onnx/)."""
COMPILER = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
)
"""As IREE's documentation has it for this processor. `--iree-opt-level=O2` and `O3` give the same numbers,
and were no faster on the bundled ResNet-20."""
COMPILE_SECONDS = 900.0


def version() -> str:
    """The version of the runtime."""
    return version_of("iree-base-runtime")


@contextmanager
def open_session(path: Path, device: str, threads: int) -> Iterator[IreeSession]:
    """Compile and open an .onnx file. Raises DeviceUnavailable, ArtifactError."""
    check_device("iree", device, DEVICES, "it is compiled for the processor alone")
    check_file(path)
    image, scores = with_quantization(path, *declared_in_onnx(path))
    compiled = _compiled(path)
    context = iree.SystemContext(config=iree.Config(device=_device(threads)))
    context.add_vm_module(iree.VmModule.copy_buffer(context.instance, compiled))
    [module] = [one for name, one in context.modules.items() if name != "hal"]
    yield IreeSession(path, image, scores, module)


def _device(threads: int) -> Any:
    """One thread: this one. More: as many workers, which nothing ties to cores (bench chooses those)."""
    if threads == 1:
        return iree.get_device("local-sync", cache=False)
    flags.parse_flags(f"--task_topology_group_count={threads}")
    # The public get_driver caches it, and with it the threads that the flags had at first.
    return create_hal_driver("local-task").create_default_device()


def _compiled(path: Path) -> bytes:
    with tempfile.TemporaryDirectory(prefix="iree-") as folder:
        imported, compiled = f"{folder}/imported.mlir", f"{folder}/compiled.vmfb"
        program = [sys.executable, "-P", "-m", "iree.compiler.tools.import_onnx"]
        _run(path, [*program, str(path.resolve()), "-o", imported, "--opset-version", str(OPSET)])
        _run(path, [find_tool("iree-compile"), imported, "-o", compiled, *COMPILER])
        return Path(compiled).read_bytes()


def _run(path: Path, command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=COMPILE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(
            f"{path} is not compiled by IREE in {COMPILE_SECONDS:.0f} s: use another backend"
        ) from error
    if done.returncode != 0:
        raise ArtifactError(
            f"{path} cannot be compiled by IREE ({_reason(done)}): use another backend or scheme, or copy or "
            "convert it again"
        )


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The first error that the compiler names, which the later ones follow from; else the last line, as
    Python ends with the reason."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    named = [line.partition("error: ")[2] for line in lines if "error: " in line]
    said = named[:1] or lines[-1:] or [f"it ended with {done.returncode}"]
    return first_line(RuntimeError(said[0]))


class IreeSession:
    """A compiled module of one function."""

    device = "cpu"

    def __init__(self, path: Path, image: TensorSpec, scores: TensorSpec, module: Any) -> None:
        self.input, self.output = image, scores
        self._path = path
        names = module.vm_module.function_names
        [name] = [one for one in names if not one.startswith("__") and not one.endswith("$async")]
        self._call = module[name]
        self._fits: set[tuple[int, ...]] = set()

    def run(self, images: NDArray[Any]) -> NDArray[Any]:
        """See backends.Session.run."""
        if images.shape not in self._fits or images.dtype.name != self.input.dtype:
            if reason := misfit(images, self.input):
                raise ArtifactError(f"{self._path}: {reason}")
            self._fits.add(images.shape)
        try:
            outputs = self._call(np.ascontiguousarray(images)).to_host()
        except (RuntimeError, ValueError) as error:
            raise ArtifactError(f"{self._path} does not run ({first_line(error)}): {AGAIN}") from error
        # A copy: `to_host` shows memory that the next call may be given. Its integers have no sign, and come
        # as int8: https://mlir.llvm.org/docs/Dialects/Builtin/#integertype
        return np.array(outputs).view(self.output.dtype)
