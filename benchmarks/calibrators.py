"""Calibrators and repairs on the bundled ResNet-20: what each does to its int8 file.

    python -m benchmarks.calibrators

Ranges and repairs come from the 1,000 bundled calibration images, the figures from LiteRT on
the 10,000 test images against the Keras model. The last row is what `convert` chooses.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.results import keep, markdown_table
from resnet_edge.calibrate import calibration
from resnet_edge.calibrate.calibration_task import Calibrate
from resnet_edge.conversion import artifacts
from resnet_edge.conversion.artifact_task import QuantizeGraph
from resnet_edge.core.files.bundled import CALIBRATION_FILE, MODEL_FILE, TEST_FILE, bundled
from resnet_edge.core.head import Head
from resnet_edge.core.results.parity import Parity
from resnet_edge.evaluation import source
from resnet_edge.evaluation.compare import compare
from resnet_edge.evaluation.compare_task import CompareOutputs
from resnet_edge.evaluation.predict import predict
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.evaluation.source_task import ExportModel, RunReference
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.calibrate import Measured, measure
from resnet_edge.graph.quantization.calibrators import CALIBRATORS, chosen_ranges
from resnet_edge.graph.quantization.repairs import REPAIRS, repaired
from resnet_edge.graph.quantization.rounding import can_round
from resnet_edge.graph.quantization.weighted import write_constants
from resnet_edge.models import ModelRequest
from resnet_edge.workers.progress import silent

HEAD = Head.of_classes(10, "logits")
COMBINED = ("round", "equalize")
HEADER = ("calibrator", "repairs", "top-1 %", "drop, pp", "agreement %", "SQNR, dB")


@dataclass(frozen=True)
class Case:
    """The float graph, the calibration images, and the test set with its reference outputs."""

    folder: Path
    float_graph: Path
    calibration: Path
    images: Path
    labels: Path
    reference: Path


def main() -> None:
    """Measure, print one table, and keep what was found."""
    result_rows = []
    with tempfile.TemporaryDirectory(prefix="calibrators-") as name:
        case = prepared(Path(name))
        images = measured(case)
        for calibrator, repairs in rows():
            ranges, float_graph = chosen(case, images, calibrator, repairs)
            result_rows.append(figures(calibrator, repairs, proof(case, float_graph, ranges)))
        folder = case.folder / "auto"
        folder.mkdir()
        request = Calibrate(
            portable=str(case.float_graph),
            images=str(case.calibration),
            takes_pixels=True,
            head=HEAD,
            threads=1,
            folder=str(folder),
        )
        auto = calibration.calibrate(request, silent)
        verdict = proof(case, Path(auto.portable), Path(auto.ranges))
        result_rows.append(figures(f"auto: {auto.chosen.calibrator}", auto.chosen.repairs, verdict))
    result = {"rows": result_rows}
    print(table(result))
    keep("calibrators", result)


def rows() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every calibrator on the graph as it is and with the repairs that go together, and min-max
    with each repair."""
    for calibrator in CALIBRATORS:
        yield calibrator, ()
    for repair in REPAIRS:
        yield "minmax", (repair,)
    yield "minmax", ("equalize", "bias")
    for calibrator in CALIBRATORS:
        yield calibrator, COMBINED
    yield "minmax", REPAIRS


def prepared(folder: Path) -> Case:
    """Export the bundled model and run it on the test images."""
    model = ModelRequest(str(bundled(MODEL_FILE)), False, None, None)
    case = Case(
        folder=folder,
        float_graph=folder / "float.tflite",
        calibration=folder / "calibration.npy",
        images=folder / "images.npy",
        labels=folder / "labels.npy",
        reference=folder / "reference.npy",
    )
    test = np.load(bundled(TEST_FILE))
    np.save(case.images, test["images"])
    np.save(case.labels, test["labels"].astype(np.int64))
    np.save(case.calibration, np.load(bundled(CALIBRATION_FILE))["images"])
    source.export(ExportModel(model=model, out=str(case.float_graph), dynamic_batch=False), silent)
    source.reference(RunReference(model=model, images=str(case.images), out=str(case.reference)), silent)
    return case


def measured(case: Case) -> Measured:
    """One pass for every row of the table."""
    images: NDArray[np.uint8] = np.load(case.calibration)
    return measure(
        case.float_graph,
        (image[None].astype(np.float32) for image in images),
        takes_pixels=True,
        threads=1,
        histograms=True,
        second_moments=can_round,
        count=len(images),
    )


def chosen(case: Case, measurement: Measured, calibrator: str, repairs: tuple[str, ...]) -> tuple[Path, Path]:
    """The files with the ranges, and with the repaired float graph."""
    fixed = repaired(read_graph(case.float_graph), measurement, repairs)
    float_graph, ranges = case.folder / "repaired.tflite", case.folder / "ranges.json"
    write_constants(case.float_graph, fixed.constants, float_graph)
    spread = {name: one.distribution() for name, one in fixed.measured.activations.items()}
    ranges.write_bytes(msgspec.json.encode({"int8": chosen_ranges(spread, calibrator, measurement.fixed)}))
    return ranges, float_graph


def proof(case: Case, float_graph: Path, ranges: Path) -> Parity:
    """Make the int8 graph and compare its outputs with those of Keras."""
    file, outputs = str(case.folder / "int8.tflite"), str(case.folder / "outputs.npy")
    request = QuantizeGraph(
        float_portable=str(float_graph),
        scheme="int8",
        ranges=str(ranges),
        output="logits",
        io="float32",
        out=file,
    )
    artifacts.portable(request, silent)
    predict(
        Predict(
            path=file,
            format="tflite",
            backend="litert",
            device="cpu",
            threads=1,
            images=str(case.images),
            out=outputs,
        ),
        silent,
    )
    return compare(
        CompareOutputs(
            artifact="int8",
            backend="litert",
            device="cpu",
            scheme="int8",
            head=HEAD,
            reference=str(case.reference),
            candidate=outputs,
            labels=str(case.labels),
            max_drop_pp=0.5,
            min_sqnr_db=15.0,
        ),
        silent,
    ).parity


def figures(calibrator: str, repairs: tuple[str, ...], parity: Parity) -> dict[str, Any]:
    """One row of the table."""
    return {
        "calibrator": calibrator,
        "repairs": [*repairs],
        "top1": parity.top1,
        "drop_pp": parity.drop_pp,
        "agreement": parity.agreement,
        "sqnr_db": parity.sqnr_db,
    }


def table(result: dict[str, Any]) -> str:
    """What each calibrator with each set of repairs does."""
    body = [
        (
            row["calibrator"],
            ", ".join(row["repairs"]) or "none",
            f"{100 * row['top1']:.2f}",
            f"{row['drop_pp']:.2f}",
            f"{100 * row['agreement']:.2f}",
            f"{row['sqnr_db']:.2f}",
        )
        for row in result["rows"]
    ]
    return markdown_table(HEADER, body, words=2)


if __name__ == "__main__":
    main()
