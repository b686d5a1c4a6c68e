"""Runs in a worker. What stands in a .tflite file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from resnet_edge.compatibility import micro
from resnet_edge.compatibility.tflite import minimums, stated_minimum, understated
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.metadata import ModelMetadata
from resnet_edge.core.results.inspection import Counts, Inspection, counted, joined, turned
from resnet_edge.formats.tflite import read_metadata
from resnet_edge.graph.macs import macs
from resnet_edge.graph.model import ABSENT, Graph, Node, load_model, read_graph, with_folded_casts
from resnet_edge.inspection.app_warnings import of_metadata, of_tflite

WITH_WEIGHTS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})


def inside(path: Path) -> Inspection:
    """The file without what any file has (size, hash). Raises ArtifactError."""
    graph = read_graph(path)
    stored = with_folded_casts(graph)
    counts: Counts = Counter()
    work: Counts = Counter()
    for node in graph.nodes:
        key = node.op, _precision(stored, node)
        counts[key] += 1
        work[key] += macs(graph, node)
    inputs, outputs = graph.specs(graph.inputs), graph.specs(graph.outputs)
    problems = of_tflite(inputs, sorted({node.op for node in graph.nodes}))
    metadata, damage = _metadata(path)
    if not damage:
        problems += of_metadata(metadata, inputs, outputs)
    model = load_model(path)
    oldest = minimums(model)
    problems += understated(model, oldest)
    return Inspection(
        file="",
        format="",
        size_bytes=0,
        sha256="",
        made_by=_producers(model),
        inputs=inputs,
        outputs=outputs,
        ops=counted(counts, work),
        parameter_bytes=_constants(graph),
        metadata=metadata,
        warnings=tuple(problems),
        metadata_damage=damage,
        minimums=(*oldest, micro.minimum(model)),
    )


def _metadata(path: Path) -> tuple[ModelMetadata | None, str]:
    """The metadata, or why it cannot be read: the rest of the file is worth telling all the same."""
    try:
        return read_metadata(path), ""
    except ArtifactError as error:
        return None, str(error)


def _precision(graph: Graph, node: Node) -> str:
    if node.op in WITH_WEIGHTS:
        kernel = graph.tensors[node.inputs[1]]
        image = graph.tensors[node.inputs[2 if node.op == "TRANSPOSE_CONV" else 0]]
        weights = kernel.dtype if kernel.data is None else str(kernel.data.dtype)
        return joined(image.dtype, weights)
    given = [graph.tensors[index] for index in node.inputs if index != ABSENT]
    computed = [tensor.dtype for tensor in given if tensor.data is None]
    before = (computed or [tensor.dtype for tensor in given] or ["nothing"])[0]
    after = [graph.tensors[index].dtype for index in node.outputs if index != ABSENT]
    return turned(before, after[0] if after else before)


def _constants(graph: Graph) -> dict[str, int]:
    sizes: Counter[str] = Counter()
    for tensor in graph.tensors:
        if tensor.data is not None:
            sizes[tensor.dtype] += tensor.stored_bytes
    return dict(sizes.most_common())


def _producers(model: Any) -> tuple[str, ...]:
    producers = []
    if model.description:
        producers.append(_text(model.description))
    if said := stated_minimum(model):
        producers.append(f"its min_runtime_version asks for TensorFlow Lite {said} or newer")
    return tuple(producers)


def _text(raw: Any) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
