"""A runtime in a Python that is not ours, but for aarch64, which qemu runs, or as old as the runtime.

For the calls see _program.py. It imports nothing of resnet-edge, which is not installed there, and runs on
Python 3.8 with numpy 1.19 as well. Arguments: the folder of packages (empty where they are this Python's
own), the name of the runtime, the pipe for answers.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, BinaryIO, Protocol

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # qemu would leave its core in the user's folder
if sys.argv[1]:
    sys.path.insert(0, sys.argv[1])

import numpy as np  # noqa: E402 - it is in that folder

FIRST_ARENA, LARGEST_ARENA = 1 << 20, 1 << 30
TOO_SMALL = re.compile(r"missing: \d|too small|only \d+ was available")
"""As in tflite_micro.py, where they are explained."""
DTYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8"}
MESSAGE = 2000


class ProgramRuntime(Protocol):
    """A model file, opened; `ends` is what the runtime tells of inputs and outputs."""

    ends: dict[str, Any]

    def run(self, inputs: Any) -> Any: ...


class TensorFlowLite:
    """The Interpreter with XNNPACK, by the name that the package has; the caller reads the ends in the file
    itself."""

    def __init__(self, path: str, threads: int) -> None:
        self.ends: dict[str, Any] = {}
        self._interpreter = _interpreter_class()(model_path=path, num_threads=threads)
        self._interpreter.allocate_tensors()
        [self._in] = [end["index"] for end in self._interpreter.get_input_details()]
        [self._out] = [end["index"] for end in self._interpreter.get_output_details()]
        self._shape = tuple(self._interpreter.get_input_details()[0]["shape"])

    def run(self, inputs: Any) -> Any:
        """The outputs; another batch size is allocated for."""
        if inputs.shape != self._shape:
            self._interpreter.resize_tensor_input(self._in, inputs.shape, strict=True)
            self._interpreter.allocate_tensors()
            self._shape = inputs.shape
        self._interpreter.set_tensor(self._in, inputs)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._out)


class OnnxRuntime:
    """A session with the options of the backend onnxruntime."""

    def __init__(self, path: str, threads: int) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        if os.environ.get("PRECISE_SUMS"):  # see _precise_sums.py
            options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self.ends = {"inputs": [_end(one) for one in inputs], "outputs": [_end(one) for one in outputs]}

    def run(self, inputs: Any) -> Any:
        """The outputs; the caller has seen that there is one input and one output."""
        [image], [scores] = self.ends["inputs"], self.ends["outputs"]
        return self._session.run([scores["name"]], {image["name"]: inputs})[0]


class OpenCv:
    """The dnn module, on its own kernels; the caller reads the ends in the file itself."""

    def __init__(self, path: str, threads: int) -> None:
        import cv2

        cv2.setNumThreads(threads)
        self.ends: dict[str, Any] = {}
        try:
            self._net = cv2.dnn.readNetFromONNX(path)
        except cv2.error as error:  # which line of it has the reason is another in each case
            raise RuntimeError(" ".join(str(error).split())) from error

    def run(self, inputs: Any) -> Any:
        """The outputs."""
        self._net.setInput(inputs)
        return self._net.forward()


class TfliteMicro:
    """TFLite Micro's interpreter, without its Python package, which imports all of TensorFlow."""

    def __init__(self, path: str, threads: int) -> None:
        package = find_spec("tflite_micro")  # found, and not imported
        assert package is not None
        folder = next(iter(package.submodule_search_locations or ()))
        spec = spec_from_file_location("_runtime", Path(folder) / "python/tflite_micro/_runtime.so")
        assert spec is not None
        assert spec.loader is not None
        runtime: Any = module_from_spec(spec)
        spec.loader.exec_module(runtime)
        self.ends: dict[str, Any] = {}
        config = runtime.PythonInterpreterConfig.kAllocationRecording
        model, size = Path(path).read_bytes(), FIRST_ARENA
        while True:
            said: list[str] = []
            try:
                with _stderr_to(said):
                    self._interpreter = runtime.InterpreterWrapper(model, [], size, 0, config)
                    return
            except (ValueError, RuntimeError) as error:
                if TOO_SMALL.search("\n".join(said)) and size < LARGEST_ARENA:
                    size *= 4
                    continue
                raise RuntimeError(next(iter(said), str(error))) from error

    def run(self, inputs: Any) -> Any:
        """The outputs."""
        self._interpreter.SetInputTensor(np.ascontiguousarray(inputs), 0)
        self._interpreter.Invoke()
        return self._interpreter.GetOutputTensor(0)


RUNTIMES: dict[str, Callable[[str, int], ProgramRuntime]] = {
    "tflite": TensorFlowLite,
    "onnxruntime": OnnxRuntime,
    "opencv": OpenCv,
    "tflite_micro": TfliteMicro,
}


def _interpreter_class() -> Any:
    if find_spec("ai_edge_litert"):
        from ai_edge_litert.interpreter import Interpreter
    elif find_spec("tflite_runtime"):
        from tflite_runtime.interpreter import Interpreter
    else:
        from tensorflow.lite.python.interpreter import Interpreter
    return Interpreter


@contextmanager
def _stderr_to(lines: list[str]) -> Iterator[None]:
    """What C++ prints, and puts into no exception."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            printed.seek(0)
            output = printed.read().decode(errors="replace").splitlines()
            lines += [line.strip() for line in output if line.strip()]


def _end(value: Any) -> dict[str, Any]:
    shape = [size if isinstance(size, int) and size > 0 else None for size in value.shape]
    return {"name": value.name, "dtype": DTYPES.get(value.type, value.type), "shape": shape}


def scores(runtime: ProgramRuntime, request: dict[str, Any], data: bytes) -> Any:
    """What it gives for `count` inputs of `shape`, one after the other."""
    inputs = np.frombuffer(data, request["dtype"]).reshape(request["count"], *request["shape"])
    return np.concatenate([np.array(runtime.run(one)) for one in inputs])


def main(name: str, calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer calls until there are no more."""
    runtime: ProgramRuntime | None = None
    for line in calls:
        request = json.loads(line)
        data = calls.read(request["bytes"])
        payload = b""
        try:
            if runtime is None:
                runtime = RUNTIMES[name](request["model"], request["threads"])
                answer = dict(runtime.ends)
            else:
                outputs = scores(runtime, request, data)
                payload = outputs.tobytes()
                answer = {"dtype": outputs.dtype.name, "shape": outputs.shape}
        except Exception as error:  # the border: it is sent to the caller, not swallowed
            answer = {"error": (str(error).strip() or type(error).__name__)[:MESSAGE]}
        answers.write(json.dumps({**answer, "bytes": len(payload)}).encode() + b"\n" + payload)
        answers.flush()


if __name__ == "__main__":
    with open(int(sys.argv[3]), "wb") as stream:
        main(sys.argv[2], sys.stdin.buffer, stream)
