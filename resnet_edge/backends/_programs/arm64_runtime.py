"""LiteRT or ONNX Runtime in a Python for aarch64, which qemu runs; for the calls see _program.py.

It imports nothing of resnet-edge, which is not installed there. Arguments: the folder of packages, the name
of the runtime, the pipe for answers.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # qemu would leave its core in the user's folder
sys.path.insert(0, sys.argv[1])

import numpy as np  # noqa: E402 - it is in that folder

DTYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8"}
MESSAGE = 2000


class Runtime(Protocol):
    """A model file, opened; `ends` is what the runtime tells of inputs and outputs."""

    ends: dict[str, Any]

    def run(self, inputs: Any) -> Any: ...


class LiteRt:
    """The Interpreter with XNNPACK; the caller reads the ends in the file itself."""

    def __init__(self, path: str, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.ends: dict[str, Any] = {}
        self._interpreter = Interpreter(model_path=path, num_threads=threads)
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
        self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self.ends = {"inputs": [_end(one) for one in inputs], "outputs": [_end(one) for one in outputs]}

    def run(self, inputs: Any) -> Any:
        """The outputs; the caller has seen that there is one input and one output."""
        [image], [scores] = self.ends["inputs"], self.ends["outputs"]
        return self._session.run([scores["name"]], {image["name"]: inputs})[0]


RUNTIMES: dict[str, Callable[[str, int], Runtime]] = {"litert": LiteRt, "onnxruntime": OnnxRuntime}


def _end(value: Any) -> dict[str, Any]:
    shape = [size if isinstance(size, int) and size > 0 else None for size in value.shape]
    return {"name": value.name, "dtype": DTYPES.get(value.type, value.type), "shape": shape}


def scores(runtime: Runtime, request: dict[str, Any], data: bytes) -> Any:
    """What it gives for `count` inputs of `shape`, one after the other."""
    inputs = np.frombuffer(data, request["dtype"]).reshape(request["count"], *request["shape"])
    return np.concatenate([np.array(runtime.run(one)) for one in inputs])


def main(name: str, calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer calls until there are no more."""
    runtime: Runtime | None = None
    for line in calls:
        request = json.loads(line)
        data = calls.read(request["bytes"])
        found = b""
        try:
            if runtime is None:
                runtime = RUNTIMES[name](request["model"], request["threads"])
                answer = dict(runtime.ends)
            else:
                outputs = scores(runtime, request, data)
                found = outputs.tobytes()
                answer = {"dtype": outputs.dtype.name, "shape": outputs.shape}
        except Exception as error:  # the border: it is told to the caller, not swallowed
            answer = {"error": (str(error).strip() or type(error).__name__)[:MESSAGE]}
        answers.write(json.dumps({**answer, "bytes": len(found)}).encode() + b"\n" + found)
        answers.flush()


if __name__ == "__main__":
    with open(int(sys.argv[3]), "wb") as stream:
        main(sys.argv[2], sys.stdin.buffer, stream)
