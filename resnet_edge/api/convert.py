"""`resnet_edge.convert`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from resnet_edge.api.checked import AtLeast0, AtLeast1, NotNegative, Percentage, Shape, checked
from resnet_edge.api.names import Backends, ClassNames, Cluster, Formats, Runtimes, Schemes, check_on_cluster
from resnet_edge.api.names import backends as backends_in
from resnet_edge.api.names import formats as formats_in
from resnet_edge.api.names import runtimes as runtimes_in
from resnet_edge.api.names import schemes as schemes_in
from resnet_edge.api.reports import ConvertReport, extended
from resnet_edge.api.source_paths import bundled_inputs, read_paths, seen_from
from resnet_edge.api.values import Data, Model, or_else, text, value_files
from resnet_edge.calibrate.calibration_task import CalibratorName, RepairName
from resnet_edge.conversion.convert import convert as run
from resnet_edge.conversion.convert_request import ConvertRequest
from resnet_edge.conversion.plan_task import PlanArtifacts
from resnet_edge.core.errors import UsageError
from resnet_edge.core.files.bundled import BUNDLED, CALIBRATION_FILE, DATA, MODEL_FILE, bundled
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.head import HeadKind
from resnet_edge.core.machine import usable_cores
from resnet_edge.core.scheme import DenseScales, Io
from resnet_edge.core.tolerances import MAX_DROP_PP
from resnet_edge.data.class_names import class_names_in
from resnet_edge.evaluation.first_backend import first_backends
from resnet_edge.models import ModelRequest, check_source
from resnet_edge.report import write_reports
from resnet_edge.report.junit import junit as junit_xml
from resnet_edge.report.junit import proved
from resnet_edge.report.whole_file import check_writable, write_whole
from resnet_edge.schemes import scheme_of
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.variables import check_variables

SCHEMES = ("fp32", "fp16", "dynamic", "int8")


@checked
def convert(
    model: Model | None = None,
    *,
    data: Data | None = None,
    out: str | Path = "dist",
    overwrite: bool = False,
    formats: Formats = ("tflite", "onnx"),
    schemes: Schemes | None = None,
    calibration: Data | None = None,
    calibrator: CalibratorName = "auto",
    repair: RepairName | None = None,
    plan: bool | None = None,
    float_layers: AtLeast0 = 0,
    max_drop: Percentage = MAX_DROP_PP,
    preprocess: str | Path | None = None,
    backends: Backends | None = None,
    cluster: Cluster | None = None,
    runtimes: Runtimes = (),
    thorough: bool = False,
    io: Io = "float32",
    integer_softmax: bool = False,
    dense_scales: DenseScales = "per-tensor",
    dynamic_batch: bool = False,
    nchw: bool = False,
    labels: ClassNames | None = None,
    input_shape: Shape | None = None,
    output: str | None = None,
    head: HeadKind | None = None,
    accept_reference: bool = False,
    thumbnails: bool = True,
    trust: bool = False,
    threads: AtLeast1 = 1,
    latency_seconds: NotNegative = 8.0,
    junit: str | Path | None = None,
    on_progress: OnProgress = silent,
    command: str = "resnet_edge.convert(…)",
) -> ConvertReport:
    """Convert a model to TFLite and ONNX, prove every artifact against it, and write `out`.

    `model` is a keras.Model or a MODEL of the command line; None: the bundled ResNet-20, proved on the test
    images of Fashion-MNIST. `data` and `calibration` are a DATA word or arrays: images (N, H, W, C), uint8
    or float32, or (images, labels). `labels` are class names, or a file of them. All else is as
    `resnet-edge convert --help` says; `command` is how the report says it was made.

    What failed alone is in `failures` of the report, and the folder then is `out` with `.partial`.
    Raises UsageError, UnknownName, ModelError, DataError, OutputError, MissingDependency, DeviceUnavailable,
    HostUnavailable, ClusterUnavailable, UnsupportedScheme, WorkerFailed.
    """
    check_variables()
    if junit is not None:
        check_writable("--junit", Path(junit), overwrite)
    kinds = formats_in(formats)
    named = first_backends(kinds) if backends is None else backends_in(backends)
    check_on_cluster(cluster, named)
    what = PlanArtifacts(
        formats=kinds,
        schemes=schemes_in(or_else(schemes, SCHEMES)),
        backends=named,
        io=io,
        integer_scores=integer_softmax,
        runtimes=runtimes_in(runtimes),
        choose=schemes is None,
        channels_first=nchw,
        dense_scales=dense_scales,
    )
    _check_latency(threads, latency_seconds)
    _check_calibrated(what.schemes, calibration=calibration, calibrator=calibrator, repair=repair)
    _check_float_layers(what.schemes, float_layers, plan=plan)
    with value_files() as files:
        source, images = None if model is None else files.model(model), files.data(data)
        calibrating = files.data(calibration, "calibration")
        read = read_paths(
            source, images, calibrating, labels if isinstance(labels, str | Path) else None, preprocess
        )
        inputs = seen_from(Path(out), model=model, data=data, calibration=calibration)
        inputs = inputs if model is not None else {**bundled_inputs(), **inputs}
        inputs |= {} if output is None else {"output": output}
        inputs |= {} if input_shape is None else {"input_shape": ",".join(map(str, input_shape))}
        place = Workspace(Path(out), writer="convert", overwrite=overwrite, inputs=read)
        request = ConvertRequest(
            model=_model(
                ModelRequest(
                    source or str(bundled(MODEL_FILE)),
                    trust,
                    input_shape,
                    text(preprocess),
                    output=output,
                    head=head,
                )
            ),
            data=_data(source, images),
            calibration=_calibration(images, calibrating),
            plan=what,
            max_drop_pp=max_drop,
            threads=_threads(threads),
            latency_seconds=latency_seconds,
            mixed_precision=or_else(plan, not float_layers),
            float_layers=float_layers,
            thorough=thorough,
            dynamic_batch=dynamic_batch,
            calibrator=calibrator,
            # Who names a calibrator gets that and nothing else.
            repair=repair or ("auto" if calibrator == "auto" else "none"),
            class_names=_class_names(labels),
            command=command,
            source_name=f"{MODEL_FILE}{BUNDLED}" if model is None else files.name_of(model),
            accept_reference=accept_reference,
            thumbnails=thumbnails,
            cluster=cluster,
        )
        with place as workspace:
            report = files.named(run(request, workspace, files.progress(on_progress)))
            report = replace(report, inputs=inputs)
            write_reports(report, workspace.folder)
            folder = workspace.publish_partial() if report.failures else workspace.publish()
    if junit is not None:
        write_whole("--junit", Path(junit), junit_xml("resnet-edge convert", proved(report)))
    there = tuple(replace(each, path=str(folder / each.file)) for each in report.artifacts)
    return extended(ConvertReport, replace(report, artifacts=there), folder=folder)


def _model(request: ModelRequest) -> ModelRequest:
    check_source(request)
    return request


def _data(source: str | None, data: str | None) -> str:
    if data is None and source is not None:
        raise UsageError(
            "--data is missing: the artifacts are proved on images; a thousand labelled ones mostly suffice"
        )
    return DATA if data is None else data


def _calibration(data: str | None, calibration: str | None) -> str | None:
    if calibration is None and data in (None, DATA):
        return str(bundled(CALIBRATION_FILE))
    return calibration


def _threads(threads: int) -> int:
    if threads > usable_cores():
        raise UsageError(
            f"--threads {threads}: this process may use {usable_cores()} cores; ask for at most that"
        )
    return threads


def _check_latency(threads: int, latency_seconds: float) -> None:
    if threads != 1 and not latency_seconds:
        raise UsageError(
            f"--threads {threads} is for latency, and --latency-seconds 0 measures none: leave one of them "
            "out"
        )


def _check_calibrated(
    schemes: tuple[str, ...],
    *,
    calibration: Data | None,
    calibrator: CalibratorName,
    repair: RepairName | None,
) -> None:
    """Refuse options of int8 ranges where no scheme has any. Those that say what not to do, as --no-plan,
    are followed there too."""
    if any(scheme_of(name).needs_calibration for name in schemes):
        return
    for option, named in (
        ("--calibration", calibration is not None),
        ("--calibrator", calibrator != "auto"),
        ("--repair", repair is not None),
    ):
        if named:
            raise UsageError(f"{option} is for int8 artifacts: add --schemes int8, or leave it out")


def _check_float_layers(schemes: tuple[str, ...], steps: int, *, plan: bool | None) -> None:
    if steps and plan:
        raise UsageError(
            "--float-layers says which layers stay in float, and --plan would look for them: leave out one"
        )
    if steps and not any(scheme_of(name).activations == "int8" for name in schemes):
        raise UsageError(f"--float-layers {steps} is for int8 artifacts: add --schemes int8, or leave it out")


def _class_names(labels: str | Path | Sequence[str] | None) -> tuple[str, ...]:
    if labels is None:
        return ()
    return class_names_in(Path(labels)) if isinstance(labels, str | Path) else tuple(labels)
