"""Runs in a worker. What the files are that `verify` was given: whoever wrote them, they may be called
anything."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core import registry
from resnet_edge.core.artifact import Artifact, TensorSpec, sha256_of
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.progress import Report
from resnet_edge.core.report import Failure
from resnet_edge.core.scheme import Scheme
from resnet_edge.graph.stored_weights import dtypes, stored_layers
from resnet_edge.graph.work import onnx_constants
from resnet_edge.stages.plan import places_of
from resnet_edge.stages.plan_request import Place
from resnet_edge.stages.verify_request import Looked, LookRequest


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
    scheme = _scheme(path, format)
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


def _scheme(path: Path, format: str) -> str:
    """The coarsest scheme of any layer that computes something, by what it multiplies and stores: one layer
    of int8 rounds what all later ones read. An operation beside the layers, or a layer that hands its input
    on, tells nothing of the others."""
    found = {_of_layer(*pair) for pair in dtypes(stored_layers(path, format))}
    if not found and format == "onnx" and _holds_halves(path):
        return "fp16"
    return min(found or {"fp32"}, key=_coarseness)


def _of_layer(reads: str, weights: str) -> str:
    if weights in ("float32", "float64"):
        return "fp32"
    if "float" in weights:
        return "fp16"
    if reads.endswith("int16"):
        return "int16x8"
    return "int8" if reads.endswith("int8") else "dynamic"


def _coarseness(scheme: str) -> tuple[float, bool]:
    found: Scheme = registry.load("schemes", scheme).SCHEME
    return found.min_sqnr_db, found.activations == "float32"


def _holds_halves(path: Path) -> bool:
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    return onnx.TensorProto.FLOAT16 in {tensor.data_type for _, tensor in onnx_constants(model.graph)}
