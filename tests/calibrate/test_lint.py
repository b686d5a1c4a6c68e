"""The lint of calibration images: quiet on good ones, and one test for each thing that can be wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.calibrate.lint import FEW, lint
from resnet_edge.calibrate.lint_task import LintCalibration
from resnet_edge.core.files.bundled import CALIBRATION_FILE, TEST_FILE, bundled
from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.calibration_lint import CalibrationLint, LintFinding
from resnet_edge.data import blocks as _blocks
from resnet_edge.data.images_task import Images
from resnet_edge.workers.progress import silent
from tests.formats import nets
from tests.graph.road import Road, road

Array = NDArray[Any]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Sets:
    """The bundled images, and lints of what tests make of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with np.load(bundled(CALIBRATION_FILE)) as held:
            self.images, self.labels = held["images"][:300], held["labels"][:300]
        with np.load(bundled(TEST_FILE)) as held:
            self.test, self.test_labels = held["images"][:500], held["labels"][:500]

    def written(self, name: str, images: Array, labels: Array | None) -> Images:
        np.save(self.folder / f"{name}.npy", images)
        if labels is not None:
            np.save(self.folder / f"{name}_labels.npy", labels)
        labels_file = None if labels is None else str(self.folder / f"{name}_labels.npy")
        return Images(
            images=str(self.folder / f"{name}.npy"),
            labels=labels_file,
            n=len(images),
            class_names=(),
            source=name,
            sha256="",
        )

    def request(
        self,
        images: Array,
        labels: Array | None = None,
        against: Array | None = None,
        preprocess: str = "model",
    ) -> LintCalibration:
        ours = self.written("ours", images, labels)
        theirs = self.written("theirs", self.test if against is None else against, None)
        return LintCalibration(
            calibration=ours,
            evaluation=theirs,
            head=Head.of_classes(10, "logits"),
            preprocessing=PRESETS[preprocess],
        )

    def lint(
        self,
        images: Array,
        labels: Array | None = None,
        against: Array | None = None,
        preprocess: str = "model",
    ) -> CalibrationLint:
        return lint(self.request(images, labels, against, preprocess), silent)


@pytest.fixture
def sets(tmp_path: Path) -> Sets:
    return Sets(tmp_path)


def only(report: CalibrationLint, kind: str) -> LintFinding:
    (finding,) = [finding for finding in report.findings if finding.kind == kind]
    return finding


def kinds(report: CalibrationLint) -> set[str]:
    return {finding.kind for finding in report.findings}


def test_good_images_are_left_in_peace(sets: Sets) -> None:
    report = sets.lint(sets.images, sets.labels)
    assert report.findings == ()
    assert set(report.checked) == {"count", "leakage", "scale", "pixels", "blank", "duplicates", "classes"}
    assert (report.figures["leaked"], report.figures["duplicates"], report.figures["classes_seen"]) == (
        0,
        0,
        10,
    )


def test_no_image_is_an_error(sets: Sets) -> None:
    report = sets.lint(sets.images[:0])
    assert (only(report, "count").severity, report.n, len(report.findings)) == ("error", 0, 1)


def test_few_images_are_a_warning(sets: Sets) -> None:
    assert only(sets.lint(sets.images[: FEW - 1]), "count").severity == "warning"
    assert "count" not in kinds(sets.lint(sets.images[:FEW]))


def test_missing_classes_and_too_many_of_one(sets: Sets) -> None:
    report = sets.lint(sets.images[sets.labels < 8], sets.labels[sets.labels < 8])
    assert only(report, "classes").figures == {"missing_classes": 2, "classes": 10}
    assert "2 of 10 classes" in only(report, "classes").sentence
    mostly = np.concatenate([np.arange(10), np.flatnonzero(sets.labels == 3)[:1].repeat(90)])
    labels = np.concatenate([np.arange(10), np.full(90, 3)])
    (finding,) = [f for f in sets.lint(sets.images[mostly], labels).findings if f.kind == "classes"]
    assert finding.severity == "warning"
    assert finding.figures == pytest.approx({"unbalanced": 0.81, "largest_class": 0.91})


def test_shares_of_classes_are_held_against_those_of_the_proof(sets: Sets) -> None:
    request = sets.request(sets.images, np.where(np.arange(300) < 280, 0, np.arange(300) % 10))
    assert "classes" in kinds(lint(request, silent))
    alike = np.where(np.arange(500) < 460, 0, np.arange(500) % 10)
    theirs = sets.written("theirs", sets.test, alike)
    assert "classes" not in kinds(lint(replace(request, evaluation=theirs), silent))


def test_without_labels_and_model_the_classes_are_unknown(sets: Sets) -> None:
    report = sets.lint(sets.images)
    assert only(report, "classes").severity == "note"
    assert "classes" not in report.checked


def test_labels_with_numbers_of_their_own_are_not_believed(sets: Sets) -> None:
    request = sets.request(sets.images, np.arange(300) % 2)
    own = replace(request.calibration, class_names=("cat", "dog"))
    assert only(lint(replace(request, calibration=own), silent), "classes").severity == "note"


