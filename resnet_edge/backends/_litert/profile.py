"""What each operator of a .tflite file takes in LiteRT, as its own profiler tells.

The Python interpreter has no profiler. LiteRT's C API has one (litert/c/litert_profiler.h), and
with it the times inside of XNNPACK; `libLiteRt.so` of the wheel exports it. Remove this file when
ai_edge_litert offers the profiler in Python.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from resnet_edge.core.errors import ArtifactError

CPU = 1
"""kLiteRtHwAcceleratorCpu."""
OPERATOR, INSIDE_A_DELEGATE = 1 << 1, {1 << 2, 1 << 3}
"""Kinds of events: an operator of the interpreter; one inside of a delegate."""
WRITE_ONLY = 1
ELEMENTS = {"float32": 1, "uint8": 3, "int16": 7, "int8": 9}
"""LiteRtElementType."""
DELEGATE_CALL = ("Delegate", "TfLiteXNNPackDelegate", "XNNPACK")

Event = tuple[str, float]
"""The name that the runtime gives an operator, and microseconds."""


class _Layout(ctypes.Structure):
    _fields_ = (
        ("rank_and_flag", ctypes.c_uint32),
        ("dimensions", ctypes.c_int32 * 8),
        ("strides", ctypes.c_uint32 * 8),
    )


class _TensorType(ctypes.Structure):
    _fields_ = (("element", ctypes.c_int32), ("layout", _Layout))


class _Event(ctypes.Structure):
    """ProfiledEventData of litert_profiler_event.h."""

    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("kind", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_size_t * 6),
        ("index", ctypes.c_uint64),
        ("more", ctypes.c_uint64),
        ("source", ctypes.c_int),
    )


def watch(path: Path, threads: int, image: NDArray[Any], runs: int) -> tuple[list[str], list[float]]:
    """The names of the operators of one inference, in the order of execution, and microseconds.

    `image` as the input stores it. The clock has whole microseconds: what is given is the mean over
    the middle half of `runs` inferences. To be called in a process that ends soon. Raises
    ArtifactError.
    """
    model = _Model(path, threads)
    model.feed(image)
    for _ in range(max(5, runs // 4)):
        model.run()
    watched = [model.profiled() for _ in range(runs)]
    names = [name for name, _ in watched[0]]
    times = np.sort([[taken for _, taken in events] for events in watched], axis=0)
    middle = times[runs // 4 : runs - runs // 4]
    return names, middle.mean(axis=0).tolist()


class _Model:
    """Nothing is given back: who owns what is not documented, and the process ends with the profile."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._kept: list[object] = []
        self._library: Any = ctypes.CDLL(str(Path(ai_edge_litert.__file__).parent / "libLiteRt.so"))
        self._environment = self._create("CreateEnvironment", 0, None)
        file = str(path).encode()
        self._file = self._create("CreateModelFromFile", self._environment, file)
        self._options = self._create("CreateOptions")
        self._call("SetOptionsHardwareAccelerators", self._options, ctypes.c_int(CPU))
        self._opaque(b"runtime_options_string", b"enable_profiling = true\n")
        self._opaque(b"cpu_options_string", b"num_threads = %d\n" % threads)
        call = ("CreateCompiledModel", self._environment, self._file, self._options)
        self._compiled = self._create(*call)
        interpreter = Interpreter(model_path=str(path))  # for the types: it allocates nothing
        self._input = self._buffer("Input", interpreter.get_input_details()[0])
        self._inputs = (ctypes.c_void_p * 1)(self._input)
        self._outputs = (ctypes.c_void_p * 1)(self._buffer("Output", interpreter.get_output_details()[0]))
        self._profiler = ctypes.c_void_p()
        self._call("CompiledModelGetProfiler", self._compiled, ctypes.byref(self._profiler))

    def feed(self, image: NDArray[Any]) -> None:
        stored, address = np.ascontiguousarray(image), ctypes.c_void_p()
        self._call("LockTensorBuffer", self._input, ctypes.byref(address), ctypes.c_int(WRITE_ONLY))
        ctypes.memmove(address, stored.ctypes.data, stored.nbytes)
        self._call("UnlockTensorBuffer", self._input)

    def run(self) -> None:
        one, zero = ctypes.c_size_t(1), ctypes.c_size_t(0)
        self._call("RunCompiledModel", self._compiled, zero, one, self._inputs, one, self._outputs)

    def profiled(self) -> list[Event]:
        self._call("ResetProfiler", self._profiler)
        self._call("StartProfiler", self._profiler)
        self.run()
        self._call("StopProfiler", self._profiler)
        return list(self._events())

    def _events(self) -> Iterator[Event]:
        count = ctypes.c_int()
        self._call("GetNumProfilerEvents", self._profiler, ctypes.byref(count))
        events = (_Event * count.value)()
        self._call("GetProfilerEvents", self._profiler, count, events)
        for event in events:
            name = (event.tag or b"").decode("utf-8", "replace")
            outer = event.kind == OPERATOR and not name.startswith(DELEGATE_CALL)
            if event.kind in INSIDE_A_DELEGATE or outer:
                yield name, float(event.elapsed_us)

    def _buffer(self, side: str, declared: dict[str, Any]) -> ctypes.c_void_p:
        needs = ctypes.c_void_p()
        zero = ctypes.c_size_t(0)
        query = (self._compiled, zero, zero, ctypes.byref(needs))
        self._call(f"GetCompiledModel{side}BufferRequirements", *query)
        kind = _TensorType(ELEMENTS[np.dtype(declared["dtype"]).name])
        kind.layout.rank_and_flag = len(declared["shape"])
        for axis, size in enumerate(declared["shape"]):
            kind.layout.dimensions[axis] = int(size)
        call = ("CreateManagedTensorBufferFromRequirements", self._environment, ctypes.byref(kind), needs)
        return self._create(*call)

    def _opaque(self, name: bytes, text: bytes) -> None:
        """Options of one part of LiteRT, as TOML (litert/c/options/litert_runtime_options.cc)."""
        payload, identifier = ctypes.create_string_buffer(text), ctypes.c_char_p(name)
        keep = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda address: None)
        options = self._create("CreateOpaqueOptions", identifier, ctypes.cast(payload, ctypes.c_void_p), keep)
        self._call("AddOpaqueOptions", self._options, options)
        self._kept += [payload, identifier, keep]

    def _create(self, function: str, *arguments: Any) -> ctypes.c_void_p:
        handle = ctypes.c_void_p()
        self._call(function, *arguments, ctypes.byref(handle))
        return handle

    def _call(self, function: str, *arguments: Any) -> None:
        status = getattr(self._library, f"LiteRt{function}")(*arguments)
        if status:
            raise ArtifactError(f"{self._path} cannot be profiled (LiteRt{function} gives {status})")
