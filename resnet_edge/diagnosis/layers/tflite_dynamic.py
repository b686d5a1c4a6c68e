"""TFLite graphs whose kernels quantize activations anew for each image (hybrid kernels) as graphs of rounded
weights alone: what an image's own scale rounds is no part of the file. As onnx_dynamic does of ONNX.

Source: EvalHybrid of tensorflow/lite/kernels/conv.cc, depthwise_conv.cc, fully_connected.cc and
transpose_conv.cc: integer weights on a float image.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.diagnosis.layers.tflite_steps import constant_of
from resnet_edge.graph.model import Graph, graph_of
from resnet_edge.graph.stored_weights import IMAGE_AND_KERNEL


def without_dynamic_scales(model: Any) -> Any:
    """The `schema.ModelT`, or a copy whose layers read their weights as float32; tensors keep their names and
    places."""
    graph = graph_of(model)
    layers = hybrid_layers(graph)
    if not layers:
        return model
    rewritten, subgraph = copy.copy(model), copy.copy(model.subgraphs[0])
    rewritten.subgraphs, rewritten.buffers = [subgraph], [*model.buffers]
    subgraph.tensors, subgraph.operators = [*subgraph.tensors], [*subgraph.operators]
    floats: dict[int, int] = {}
    for number, kernel in layers.items():
        if kernel not in floats:
            floats[kernel] = _as_float(rewritten, kernel, graph)
        layer = copy.copy(subgraph.operators[number])
        at = IMAGE_AND_KERNEL[graph.nodes[number].op][1]
        layer.inputs = [floats[kernel] if i == at else int(one) for i, one in enumerate(layer.inputs)]
        subgraph.operators[number] = layer
    return rewritten


def hybrid_layers(graph: Graph) -> dict[int, int]:
    """The kernels of layers that multiply floats with integer constants, by the numbers of the layers."""
    layers = {}
    for number, node in enumerate(graph.nodes):
        if node.op not in IMAGE_AND_KERNEL:
            continue
        image, kernel = (graph.tensors[node.inputs[at]] for at in IMAGE_AND_KERNEL[node.op])
        if image.dtype == "float32" and kernel.dtype.startswith("int") and kernel.data is not None:
            layers[number] = node.inputs[IMAGE_AND_KERNEL[node.op][1]]
    return layers


def _as_float(model: Any, index: int, graph: Graph) -> int:
    """A new constant with the real numbers of an integer one; its index."""
    tensors, stored = model.subgraphs[0].tensors, model.subgraphs[0].tensors[index]
    buffer, tensor = schema.BufferT(), copy.copy(stored)
    values = np.ascontiguousarray(constant_of(graph.tensors[index]).values, np.float32)
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.name = bytes(stored.name or b"") + b"/float"
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    tensor.buffer = len(model.buffers) - 1
    tensors.append(tensor)
    return len(tensors) - 1
