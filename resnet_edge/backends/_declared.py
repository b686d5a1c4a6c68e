"""Backends that are a file of data: runtimes at a version that is not ours.

Each has an environment of its own. They tell what a file gives in an app that has such a runtime, and nothing
of speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.backends import _pinned_environment
from resnet_edge.backends._border import DTYPES, check_device, check_file
from resnet_edge.backends._file_ends import declared_in_onnx
from resnet_edge.backends._pinned_environment import PinnedRuntime
from resnet_edge.backends._precise_sums import needs_precise_sums
from resnet_edge.backends._program import FOLDER, Program, Refused
from resnet_edge.backends._program_session import IoSpec, ProgramSession, onnx_io_spec, opened
from resnet_edge.core.errors import ArtifactError, first_line

CALL_SECONDS, VALUE_SECONDS = 120.0, 1e-3
"""What a call may take, and how much more for each value of its images. TensorFlow 2.5 takes 4 s to start;
TFLite Micro 0.1 ms for a value in the bundled ResNet-20 in float32."""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}


@dataclass(frozen=True, kw_only=True)
class DeclaredKind:
    """What a runtime of _programs/python_runtime.py opens, in the words of backends/__init__.py."""

    format: str
    fixed_batch: bool = False
    ends: tuple[str, ...] = DTYPES


KINDS = {
    "tflite": DeclaredKind(format="tflite"),
    "tflite_micro": DeclaredKind(format="tflite", fixed_batch=True),
    "onnxruntime": DeclaredKind(format="onnx"),
    "opencv": DeclaredKind(format="onnx", fixed_batch=True, ends=("float32",)),
}


@dataclass(frozen=True, kw_only=True)
class PinnedBackend:
    """What backends/__init__.py asks of a module."""

    pinned: PinnedRuntime
    DEVICES: frozenset[str] = frozenset({"cpu"})
    FOR_PARITY_ONLY: bool = True

    @property
    def kind(self) -> DeclaredKind:
        """What its runtime opens."""
        return KINDS[self.pinned.runtime]

    @property
    def FORMATS(self) -> frozenset[str]:
        """The format of its runtime."""
        return frozenset({self.kind.format})

    @property
    def ENDS(self) -> frozenset[str]:
        """The dtypes of its runtime."""
        return frozenset(self.kind.ends)

    @property
    def FIXED_BATCH(self) -> bool:
        """As its runtime has it."""
        return self.kind.fixed_batch

    def version(self) -> str:
        """The version of the runtime."""
        return self.pinned.version

    @contextmanager
    def open_session(self, path: Path, device: str, threads: int) -> Iterator[ProgramSession]:
        """Open a file of its format. Raises DeviceUnavailable, ArtifactError; ResnetEdgeError where the
        environment's Python does not start."""
        check_device(self.pinned.name, device, self.DEVICES, "its wheel is for the CPU")
        check_file(path)
        ends = self._declared(path)
        command = [str(self.pinned.program), "-I", "-B", str(FOLDER / "python_runtime.py"), ""]
        program = Program(self.pinned.title, path, [*command, self.pinned.runtime], self._environment(path))
        try:
            if ends is None:
                ends = onnx_io_spec(path, program, threads, CALL_SECONDS)
            else:
                self._open(path, program, threads)
            yield ProgramSession(path, program, ends, CALL_SECONDS, VALUE_SECONDS)
        finally:
            program.close()

    def _environment(self, path: Path) -> dict[str, str]:
        if self.pinned.runtime == "onnxruntime" and needs_precise_sums(path):
            return {"PRECISE_SUMS": "1"}
        return QUIET

    def _open(self, path: Path, program: Program, threads: int) -> None:
        try:
            opened(path, program, threads, CALL_SECONDS)
        except Refused as refused:
            raise ArtifactError(
                f"{path} cannot be opened by {self.pinned.title} ({first_line(refused)}): use another "
                "scheme, or a newer runtime"
            ) from refused

    def _declared(self, path: Path) -> IoSpec | None:
        """The ends by the file itself, where the runtime does not tell them all; None where it does."""
        if self.pinned.runtime == "onnxruntime":
            return None
        specs = declared_in_onnx(path) if self.kind.format == "onnx" else _of_tflite(path)
        if other := {spec.dtype for spec in specs} - self.ENDS:
            raise ArtifactError(
                f"{path} takes or gives {', '.join(sorted(other))}, and {self.pinned.title} only "
                f"{', '.join(self.kind.ends)}: convert it to that, or take another backend"
            )
        if self.FIXED_BATCH and specs[0].shape[0] is None:
            raise ArtifactError(
                f"{path} takes any number of images (a dynamic batch size), and {self.pinned.title} a fixed "
                "one: convert without --dynamic-batch"
            )
        return specs


def _of_tflite(path: Path) -> IoSpec:
    from resnet_edge.backends._litert.session import declared

    return declared(path)


def load(file: Path) -> PinnedBackend:
    """The backend that a file of data declares. Raises MissingDependency where its environment is not
    there."""
    pinned = _pinned_environment.read(file)
    pinned.require()
    return PinnedBackend(pinned=pinned)
