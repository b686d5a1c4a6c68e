"""`resnet_edge.verify`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resnet_edge.api.checked import AtLeast0, AtLeast1, Percentage, Shape, checked
from resnet_edge.api.names import Backends
from resnet_edge.api.names import backends as backends_in
from resnet_edge.api.reports import VerifyReport, extended
from resnet_edge.api.source_paths import read_paths
from resnet_edge.api.values import (
    Artifacts,
    Data,
    Model,
    ValueFiles,
    or_else,
    paths_of,
    text,
    value_files,
)
from resnet_edge.benchmarking.files import bench_files
from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.backend_name import split_host
from resnet_edge.core.errors import UsageError
from resnet_edge.core.files.overwrite import check_apart
from resnet_edge.core.head import HeadKind
from resnet_edge.core.results.stored_report import same_data
from resnet_edge.core.tolerances import MAX_DROP_PP
from resnet_edge.evaluation.first_backend import first_backends
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.report.html.page import page
from resnet_edge.report.junit import junit as junit_xml
from resnet_edge.report.junit import proved
from resnet_edge.report.verify_sections import verify_document
from resnet_edge.report.whole_file import check_page, check_writable, write_whole
from resnet_edge.report.words import count
from resnet_edge.verification.options import Feed, VerifyRequest
from resnet_edge.verification.reported import ConvertedBy, converted_by, hashes_reported
from resnet_edge.verification.verify import verify as run
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.temporary import temporary
from resnet_edge.workers.variables import check_variables

BACKENDS = ("litert", "onnxruntime")
ARTIFACT_SUFFIXES = (".tflite", ".onnx")
ATTRIBUTED = 500
GOLDEN_IMAGES = 32


@checked
def verify(
    artifacts: Artifacts,
    *,
    reference: Model | None = None,
    data: Data | None = None,
    backends: Backends | None = None,
    max_drop: Percentage | None = None,
    images: AtLeast1 | None = None,
    sequential: bool = False,
    preprocess: str | Path | None = None,
    feed: Feed | None = None,
    input_shape: Shape | None = None,
    output: str | None = None,
    head: HeadKind | None = None,
    accept_reference: bool = False,
    trust: bool = False,
    explain: bool = True,
    calibration: Data | None = None,
    attribute: AtLeast0 | None = None,
    unpruned: Model | None = None,
    html: str | Path | None = None,
    thumbnails: bool = True,
    save_golden: str | Path | None = None,
    golden_images: AtLeast1 | None = None,
    overwrite: bool = False,
    junit: str | Path | None = None,
    on_progress: OnProgress = silent,
    command: str = "resnet_edge.verify(…)",
) -> VerifyReport:
    """Hold artifacts, ours or another's, against the model that they were made from.

    `artifacts` are paths, folders that `convert` wrote, or its report; `reference` a keras.Model, a MODEL of
    the command line, or a .tflite or .onnx file. `data` and `calibration` are a DATA word or arrays: images
    (N, H, W, C), uint8 or float32, or (images, labels). All else is as `resnet-edge verify --help` says.
    Raises UsageError, UnknownName, ModelError, DataError, ArtifactError, OutputError, MissingDependency,
    DeviceUnavailable, HostUnavailable, WorkerFailed.
    """
    check_variables()
    if golden_images is not None and save_golden is None:
        raise UsageError("--golden-images is for golden vectors: name a file with --save-golden")
    if html is not None:
        check_page("--html", Path(html), overwrite)
    if junit is not None:
        check_writable("--junit", Path(junit), overwrite)
    if overwrite and (html, save_golden, junit) == (None, None, None):
        raise UsageError("--overwrite is for what is written: name it with --html, --junit or --save-golden")
    with value_files() as files:
        source = None if reference is None else files.model(reference)
        if is_artifact(source):
            _refuse(
                source,
                input_shape=input_shape,
                output=output,
                trust=trust or None,
                preprocess=preprocess,
                feed=feed,
                attribute=attribute,
                unpruned=unpruned,
            )
        paths = paths_of(artifacts)
        known = converted_by(paths)
        defaults = _defaults(known, source, files)
        word = or_else(files.data(data), defaults.data)
        calibrating = or_else(files.data(calibration, "calibration"), defaults.calibration)
        same = known is not None and same_data(word, known.data)
        source = or_else(source, defaults.reference)
        golden = None if save_golden is None else Path(save_golden)
        names = () if backends is None else backends_in(backends)
        read = (*paths, *read_paths(source, word, calibrating))
        _check_golden(golden, overwrite, feed, names, read)
        request = _request(
            paths=paths,
            source=source,
            data=word,
            calibration=calibrating,
            shape=or_else(input_shape, defaults.input_shape),
            output=or_else(output, defaults.output),
            head=or_else(head, defaults.head),
            preprocess=or_else(text(preprocess), defaults.preprocess),
            model_source="" if known is None else known.model_source,
            trust=trust,
            attributed=or_else(attribute, ATTRIBUTED),
            unpruned=None if unpruned is None else files.model(unpruned),
            backends=names,
            max_drop_pp=or_else(max_drop, defaults.max_drop),
            takes_pixels=feed != "preprocessed",
            limit=images,
            explain=explain,
            command=command,
            golden=golden,
            golden_count=or_else(golden_images, GOLDEN_IMAGES),
            accept_reference=accept_reference,
            thumbnails=thumbnails and html is not None,
            sequential=sequential,
            hold_out=known.held_out if known is not None and same else 0,
        )
        with temporary() as (scratch, logs):
            report = files.named(run(request, scratch, logs, files.progress(on_progress)))
    given = {
        "reference": reference, "data": data, "calibration": calibration, "max_drop": max_drop,
        "preprocess": preprocess, "output": output, "head": head, "input_shape": input_shape,
    }  # fmt: skip
    notes = _taken(known, defaults, given)
    if known is not None and same:
        notes = (*notes, *_images(known, report.data, part=images is not None, in_order=not sequential))
    report = replace(report, notes=(*notes, *report.notes))
    if html is not None:
        write_whole("--html", Path(html), page(verify_document(report)))
    if junit is not None:
        write_whole("--junit", Path(junit), junit_xml("resnet-edge verify", proved(report)))
    return extended(VerifyReport, report)


def is_artifact(reference: str | None) -> bool:
    """Whether it names an artifact, and no Keras model."""
    return reference is not None and Path(reference).suffix.lower() in ARTIFACT_SUFFIXES


def _refuse(reference: str | None, **options: object) -> None:
    """Raise UsageError where one of these options was given, which would change nothing."""
    for name, value in options.items():
        if value is not None:
            option = name.replace("_", "-")
            raise UsageError(f"--{option} is for a Keras model, and {reference} is none")


def _check_golden(
    golden: Path | None, overwrite: bool, feed: str | None, backends: tuple[str, ...], read: tuple[Path, ...]
) -> None:
    if golden is None:
        return
    check_apart("--save-golden", golden, read)
    check_writable("--save-golden", golden, overwrite)
    if feed == "preprocessed":
        raise UsageError(
            "--save-golden stores images, which golden vectors hold as whole numbers of pixels: leave out "
            "--feed preprocessed"
        )
    if backends and all(split_host(one)[1] for one in backends):
        raise UsageError(
            "--save-golden stores outputs of this machine, and --backends names only others: add one without "
            "@HOST"
        )


def _request(
    *,
    paths: tuple[Path, ...],
    source: str | None,
    data: str | None,
    calibration: str | None,
    shape: tuple[int, int, int] | None,
    output: str | None,
    head: HeadKind | None,
    preprocess: str | None,
    model_source: str,
    trust: bool,
    attributed: int,
    unpruned: str | None,
    backends: tuple[str, ...],
    **rest: Any,
) -> VerifyRequest:
    """Check what can be checked at once. Raises UsageError, UnknownName, ModelError, DataError."""
    if not paths:
        raise UsageError("nothing to verify: name .tflite or .onnx files, or a folder that `convert` wrote")
    files = bench_files(paths)
    brought = [str(file.path) for file in files if file.brought]
    if source is None:
        if len(brought) != 1:
            raise UsageError(_no_reference(model_source))
        source = brought[0]
    if data is None:
        raise UsageError(
            "--data is missing: artifacts are verified on images; a thousand labelled ones mostly suffice"
        )
    model_request = ModelRequest(source, trust, shape, preprocess, output=output, head=head)
    model = _reference(model_request)
    if unpruned is not None and not (attributed and isinstance(model, ModelRequest)):
        raise UsageError(
            "--unpruned is for causes of loss: it needs a Keras model as --reference, and --attribute N"
        )
    before = None if unpruned is None else replace(model_request, source=unpruned)
    if before is not None:
        check_source(before)
    return VerifyRequest(
        files=tuple(file for file in files if not file.brought),
        reference=model,
        data=data,
        expected=hashes_reported(paths),
        backends=backends or first_backends(file.format for file in files if not file.brought) or BACKENDS,
        attributed=attributed,
        unpruned=before,
        calibration=calibration,
        head=head,
        **rest,
    )


def _no_reference(model_source: str) -> str:
    if not model_source:
        return "--reference is missing: name the model that the artifacts were made from"
    return (
        f"--reference is missing: the report names {model_source}, which is no longer there, or has changed: "
        "name where that model is now"
    )


@dataclass(frozen=True, kw_only=True)
class _Defaults:
    """Of options that were not given."""

    reference: str | None = None
    data: str | None = None
    calibration: str | None = None
    max_drop: float = MAX_DROP_PP
    preprocess: str | None = None
    output: str | None = None
    head: HeadKind | None = None
    input_shape: tuple[int, int, int] | None = None


def _defaults(known: ConvertedBy | None, source: str | None, files: ValueFiles) -> _Defaults:
    """As the report of the folder says; what it says of its model is of that alone."""
    if known is None:
        return _Defaults()
    same = source is None or _is_model(source, known)
    prepared = known.preprocessing if same else None
    return _Defaults(
        reference=known.reference,
        data=known.data,
        calibration=known.calibration,
        max_drop=or_else(known.max_drop_pp, MAX_DROP_PP),
        preprocess=None if prepared is None else files.preprocessing(prepared),
        output=known.output if same else None,
        head=known.head if same else None,
        input_shape=known.input_shape if same else None,
    )


def _is_model(source: str, known: ConvertedBy) -> bool:
    path = Path(source)
    return path.is_file() and sha256_of(path) == known.model_sha256


def _taken(known: ConvertedBy | None, defaults: _Defaults, given: Mapping[str, object]) -> tuple[str, ...]:
    """A note on what was taken from the report."""
    if known is None:
        return ()
    words = {
        "reference": defaults.reference,
        "data": defaults.data,
        "calibration": defaults.calibration,
        "max_drop": None if known.max_drop_pp is None else f"{known.max_drop_pp:g}",
        "preprocess": known.preprocessing.name if known.preprocessing and defaults.preprocess else None,
        "output": defaults.output,
        "head": defaults.head,
        "input_shape": None if defaults.input_shape is None else ",".join(map(str, defaults.input_shape)),
    }
    taken = [
        f"--{key.replace('_', '-')} {word}"
        for key, word in words.items()
        if word is not None and given[key] is None
    ]
    return (f"as the report in {known.folder} says: {', '.join(taken)}",) if taken else ()


def _images(known: ConvertedBy, now: Mapping[str, Any], *, part: bool, in_order: bool) -> Iterator[str]:
    """Notes on how the images stand to those of `convert`, from the same DATA; `part`: not all were asked
    for, `in_order`: they stand in no random order."""
    proof, held = known.images, known.held_out
    if proof is None:
        return
    left_out = f"the {count(held, 'image')} that it held out for calibration are not used"
    if in_order and not part and now["sha256"] != proof.sha256:
        some = ", and some may have set the int8 ranges" if held else ""
        yield f"{now['source']} has changed since the report in {known.folder}: the images are others{some}"
    elif in_order:
        which = proof.compared(now["n"], now["sha256"], same_data=True)
        yield f"{count(now['n'], 'image')}, {which}" + (f"; {left_out}" if held else "")
    elif held:
        yield f"images as for `convert`; {left_out}"


def _reference(request: ModelRequest) -> ModelRequest | Path:
    word, path = request.source, Path(request.source)
    if is_artifact(word):
        if not path.is_file():
            raise UsageError(f"--reference {word} is not there: name the model, or the file, to compare with")
        return path
    check_source(request)
    return request
