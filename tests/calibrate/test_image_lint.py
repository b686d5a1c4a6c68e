"""Tests of calibrate.image_lint, on scans; tests/calibrate/test_lint.py lints files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.calibrate.image_lint import (
    PIXELS_APART,
    blank,
    channels,
    drift,
    leaked,
    pixels_apart,
    repeated,
    scale,
)
from resnet_edge.core.results.calibration_lint import LintFinding
from resnet_edge.data.image_scan import Scan, scan

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (40, 5, 5, 3)).astype(np.float32)
STANDARD = (PIXELS - PIXELS.mean()) / PIXELS.std()


@pytest.fixture
def of(tmp_path: Path) -> Any:
    def scanned(images: NDArray[Any]) -> Scan:
        np.save(tmp_path / "a.npy", images)
        return scan(tmp_path / "a.npy")

    return scanned


def severities(findings: Iterator[LintFinding]) -> list[str]:
    return [one.severity for one in findings]


def test_good_images_give_no_finding(of: Any) -> None:
    ours, theirs = of(PIXELS[:20]), of(PIXELS[20:])
    assert [*scale(ours, theirs, True), *channels(ours, theirs), *blank(ours), *repeated(ours)] == []
    assert [*leaked(ours, theirs), *drift(pixels_apart(ours, theirs), False)] == []


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (PIXELS / 255, "values of 0 to 1, from 0 to 1"),
        (PIXELS / 127.5 - 1, "values of -1 to 1"),
        (STANDARD, "values divided by a standard deviation"),
        (PIXELS - 120, "pixels less their mean"),
    ],
)
def test_normalized_images_where_pixels_are_wanted(of: Any, images: NDArray[Any], said: str) -> None:
    (one,) = scale(of(images), of(PIXELS), True)
    assert (one.severity, said in one.sentence) == ("error", True)
    assert one.sentence.endswith("the artifacts take raw pixels, 0 to 255: calibrate with raw pixels")
    (other,) = scale(of(PIXELS), of(images), False)
    assert other.sentence.endswith("give both as the model takes them")


def test_standardized_images_of_little_contrast_may_look_symmetric(of: Any) -> None:
    assert severities(scale(of(STANDARD), of(STANDARD / 9), False)) == ["warning"]
    assert severities(scale(of(STANDARD), of(PIXELS), False)) == ["error"]


def test_one_constant_is_no_scale(of: Any) -> None:
    assert [*scale(of(0 * PIXELS), of(PIXELS), True)] == []


def test_red_and_blue_the_other_way_round(of: Any) -> None:
    warm = PIXELS / 2 + np.array([90, 45, 0], np.float32)
    (one,) = channels(of(warm[..., ::-1]), of(warm))
    assert one.figures["red_less_blue"] == pytest.approx(-one.figures["against_red_less_blue"])
    assert [*channels(of(warm), of(warm))] == []
    assert [*channels(of(PIXELS), of(PIXELS[..., ::-1]))] == [], "no difference is no proof"
    assert [*channels(of(warm[..., :1]), of(warm[..., :1]))] == [], "grey has no order"
    assert [*channels(of(warm[:1, ..., ::-1]), of(warm))] == [], "one image is an accident"


def test_darker_images_are_spread_otherwise(of: Any) -> None:
    theirs = of(PIXELS)
    apart = pixels_apart(of(PIXELS / 2), theirs)
    assert apart == pytest.approx(0.5, abs=0.03)
    assert severities(drift(apart, ranges_hold=False)) == ["warning"]
    assert severities(drift(apart, ranges_hold=True)) == ["note"]
    assert severities(drift(PIXELS_APART, ranges_hold=False)) == []
    assert pixels_apart(of(0 * PIXELS), of(0 * PIXELS)) == 0
    assert pixels_apart(theirs, of(0 * PIXELS)) == 1


@pytest.mark.parametrize(("n", "severity"), [(0, []), (2, ["note"]), (3, ["warning"]), (40, ["error"])])
def test_images_that_show_nothing(of: Any, n: int, severity: list[str]) -> None:
    images = PIXELS.copy()
    images[:n] = 128 + PIXELS[:n] / 255
    if n == len(images):
        images[:] = 128
    assert severities(blank(of(images))) == severity


@pytest.mark.parametrize(("n", "severity"), [(0, []), (2, ["note"]), (3, ["warning"])])
def test_images_that_are_there_more_than_once(of: Any, n: int, severity: list[str]) -> None:
    images = PIXELS.copy()
    images[1 : 1 + n] = images[0]
    findings = [*repeated(of(images))]
    assert [one.severity for one in findings] == severity
    assert all(one.sentence.startswith(f"{n} of 40 calibration images repeat another") for one in findings)


def test_images_of_the_proof_are_known_again_whatever_they_are_kept_as(of: Any) -> None:
    (one,) = leaked(of(PIXELS[:7]), of(PIXELS.astype(np.uint8)))
    assert (one.severity, one.figures) == ("error", {"leaked": 7})
    assert one.sentence.startswith("7 of the 40 images of the proof are among the calibration images")