@pytest.mark.parametrize(
    ("ours", "theirs", "preprocess", "severity"),
    [
        (lambda x: x / 255, lambda x: x, "model", "error"),
        (lambda x: x / 127.5 - 1, lambda x: x, "none", "error"),
        (lambda x: x / 73 - 1.6, lambda x: x, "none", "error"),
        (lambda x: x, lambda x: x / 255, "none", "error"),
        (lambda x: x / 255, lambda x: x / 127.5 - 1, "none", "error"),
        (lambda x: x - 110.0, lambda x: x, "none", "error"),
        (lambda x: x / 127.5 - 1, lambda x: x / 73 - 1.6, "none", "warning"),
    ],
)
def test_normalized_and_raw_images_mixed_up(
    sets: Sets, ours: Any, theirs: Any, preprocess: str, severity: str
) -> None:
    images, against = ours(sets.images).astype(np.float32), theirs(sets.test).astype(np.float32)
    report = sets.lint(images, None, against, preprocess)
    assert only(report, "scale").severity == severity
    assert "pixels" not in kinds(report)
    assert "scale" not in kinds(sets.lint(ours(sets.images[:150]), None, ours(sets.images[150:]), "none"))


def test_bytes_that_were_divided_before_they_were_bytes(sets: Sets) -> None:
    assert only(sets.lint(sets.images // 255), "scale").severity == "error"


def test_red_and_blue_the_other_way_round(sets: Sets) -> None:
    tint = np.array([1.0, 0.8, 0.5])
    ours, theirs = ((x * tint).astype(np.uint8) for x in (sets.images, sets.test))
    report = sets.lint(ours[..., ::-1], None, theirs)
    assert only(report, "channels").severity == "warning"
    assert "channels" not in kinds(sets.lint(ours, None, theirs))
    assert "channels" in sets.lint(ours, None, theirs).checked
    grey = (x.repeat(3, axis=-1) for x in (sets.images, sets.test))
    assert "channels" not in kinds(sets.lint(next(grey)[..., ::-1], None, next(grey)))


def test_darker_images(sets: Sets) -> None:
    report = sets.lint(sets.images // 2)
    assert only(report, "pixels").severity == "warning"
    assert report.figures["pixels_apart"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(("n", "severity"), [(1, "note"), (30, "warning"), (300, "error")])
def test_blank_images(sets: Sets, n: int, severity: str) -> None:
    images = sets.images.copy()
    images[:n] = np.arange(n, dtype=np.uint8).reshape(-1, 1, 1, 1) if n < 300 else 7
    finding = only(sets.lint(images), "blank")
    assert (finding.severity, finding.figures) == (severity, {"blank": n})


@pytest.mark.parametrize(("n", "severity"), [(1, "note"), (30, "warning")])
def test_repeated_images(sets: Sets, n: int, severity: str) -> None:
    images = sets.images.copy()
    images[-n:] = images[:n]
    finding = only(sets.lint(images), "duplicates")
    assert (finding.severity, finding.figures) == (severity, {"duplicates": n})


@pytest.mark.parametrize("block", [1, 5000, 1 << 24])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_of_the_proof_among_them(
    sets: Sets, monkeypatch: pytest.MonkeyPatch, block: int, dtype: type
) -> None:
    monkeypatch.setattr(_blocks, "BLOCK", block)
    images = sets.images.copy()
    images[7], images[290] = sets.test[499], sets.test[3]
    finding = only(sets.lint(images.astype(dtype)), "leakage")
    assert (finding.severity, finding.figures) == ("error", {"leaked": 2})
    images[7, 0, 0] ^= 1
    assert only(sets.lint(images.astype(dtype)), "leakage").figures == {"leaked": 1}


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Road:
    model = nets.residual_v1()
    return road(model, nets.images(model, n=40), tmp_path_factory.mktemp("lint"))


def with_graph(net: Road, sets: Sets, ours: Array, theirs: Array) -> LintCalibration:
    request = sets.request(ours, None, theirs, "none")
    return replace(
        request, portable=str(net.float_graph), head=Head.of_classes(net.reference.shape[1], "logits")
    )


def test_ranges_that_hold_and_ranges_that_do_not(net: Road, sets: Sets) -> None:
    good = lint(with_graph(net, sets, net.images, net.images[::-1]), silent)
    assert "ranges" in good.checked
    assert good.figures["outside"] == 0
    assert "ranges" not in kinds(good)
    narrow = lint(with_graph(net, sets, net.images / 4, net.images), silent)
    finding = only(narrow, "ranges")
    assert finding.severity == "warning"
    assert finding.figures["outside"] == narrow.figures["outside"] > 0.05


def test_without_labels_the_model_tells_the_classes(net: Road, sets: Sets) -> None:
    report = lint(with_graph(net, sets, net.images, net.images), silent)
    assert "classes" in report.checked
    assert report.figures["classes_seen"] == len(np.unique(net.reference.argmax(axis=1)))


def test_no_finite_activation_leaves_the_other_checks(net: Road, sets: Sets) -> None:
    broken = net.images.copy()
    broken[0, :, :, :] = 3e38
    report = lint(with_graph(net, sets, net.images, broken), silent)
    assert "ranges" not in report.checked
    assert "duplicates" in report.checked
