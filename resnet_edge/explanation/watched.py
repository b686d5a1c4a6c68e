"""The activations of a file on some images, by layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.core.tensors import dequantize, quantize
from resnet_edge.explanation.layers import Layer, Network, Real
from resnet_edge.explanation.onnx_qoperators import with_real_operations
from resnet_edge.graph.calibrate import keeping_all_tensors
from resnet_edge.graph.model import read_graph

Values = dict[int, Real]


def watch_tflite(path: Path, network: Network, images: NDArray[Any]) -> Iterator[Values]:
    """For each image (H, W, C) the values of every layer, without the batch, as real numbers. Raises
    ArtifactError."""
    graph = read_graph(path)
    index = {tensor.name: number for number, tensor in enumerate(graph.tensors) if tensor.data is None}
    try:
        interpreter = keeping_all_tensors(path, 1)
        for image in images:
            (entry,) = graph.specs(graph.inputs[:1])
            stored = (
                image[None].astype(entry.dtype)
                if entry.quantization is None
                else quantize(image[None].astype(np.float32), entry)
            )
            interpreter.set_tensor(graph.inputs[0], np.ascontiguousarray(stored))
            interpreter.invoke()
            yield {
                number: dequantize(
                    interpreter.get_tensor(index[layer.values]), graph.specs((index[layer.values],))[0]
                )[0].astype(np.float64)
                for number, layer in enumerate(network.layers)
                if layer.values in index
            }
    except (RuntimeError, ValueError) as error:
        raise ArtifactError(f"LiteRT does not show the layers of {path.name}: {first_line(error)}") from error


def watch_onnx(path: Path, network: Network, images: NDArray[Any]) -> Iterator[Values]:
    """As watch_tflite."""
    import onnx
    import onnxruntime as ort

    model = with_real_operations(onnx.load(str(path)))
    known = {output.name for output in model.graph.output}
    made = {name for node in model.graph.node for name in node.output}
    watched = {number: layer.values for number, layer in enumerate(network.layers) if layer.values in made}
    names = list(watched.values())
    model.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names) if name not in known
    )
    options = ort.SessionOptions()
    # Fused operators would not show what is between them.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0]
        kind = np.dtype({"tensor(uint8)": np.uint8, "tensor(int8)": np.int8}.get(entry.type, np.float32))
        for image in images:
            found = session.run(names, {entry.name: image[None].astype(kind)})
            yield {
                number: _channels_last(values, network.layers[number])
                for number, values in zip(watched, found, strict=True)
                if np.ndim(values)
            }
    except Exception as error:  # ORT's exceptions share no base of their own
        raise ArtifactError(
            f"ONNX Runtime does not show the layers of {path.name}: {first_line(error)}"
        ) from error


def _channels_last(values: NDArray[Any], layer: Layer) -> Real:
    """Without the batch, as real numbers."""
    first: Real = np.asarray(values)[0].astype(np.float64)
    if values.dtype.kind in "iu" and layer.grid is not None:
        first = layer.grid.low + (first - np.iinfo(values.dtype).min) * layer.grid.step
    return first.transpose(1, 2, 0) if first.ndim == 3 and layer.nchw else first
