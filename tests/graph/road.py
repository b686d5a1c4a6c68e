"""The road from a Keras model to artifacts, as the rooms above drive it, in one process; and the runtimes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime as ort
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from resnet_edge.core import registry
from resnet_edge.core.preprocessing import PRESETS, Preprocessing
from resnet_edge.core.scheme import Io, Scheme
from resnet_edge.graph.convert import convert
from resnet_edge.graph.interface import set_interface
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.additions import aligned_ranges
from resnet_edge.graph.quantization.calibrate import measure_ranges
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.models._opened import network_of


@dataclass(frozen=True, kw_only=True)
class Road:
    """A model whose float portable graph is made, and images for it, which calibrate as well."""

    folder: Path
    images: NDArray[np.float32]
    reference: NDArray[np.float32]
    output: str
    takes_pixels: bool

    @property
    def float_graph(self) -> Path:
        return self.folder / "float.tflite"

    def portable(self, name: str, io: Io = "float32") -> Path:
        """The portable graph under the scheme called `name`."""
        out = self.folder / f"{name}.{io}.tflite"
        if out.exists():
            return out
        ranges = None
        if scheme(name).needs_calibration:
            ranges = measure_ranges(
                self.float_graph,
                (image[None] for image in self.images),
                takes_pixels=self.takes_pixels,
                threads=1,
            )
        quantize(self.float_graph, scheme(name), ranges, out)
        if ranges is not None and scheme(name).activations == "int8":
            quantize(self.float_graph, scheme(name), aligned_ranges(read_graph(out), ranges), out)
        set_interface(out, self.output, io)
        return out

    def artifact(self, format_name: str, name: str, io: Io = "float32") -> tuple[Path, str]:
        """The artifact, and what made it."""
        room = registry.load("formats", format_name)
        out = self.folder / f"written.{name}.{io}{room.SUFFIX}"
        return out, room.write(self.portable(name, io), scheme(name), "net", out)


def road(
    model: keras.Model,
    images: NDArray[np.float32],
    folder: Path,
    *,
    output: str = "logits",
    preprocessing: Preprocessing = PRESETS["none"],
    dynamic_batch: bool = False,
) -> Road:
    """Convert `model`; the images are what the artifacts take."""
    network = network_of(model)
    shape = tuple(images.shape[1:])
    out = folder / "float.tflite"
    convert(network, model, preprocessing, shape, output, out, dynamic_batch=dynamic_batch)
    return Road(
        folder=folder,
        images=images,
        reference=network(images).numpy(),
        output=output,
        takes_pixels=preprocessing.takes_pixels,
    )


def scheme(name: str) -> Scheme:
    loaded = registry.load("schemes", name).SCHEME
    assert isinstance(loaded, Scheme)
    return loaded


def litert(path: Path, images: NDArray[Any], batch: int = 1) -> NDArray[Any]:
    """The outputs of LiteRT, with XNNPACK."""
    interpreter = Interpreter(str(path), num_threads=1)
    entry, end = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    if batch != 1:
        interpreter.resize_tensor_input(entry, (batch, *images.shape[1:]), strict=True)
    interpreter.allocate_tensors()
    outputs = []
    for start in range(0, len(images), batch):
        interpreter.set_tensor(entry, images[start : start + batch])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(end))
    return np.concatenate(outputs)


def onnxruntime(path: Path, images: NDArray[Any], batch: int = 1) -> NDArray[Any]:
    """The outputs of ONNX Runtime."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = [images[start : start + batch] for start in range(0, len(images), batch)]
    return np.concatenate([session.run(None, {name: part})[0] for part in parts])


RUNTIMES = {"tflite": litert, "onnx": onnxruntime}


def output_step(path: Path) -> float:
    """The step of the quantized output behind a float border."""
    graph = read_graph(path)
    last = next(node for node in graph.nodes if graph.outputs[0] in node.outputs)
    assert last.op == "DEQUANTIZE"
    quantization = graph.tensors[last.inputs[0]].quantization
    assert quantization is not None
    return quantization.scale[0]
