"""Runs in a worker. Which artifacts to make and where to prove them, settled before any work.

It imports every format and backend that the run will need, so that a missing package is an
error now and not after minutes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from resnet_edge.backends._pinned_environment import PinnedRuntime, runtimes
from resnet_edge.conversion.plan_task import Plan, PlanArtifacts
from resnet_edge.core import registry
from resnet_edge.core.errors import UnsupportedScheme, UsageError
from resnet_edge.core.runtime_floor import BY_DAY, RuntimeFloor, release_of
from resnet_edge.core.scheme import Scheme
from resnet_edge.evaluation.job import Job, Offer, Target
from resnet_edge.evaluation.offers import backend_with, open_probe
from resnet_edge.schemes import scheme_of
from resnet_edge.workers.progress import OnProgress


def plan(request: PlanArtifacts, on_progress: OnProgress) -> Plan:
    """Settle the run. Raises UnknownName, UsageError, UnsupportedScheme, MissingDependency,
    DeviceUnavailable."""
    schemes = {name: scheme_of(name) for name in request.schemes}
    formats = {name: registry.load("formats", name) for name in request.formats}
    if any(scheme.weights != "float32" for scheme in schemes.values()):
        importlib.import_module(
            "resnet_edge.graph.quantization.quantize"
        )  # a missing package is reported by the worker
    _check_options(request, schemes, formats)
    pinned, notes = _pinned(request)
    backends = tuple(dict.fromkeys((*request.backends, *pinned)))
    targets = places(formats, backends, request.offers)
    jobs = []
    for scheme_name, scheme in schemes.items():
        for format_name, module in formats.items():
            reason = module.refusal(scheme)
            if reason is None:
                turned = request.channels_first and _takes_either(module)
                job = _job(format_name, module, scheme_name, scheme, targets[format_name])
                jobs.append(replace(job, channels_first=turned))
            else:
                notes.append(f"no {scheme_name} in {format_name}: {reason}")
        if not any(job.scheme == scheme_name for job in jobs):
            raise UnsupportedScheme(f"{'; '.join(notes)}: ask for another of --schemes or --formats")
    if request.channels_first:
        turned_names = ", ".join(name for name, module in formats.items() if _takes_either(module))
        notes.append(f"--nchw: {turned_names} files take images as (N, C, H, W), others as (N, H, W, C)")
    return Plan(tuple(jobs), tuple(notes))


def _takes_either(module: Any) -> bool:
    """Whether files of the format take their channels first or last, as they are asked."""
    return bool(getattr(module, "CHANNELS_FIRST", False))


def _check_options(request: PlanArtifacts, schemes: Mapping[str, Scheme], formats: Mapping[str, Any]) -> None:
    """Refuse what nothing that is to be made can follow. Raises UsageError."""
    if request.io != "float32" and any(scheme.activations != "int8" for scheme in schemes.values()):
        raise UsageError(f"--io {request.io} is for int8 artifacts: add --schemes int8")
    if request.integer_scores and request.io != "int8":
        raise UsageError("--integer-softmax is for artifacts of int8 at both ends: add --io int8")
    if request.channels_first and not any(map(_takes_either, formats.values())):
        raise UsageError("--nchw is for ONNX, and TFLite files take NHWC alone: add onnx to --formats")
    if request.dense_scales == "per-channel":
        _check_per_channel(request, schemes)


def _pinned(request: PlanArtifacts) -> tuple[list[str], list[str]]:
    """Of each runtime asked for the oldest pinned one that is installed, and notes where there is none."""
    pinned, notes = [], []
    for floor in request.runtimes:
        if floor.format not in request.formats:
            raise UsageError(f"--runtimes {floor} is for {floor.format}: add it to --formats")
        known = [one for name, one in runtimes().items() if name.partition("@")[0] == floor.name]
        here = next((one for one in known if one.is_there() and _meets(one, floor)), None)
        if here is None:
            missing = next(
                (f": install {one.name} (make extras-museum)" for one in known if _meets(one, floor)), ""
            )
            notes.append(f"no file was run on {floor}, only its needs compared with that{missing}")
        else:
            pinned.append(here.name)
    return pinned, notes


def _check_per_channel(request: PlanArtifacts, schemes: Mapping[str, Scheme]) -> None:
    """Refuse scales for each output of dense layers where nothing has them, or a runtime that is asked for
    computes them wrongly."""
    from resnet_edge.graph.versions.needed import scales_apart

    integer = {name: scheme for name, scheme in schemes.items() if scheme.weights == "int8"}
    if not integer:
        raise UsageError("--dense-scales per-channel is for int8 weights: add int8 to --schemes")
    for floor in request.runtimes:
        for name, scheme in integer.items():
            known = scales_apart(scheme.activations)
            since = {"tflite": known.since, BY_DAY: known.micro}.get(floor.name, "") if known else ""
            if since and not floor.holds(since):
                raise UsageError(
                    f"--dense-scales per-channel in {name} needs {floor.runtime} {since}, and --runtimes "
                    f"asks for {floor}: ask for {floor.name}>={since}, leave {name} out of --schemes, "
                    "or leave --dense-scales out"
                )


def _meets(pinned: PinnedRuntime, floor: RuntimeFloor) -> bool:
    return release_of(floor.name, pinned.release) >= release_of(floor.name, floor.version)


def _job(format_name: str, module: Any, scheme_name: str, scheme: Scheme, targets: tuple[Target, ...]) -> Job:
    # No runtime has fast kernels for int16 activations: LiteRT runs them some 30 times slower than int8.
    slow = scheme.activations == "int16"
    return Job(
        format=format_name,
        scheme=scheme_name,
        suffix=module.SUFFIX,
        needs_calibration=scheme.needs_calibration,
        min_sqnr_db=scheme.min_sqnr_db,
        targets=targets,
        slow=slow,
        may_mix_precision=scheme.activations == "int8",
    )


def places(
    formats: Iterable[str], backends: tuple[str, ...], offers: tuple[Offer, ...] = ()
) -> dict[str, tuple[Target, ...]]:
    """By format, the backends among those asked for that open it; `offers` tell it of those on other
    machines. Raises as `plan` does."""
    return {name: _places_of(name, backends, offers) for name in formats}


def _places_of(format_name: str, backends: tuple[str, ...], offers: tuple[Offer, ...]) -> tuple[Target, ...]:
    targets = []
    elsewhere = {offer.word: offer for offer in offers}
    for word in backends:
        if word in elsewhere:
            targets += [elsewhere[word].target] if format_name in elsewhere[word].formats else []
            continue
        name, _, device = word.partition(":")
        device = device or "cpu"
        module = backend_with(name, device)
        if format_name in module.FORMATS:
            open_probe(module, format_name, device)
            targets.append(Target(name, device, hasattr(module, "start")))
    if not targets:
        raise UsageError(f"none of --backends {','.join(backends)} opens {format_name}: add one that does")
    return tuple(targets)
