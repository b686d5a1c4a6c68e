"""Runs in a worker. What the files are that `verify` was given: whoever wrote them, they may be called
anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnet_edge.conversion.plan import places
from resnet_edge.core import registry
from resnet_edge.core.artifact import Artifact, TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.results.report import Failure
from resnet_edge.evaluation.job import Target
from resnet_edge.evaluation.private_copy import PrivateCopy, private_copy
from resnet_edge.graph.content import content_of
from resnet_edge.graph.macs import onnx_constants
from resnet_edge.graph.stored_weights import dtypes, float16_numbers, stored_layers
from resnet_edge.schemes import baseline, name_of, scheme_of
from resnet_edge.verification.task import IdentifiedFiles, IdentifyFiles
from resnet_edge.workers.progress import OnProgress

FLOAT, HALF = baseline(), name_of("float16", "float16")


def look(request: IdentifyFiles, on_progress: OnProgress) -> IdentifiedFiles:
    """Copy and read each; one that is no image classifier is a failure, and the others are verified all the
    same. Raises ArtifactError where there is none, OutputError, and what conversion.plan raises."""
    files: list[_File] = []
    failures: list[Failure] = []
    where = places(request.formats, request.backends, request.offers)
    for number, (path, format) in enumerate(zip(request.paths, request.formats, strict=True)):
        try:
            files.append(_identify(Path(path), format, Path(request.folder) / str(number), where[format]))
        except ArtifactError as error:
            if len(request.paths) == 1:
                raise
            failures.append(Failure(Path(path).name, str(error)))
    if not files:
        raise ArtifactError(failures[0].message)
    return IdentifiedFiles(
        artifacts=tuple(one.artifact for one in files),
        targets=tuple(one.targets for one in files),
        min_sqnr_db=tuple(
            scheme_of(HALF if one.narrow else one.artifact.scheme).min_sqnr_db for one in files
        ),
        beside=tuple(tuple(map(str, one.copy.beside)) for one in files),
        copies=tuple(str(one.copy.path) for one in files),
        contents=tuple(
            content_of(one.copy.path, one.artifact.format) if request.contents else "" for one in files
        ),
        failures=tuple(failures),
        notes=tuple(
            f"{one.artifact.file} stores float16 numbers as float32: its SQNR is that of float16"
            for one in files
            if one.narrow
        ),
    )


@dataclass(frozen=True)
class _File:
    """`narrow`: it stores float16 numbers as float32."""

    artifact: Artifact
    targets: tuple[Target, ...]
    copy: PrivateCopy
    narrow: bool


def _identify(path: Path, format: str, folder: Path, targets: tuple[Target, ...]) -> _File:
    copy = private_copy(path, format, folder)
    try:
        artifact = _artifact(path, format, copy)
        narrow = artifact.scheme == FLOAT and format != "keras"
        narrow = narrow and float16_numbers(stored_layers(copy.path, format))
        return _File(artifact, targets, copy, narrow)
    except ArtifactError as error:  # people know the file by its own name
        raise ArtifactError(str(error).replace(str(copy.path), str(path))) from error


def _artifact(path: Path, format: str, copy: PrivateCopy) -> Artifact:
    if format == "keras":
        return Artifact(
            path=str(path),
            format=format,
            scheme=FLOAT,
            size_bytes=copy.size_bytes,
            sha256=copy.sha256,
            inputs=(),
            outputs=(),
        )
    inputs, outputs = registry.load("formats", format).describe(copy.path)
    _check_ends(path, inputs, outputs)
    scheme = _scheme(copy.path, format)
    return Artifact(
        path=str(path),
        format=format,
        scheme=scheme,
        size_bytes=copy.size_bytes,
        sha256=copy.sha256,
        inputs=inputs,
        outputs=outputs,
    )


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
    schemes = {_of_layer(*pair) for pair in dtypes(stored_layers(path, format))}
    if not schemes and format == "onnx" and _holds_halves(path):
        return HALF
    return min(schemes or {FLOAT}, key=lambda name: scheme_of(name).fineness())


def _of_layer(reads: str, weights: str) -> str:
    if weights in ("float32", "float64"):
        return FLOAT
    if "float" in weights:
        return HALF
    integers = next((dtype for dtype in ("int16", "int8") if reads.endswith(dtype)), None)
    return name_of("int8", integers or "float32")


def _holds_halves(path: Path) -> bool:
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    return onnx.TensorProto.FLOAT16 in {tensor.data_type for _, tensor in onnx_constants(model.graph)}
