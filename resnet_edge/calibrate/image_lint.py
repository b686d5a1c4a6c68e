"""What the pixels of calibration images tell: their scale, channels, spread, blank and repeated images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resnet_edge.core.results.calibration_lint import LintFinding, Severity
from resnet_edge.data.image_scan import Scan

PIXELS_APART = 0.25
"""By what share of the span of the pixels a quantile may be off. In ten draws of 100 of the bundled images
none was off by more than 0.06 (in other draws, 0.09), and in ten of 10 by 0.31; at half of the brightness
one is by 0.50 (python -m benchmarks.calibration_lint)."""
BLANK = 0.02
"""An image whose values span less than this share of what they span in all shows nothing."""
MOST_BLANK = MOST_REPEATED = 0.05
"""The share of images from which on they are missed: below, the others make up for them."""
SURE = 4.0
"""Standard errors by which a difference of channels must be one."""
PIXEL, UNIT, SYMMETRIC = "raw pixels", "values of 0 to 1", "values of -1 to 1"
STANDARD, CENTRED = "values divided by a standard deviation", "pixels less their mean"


def scale(calibration: Scan, evaluation: Scan, takes_pixels: bool) -> Iterator[LintFinding]:
    """Normalized images where raw pixels are wanted, or the reverse."""
    if calibration.low == calibration.high:  # blank, which is said elsewhere, and no scale at all
        return
    ours, theirs = _scale(calibration.low, calibration.high), _scale(evaluation.low, evaluation.high)
    figures = {
        "low": calibration.low,
        "high": calibration.high,
        "against_low": evaluation.low,
        "against_high": evaluation.high,
    }
    held = f"the calibration images hold {ours}, from {calibration.low:.3g} to {calibration.high:.3g}"
    if takes_pixels and ours != PIXEL:
        sentence = f"{held}, and the artifacts take raw pixels, 0 to 255: calibrate with raw pixels"
        yield LintFinding("scale", "error", sentence, figures)
    elif ours != theirs:
        sentence = (
            f"{held}, and those of the proof {theirs}, from {evaluation.low:.3g} to {evaluation.high:.3g}: "
            "give both as the model takes them"
        )
        # Images of little contrast that were standardized may well lie between -1 and 1.
        unsure = {ours, theirs} == {SYMMETRIC, STANDARD}
        yield LintFinding("scale", "warning" if unsure else "error", sentence, figures)


def _scale(low: float, high: float) -> str:
    """How pixels were preprocessed, by their extremes."""
    if low >= 0:
        return UNIT if high <= 1 else PIXEL
    largest = max(-low, high)
    if largest <= 1.01:  # rounded
        return SYMMETRIC
    return STANDARD if largest <= 20 else CENTRED


def channels(calibration: Scan, evaluation: Scan) -> Iterator[LintFinding]:
    """Red and blue the other way round: where they differ here as they do there, with the other sign."""
    if calibration.pixels.shape[-1] != 3 or min(len(calibration.pixels), len(evaluation.pixels)) < 2:
        return
    (ours, our_error), (theirs, their_error) = _red_less_blue(calibration), _red_less_blue(evaluation)
    sure = abs(ours) > SURE * our_error and abs(theirs) > SURE * their_error
    if sure and ours * theirs < 0 and 0.5 <= abs(ours / theirs) <= 2:
        yield LintFinding(
            "channels",
            "warning",
            f"red less blue is {ours:+.3g} on average in the calibration images and {theirs:+.3g} in those "
            "of the proof: if one set was read as BGR (as OpenCV does), read it as RGB",
            {"red_less_blue": ours, "against_red_less_blue": theirs},
        )


def _red_less_blue(scan: Scan) -> tuple[float, float]:
    """The mean over images, and its standard error."""
    each = (scan.pixels[..., 0] - scan.pixels[..., 2]).mean(axis=1, dtype=np.float64)
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))


def pixels_apart(calibration: Scan, evaluation: Scan) -> float:
    """The largest difference between quantiles of a channel, as a share of what the proof's span."""
    ours, theirs = calibration.quantiles, evaluation.quantiles
    span = float(theirs.max() - theirs.min())
    apart = float(np.abs(ours - theirs).max())
    return apart / span if span > 0 else float(apart > 0)


def drift(apart: float, ranges_hold: bool) -> Iterator[LintFinding]:
    """Pixels that are spread otherwise than those of the proof. Where the ranges hold all the same, that is
    a note: the bundled images at half of their brightness cost 0.6 dB."""
    if apart > PIXELS_APART:
        sentence = (
            "the pixels of the calibration images are spread otherwise than those of the proof, by up to "
            f"{apart:.0%} of their span: calibrate with images like those that the app will see"
        )
        severity: Severity = "note" if ranges_hold else "warning"
        yield LintFinding("pixels", severity, sentence, {"pixels_apart": apart})


def blank(calibration: Scan) -> Iterator[LintFinding]:
    """Images that show nothing."""
    limit = BLANK * (calibration.high - calibration.low)
    n = int((calibration.spans <= limit).sum())
    if not n:
        return
    severity: Severity = (
        "error" if n == calibration.n else "warning" if n > MOST_BLANK * calibration.n else "note"
    )
    sentence = (
        f"{n:,} of {calibration.n:,} calibration images are blank, or nearly so: put photos in their place"
    )
    yield LintFinding("blank", severity, sentence, {"blank": n})


def repeated(calibration: Scan) -> Iterator[LintFinding]:
    """Images that are there more than once."""
    n = calibration.n - len(set(calibration.digests))
    if n:
        severity: Severity = "warning" if n > MOST_REPEATED * calibration.n else "note"
        subject = f"{n:,} of {calibration.n:,} calibration images"
        sentence = f"{subject} repeat another pixel for pixel: put others in their place"
        yield LintFinding("duplicates", severity, sentence, {"duplicates": n})


def leaked(calibration: Scan, evaluation: Scan) -> Iterator[LintFinding]:
    """Images of the proof that are calibrated with: then it is not wholly on images that are new."""
    ours = set(calibration.digests)
    n = sum(digest in ours for digest in evaluation.digests)
    if n:
        sentence = (
            f"{n:,} of the {evaluation.n:,} images of the proof are among the calibration images, which "
            "the artifacts are fitted to: take them out of one of the two, or leave --calibration out"
        )
        yield LintFinding("leakage", "error", sentence, {"leaked": n})
