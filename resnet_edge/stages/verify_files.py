"""Runs in a worker. What the files are that `verify` was given: whoever wrote them, they may be called
anything."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core import registry
from resnet_edge.core.artifact import Artifact, TensorSpec, sha256_of
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.progress import Report
from resnet_edge.core.report import Failure
from resnet_edge.graph.model import Graph, read_graph, with_folded_casts
from resnet_edge.graph.work import INTEGER_OPERATORS, onnx_constants, onnx_layers
from resnet_edge.stages.plan import places_of
from resnet_edge.stages.plan_request import Place
from resnet_edge.stages.verify_request import Looked, LookRequest

WITH_WEIGHTS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
DYNAMIC = frozenset({"ConvInteger", "MatMulInteger", "DynamicQuantizeMatMul"})


def look(request: LookRequest, report: Report) -> Looked:
    """Read each; one that is no image classifier is a failure, and the others are verified all the same.
    Raises ArtifactError where there is none, and what stages.plan raises."""
    artifacts: list[Artifact] = []
    places: list[tuple[Place, ...]] = []
    beside: list[tuple[str, ...]] = []
    failures: list[Failure] = []
    for path, format in zip(request.paths, request.formats, strict=True):
        where = places_of(format, request.backends)
        try:
            weights = _beside(Path(path)) if format == "onnx" else ()
            artifacts.append(_artifact(Path(path), format, weights))
        except ArtifactError as error:
            if len(request.paths) == 1:
                raise
            failures.append(Failure(Path(path).name, str(error)))
            continue
        places.append(where)
        beside.append(tuple(map(str, weights)))
    if not artifacts:
        raise ArtifactError(failures[0].message)
    least = tuple(registry.load("schemes", a.scheme).SCHEME.min_sqnr_db for a in artifacts)
    return Looked(tuple(artifacts), tuple(places), least, tuple(beside), tuple(failures))


def _beside(path: Path) -> tuple[Path, ...]:
    """The files that hold weights of an ONNX file, and that are there."""
    import onnx
    from onnx.external_data_helper import uses_external_data

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception:  # protobuf's and onnx's: `describe`, which comes next, tells them as ArtifactError
        return ()
    told = (each.external_data for _, each in onnx_constants(model.graph) if uses_external_data(each))
    names = {entry.value for entries in told for entry in entries if entry.key == "location"}
    return tuple(sorted(found for name in names if (found := path.parent / name).is_file()))


def _artifact(path: Path, format: str, beside: tuple[Path, ...] = ()) -> Artifact:
    if format == "keras":
        return Artifact(str(path), format, "fp32", path.stat().st_size, sha256_of(path), (), ())
    inputs, outputs = registry.load("formats", format).describe(path)
    _check_ends(path, inputs, outputs)
    scheme = _of_tflite(read_graph(path)) if format == "tflite" else _of_onnx(path)
    size = sum(file.stat().st_size for file in (path, *beside))
    return Artifact(str(path), format, scheme, size, sha256_of(path, *beside), inputs, outputs)


def _check_ends(path: Path, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
    if len(inputs) != 1 or len(outputs) != 1:
        raise ArtifactError(
            f"{path} has {len(inputs)} input(s) and {len(outputs)} output(s), and an image classifier one of "
            "each: export it with the image and the class scores alone"
        )
    if len(inputs[0].shape) != 4:
        raise ArtifactError(
            f"{path} takes {len(inputs[0].shape)} dimensions, and an image is (batch, height, width, "
            f"channels)"
        )


def _of_tflite(graph: Graph) -> str:
    """The scheme, by what the layers with weights compute with: the coarsest of them."""
    stored = with_folded_casts(graph)
    found = set()
    for node in stored.nodes:
        if node.op not in WITH_WEIGHTS:
            continue
        image, kernel = (stored.tensors[index] for index in node.inputs[:2])
        weights = kernel.dtype if kernel.data is None else str(kernel.data.dtype)
        found.add((image.dtype, weights))
    for key, scheme in _SCHEMES.items():
        if key in found:
            return scheme
    return "fp32"


_SCHEMES = {
    ("int16", "int8"): "int16x8",
    ("int8", "int8"): "int8",
    ("uint8", "uint8"): "int8",
    ("float32", "int8"): "dynamic",
    ("float32", "float16"): "fp16",
    ("float16", "float16"): "fp16",
}


def _of_onnx(path: Path) -> str:
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    kinds = {node.op_type for node in model.graph.node}
    if kinds & DYNAMIC:
        return "dynamic"
    if kinds & INTEGER_OPERATORS or any(integer for _, _, integer in onnx_layers(model)):
        return "int8"
    types = {tensor.data_type for _, tensor in onnx_constants(model.graph)}
    return "fp16" if onnx.TensorProto.FLOAT16 in types else "fp32"
