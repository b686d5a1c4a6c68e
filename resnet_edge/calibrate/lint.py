"""Runs in a worker. What is wrong with calibration images, before anybody looks for it in the int8 file.

Nothing here stops a run: the proof is the judge, and this says where to look.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge.calibrate import image_lint as _image_lint
from resnet_edge.calibrate.class_lint import classes
from resnet_edge.calibrate.lint_task import LintCalibration
from resnet_edge.core.affordable import images_within
from resnet_edge.core.answers import answers
from resnet_edge.core.errors import DataError
from resnet_edge.core.head import Head
from resnet_edge.core.results.calibration_lint import CalibrationLint, Kind, LintFinding
from resnet_edge.data.image_file import mapped
from resnet_edge.data.image_scan import scan
from resnet_edge.data.images_task import Images
from resnet_edge.data.rows import evenly
from resnet_edge.graph.quantization.calibrate import Ranges, measure
from resnet_edge.graph.quantization.histogram import Distribution
from resnet_edge.workers.progress import OnProgress, underway

FEW = 100
"""Images. Against all 1,000 of the bundled model, the int8 file of 100 random ones lost 0.2 dB in the
median of ten draws and 0.9 dB at worst (in other draws, 2.0); of 200, nothing and 1.5 dB; of 50, 2.0 and
3.7 dB; of 10, 7 and 10 dB (python -m benchmarks.calibration_lint)."""
OUTSIDE = 0.01
"""The share of a tensor's values. In ten draws of 100 of those images no tensor had more than 0.004 outside
(in other draws, 0.009); of 20, 0.018, and the file lost up to 7 dB; of all, divided by 255, 0.70, and it
lost 32 dB."""
FEWEST, MOST, WORK = 8, 128, 8_000_000_000
"""Images of the proof on which activations are watched: as many as WORK multiply-accumulates allow."""
SECONDS = 1.5
"""No further image is begun after so long, beyond the fewest."""


def lint(request: LintCalibration, on_progress: OnProgress) -> CalibrationLint:
    """Look for everything that can be looked for; an empty set is an error, and nothing else is said."""
    ours, theirs = request.calibration.source, request.evaluation.source
    with underway("calibration lint", f"{ours}, against {theirs}", on_progress):
        return _lint(request)


def _lint(request: LintCalibration) -> CalibrationLint:
    if not request.calibration.n:
        sentence = "there is no calibration image: give some with --calibration"
        return _lint_of(
            request, _LintPart((LintFinding("count", "error", sentence, {"n": 0}),), ("count",), {})
        )
    activations = _activations(request)
    parts = [_count(request), _pixels(request, _hold(activations)), activations]
    return _lint_of(request, _LintPart.of(parts))


@dataclass(frozen=True)
class _LintPart:
    findings: tuple[LintFinding, ...]
    checked: tuple[Kind, ...]
    figures: dict[str, float]

    @classmethod
    def of(cls, parts: Iterable[_LintPart]) -> _LintPart:
        """All together."""
        listed = list(parts)
        return cls(
            tuple(finding for part in listed for finding in part.findings),
            tuple(check for part in listed for check in part.checked),
            {name: value for part in listed for name, value in part.figures.items()},
        )


def _lint_of(request: LintCalibration, part: _LintPart) -> CalibrationLint:
    ours, theirs = request.calibration, request.evaluation
    order = {"error": 0, "warning": 1, "note": 2}
    findings = tuple(sorted(part.findings, key=lambda finding: order[finding.severity]))
    return CalibrationLint(
        n=ours.n,
        source=ours.source,
        against_n=theirs.n,
        against=theirs.source,
        findings=findings,
        checked=part.checked,
        figures=part.figures,
    )


def _count(request: LintCalibration) -> _LintPart:
    n, findings = request.calibration.n, []
    if n < FEW:
        sentence = f"{n:,} calibration images are few: give {FEW} or more, as many of each class"
        findings.append(LintFinding("count", "warning", sentence, {"n": n, "enough": FEW}))
    return _LintPart(tuple(findings), ("count",), {})


def _hold(activations: _LintPart) -> bool:
    return "ranges" in activations.checked and not any(f.kind == "ranges" for f in activations.findings)


def _pixels(request: LintCalibration, ranges_hold: bool) -> _LintPart:
    ours = scan(Path(request.calibration.images))
    theirs = scan(Path(request.evaluation.images), only=frozenset(ours.digests))
    leaked = tuple(_image_lint.leaked(ours, theirs))
    mixed = tuple(_image_lint.scale(ours, theirs, request.preprocessing.takes_pixels))
    apart = _image_lint.pixels_apart(ours, theirs)
    findings = (
        *leaked,
        *mixed,
        *_image_lint.channels(ours, theirs),
        *(() if mixed else _image_lint.drift(apart, ranges_hold)),  # which would say the same again
        *_image_lint.blank(ours),
        *_image_lint.repeated(ours),
    )
    checked: list[Kind] = ["leakage", "scale", "pixels", "blank", "duplicates"]
    if ours.pixels.shape[-1] == 3:
        checked.insert(2, "channels")
    counted = {"leaked": 0.0, "duplicates": 0.0, "blank": 0.0, "pixels_apart": apart}
    for finding in findings:
        counted.update({name: value for name, value in finding.figures.items() if name in counted})
    return _LintPart(findings, tuple(checked), counted)


def _activations(request: LintCalibration) -> _LintPart:
    """What needs the model: ranges, and classes where there are no labels."""
    limits, outputs = _calibrated(request)
    if request.head.kind == "embedding":  # whatever images are of, no output stands for it
        return _watched(request, limits, _LintPart((), (), {}))
    labels, words = _labels(request.calibration, request.head), "their labels"
    if labels is None and outputs is not None:
        labels, words = answers(request.head, outputs), "what the model sees"
    against = _labels(request.evaluation, request.head)
    findings = tuple(classes(labels, against, request.head.classes, words))
    checked: tuple[Kind, ...] = ("classes",) if labels is not None else ()
    figures = {} if labels is None else {"classes_seen": float(_seen(labels))}
    return _watched(request, limits, _LintPart(findings, checked, figures))


def _seen(labels: NDArray[Any]) -> int:
    """How many classes, or labels, some image is of."""
    return int(labels.any(axis=0).sum()) if labels.ndim == 2 else len(np.unique(labels))


def _watched(request: LintCalibration, limits: Ranges | None, known: _LintPart) -> _LintPart:
    """What is known of classes, and of ranges besides where these are."""
    findings, checked, figures = known.findings, known.checked, dict(known.figures)
    if limits is None or request.portable is None:
        return _LintPart(findings, checked, figures)
    try:
        outside, watched = _outside(request, request.portable, limits)
    except DataError:  # NaN: the proof itself says so
        return _LintPart(findings, checked, figures)
    figures |= {"outside": max(outside.values(), default=0.0), "watched": float(watched)}
    return _LintPart((*findings, *_ranges(outside)), (*checked, "ranges"), figures)


def _labels(images: Images, head: Head) -> NDArray[Any] | None:
    """Labels, where they number the classes of the model: a folder of some classes only has numbers of
    its own. Of several per image (N, labels), where there are as many as the model has."""
    count = head.classes
    if images.labels is None or len(images.class_names) not in (0, count):
        return None
    labels: NDArray[Any] = np.load(images.labels)
    if head.kind == "multilabel" or labels.ndim == 2:
        return labels if head.kind == "multilabel" and labels.shape[1:] == (count,) else None
    return labels if labels.size and labels.max() < count else None


def _calibrated(request: LintCalibration) -> tuple[Ranges | None, NDArray[np.float32] | None]:
    """What the float graph gave on the calibration images."""
    if request.limits is not None and request.outputs is not None:
        limits = msgspec.json.decode(Path(request.limits).read_bytes(), type=Ranges)
        return limits, np.load(request.outputs)
    if request.portable is None:
        return None, None
    images = mapped(Path(request.calibration.images))
    rows = (np.asarray(images[row : row + 1], np.float32) for row in range(len(images)))
    try:
        measured = measure(
            Path(request.portable), rows, takes_pixels=request.preprocessing.takes_pixels, threads=1
        )
    except DataError:  # calibration itself says so, as an error
        return None, None
    return measured.limits(), measured.outputs


def _outside(request: LintCalibration, portable: str, limits: Ranges) -> tuple[dict[str, float], int]:
    """Of each tensor, the share of its values on images of the proof that lie outside of `limits`; and on
    how many images."""
    images = mapped(Path(request.evaluation.images))
    most = images_within(WORK, request.macs, FEWEST, MOST)
    order = np.random.default_rng(0).permutation(evenly(len(images), most))
    rows = (np.asarray(images[row : row + 1], np.float32) for row in _in_time(order.tolist()))
    measured = measure(
        Path(portable),
        rows,
        takes_pixels=request.preprocessing.takes_pixels,
        threads=1,
        histograms=True,
        count=len(order),
    )
    names = [name for name in measured.activations if name in limits and name not in measured.fixed]
    shares = {name: _share(measured.activations[name].distribution(), *limits[name]) for name in names}
    return shares, len(measured.outputs)


def _in_time(rows: list[int]) -> Iterator[int]:
    began = time.monotonic()
    for done, row in enumerate(rows):
        if done >= FEWEST and time.monotonic() - began > SECONDS:
            return
        yield row


def _share(distribution: Distribution, low: float, high: float) -> float:
    """The share of values outside; zero is within, since every grid of int8 has a zero."""
    total = float(distribution.counts.sum()) + distribution.zeros
    centres = (distribution.edges[:-1] + distribution.edges[1:]) / 2
    outside = (centres < min(low, 0.0)) | (centres > max(high, 0.0))
    return float(distribution.counts[outside].sum()) / total if total > 0 else 0.0


def _ranges(outside: dict[str, float]) -> Iterator[LintFinding]:
    beyond = {name: share for name, share in outside.items() if share > OUTSIDE}
    if not beyond:
        return
    worst = max(beyond, key=lambda name: beyond[name])
    sentence = (
        f"{len(beyond)} of {len(outside)} tensors leave the calibrated range on images of the proof, {worst} "
        f"with {beyond[worst]:.1%} of its values, which int8 clips: calibrate with more images, like those"
    )
    yield LintFinding("ranges", "warning", sentence, {"tensors": len(beyond), "outside": beyond[worst]})
