"""What the warnings about calibration images rest on, measured on the bundled ResNet-20.

    python -m benchmarks.calibration_lint

For sets of calibration images of every size, drawn at random, and for sets with something wrong:
the SQNR of the int8 file (min-max, no repairs) against the float graph on 2,000 test images, and what
the lint (resnet_edge/calibrate/lint.py) measures: the largest share of the values of a tensor
on test images that lies outside of the range of the calibration images, and how far the quantiles of
pixels are apart. Three to five minutes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import keep, markdown_table
from resnet_edge.backends import litert
from resnet_edge.calibrate.lint import lint
from resnet_edge.calibrate.lint_task import LintCalibration
from resnet_edge.core import registry
from resnet_edge.core.files.bundled import CALIBRATION_FILE, MODEL_FILE, TEST_FILE, bundled
from resnet_edge.core.head import Head
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation import source
from resnet_edge.evaluation.source_task import ExportModel
from resnet_edge.evaluation.sums import measure as sums
from resnet_edge.graph.quantization.calibrate import measure, measure_ranges
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.models import ModelRequest
from resnet_edge.workers.progress import silent

HEAD = Head.of_classes(10, "logits")
DRAWS = 10
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
HEADER = ("calibration images", "SQNR, dB: median", "worst", "outside, %: median", "worst", "apart: worst")

Array = NDArray[Any]


def main() -> None:
    """Measure, print one table, and keep what was found."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="calibration-lint-") as name:
        case = Case(Path(name))
        for title, draws in sets(case.images, case.labels):
            figures = np.array([case.measured(images) for images in draws])
            middle, low, high = np.median(figures, axis=0), figures.min(axis=0), figures.max(axis=0)
            rows.append(
                {
                    "images": title,
                    "sqnr_db": {"median": middle[0], "worst": low[0]},
                    "outside": {"median": middle[1], "worst": high[1]},
                    "apart": high[2],
                }
            )
    result = {"draws": DRAWS, "rows": rows}
    print(table(result))
    keep("calibration_lint", result)


def table(result: dict[str, Any]) -> str:
    """A row for each set of images."""
    body = [
        (
            row["images"],
            *(f"{value:.1f}" for value in row["sqnr_db"].values()),
            *(f"{100 * value:.3f}" for value in row["outside"].values()),
            f"{row['apart']:.2f}",
        )
        for row in result["rows"]
    ]
    return markdown_table(HEADER, body)


def sets(images: Array, labels: Array) -> Iterator[tuple[str, list[Array]]]:
    """Titles, and what to calibrate with."""
    for n in SIZES:
        random = np.random.default_rng(n)
        yield f"{n} at random", [images[random.permutation(len(images))[:n]] for _ in range(DRAWS)]
    yield "all 1,000", [images]
    yield "100 of one class", [images[labels == label] for label in range(10)]
    yield "all, half as bright", [images // 2]
    yield "all, negative", [255 - images]
    yield "all, a quarter of the contrast", [96 + images // 4]
    yield "all, divided by 255", [(images / 255).astype(np.float32)]


class Case:
    """The float graph, and the test images with its outputs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.graph = folder, folder / "float.tflite"
        model = ModelRequest(str(bundled(MODEL_FILE)))
        source.export(ExportModel(model=model, out=str(self.graph), dynamic_batch=False), silent)
        with np.load(bundled(CALIBRATION_FILE)) as held:
            self.images, self.labels = held["images"], held["labels"]
        with np.load(bundled(TEST_FILE)) as held:
            self.test = held["images"][:2000]
        np.save(folder / "test.npy", self.test)
        self.expected = measure(self.graph, one_by_one(self.test), takes_pixels=True, threads=2).outputs

    def measured(self, images: Array) -> tuple[float, float, float]:
        """SQNR, the largest share outside, and how far the pixels are apart."""
        ranges = measure_ranges(self.graph, one_by_one(images), takes_pixels=True, threads=2)
        quantize(self.graph, registry.load("schemes", "int8").SCHEME, ranges, self.folder / "int8.tflite")
        with litert.open_session(self.folder / "int8.tflite", "cpu", 2) as session:
            outputs = np.concatenate([session.run(image) for image in one_by_one(self.test)])
        error = sums(self.expected, outputs, HEAD)
        np.save(self.folder / "calibration.npy", images)
        figures = lint(self.request(len(images)), silent).figures
        return sqnr_db(error.signal, error.noise), figures["outside"], figures["pixels_apart"]

    def request(self, n: int) -> LintCalibration:
        """What the lint looks at."""
        calibration, evaluation = (
            Images(
                images=str(self.folder / f"{name}.npy"),
                labels=None,
                n=count,
                class_names=(),
                source=name,
                sha256="",
            )
            for name, count in (("calibration", n), ("test", len(self.test)))
        )
        return LintCalibration(
            calibration=calibration,
            evaluation=evaluation,
            head=HEAD,
            preprocessing=PRESETS["model"],
            portable=str(self.graph),
        )


def one_by_one(images: Array) -> Iterator[NDArray[np.float32]]:
    """The images as the float graph takes them."""
    return (image[None].astype(np.float32) for image in images)


if __name__ == "__main__":
    main()
