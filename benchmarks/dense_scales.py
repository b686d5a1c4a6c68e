"""What one int8 scale for all outputs of dense layers costs, against one for each (`convert --dense-scales`).

    python -m benchmarks.dense_scales [--images N] [FOLDER…]

The bundled ResNet-20, and the networks in folders as `false_alarms.py --work DIR --make` leaves them in DIR:
`model.keras`, `network.json` with its preprocessing (`prepare`), and `proof.npz` and `calibration.npz` with
images and labels. Both files have the ranges of min-max and no repairs, so that only these scales differ
(`convert --calibrator minmax --repair none`), and run on LiteRT; SQNR is of logits against the Keras model,
and *apart* counts the images on which the two files answer differently.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import keep, markdown_table
from resnet_edge.calibrate import calibration
from resnet_edge.calibrate.calibration_task import Calibrate
from resnet_edge.conversion import artifacts
from resnet_edge.conversion.artifact_task import QuantizeGraph
from resnet_edge.core.answers import answers
from resnet_edge.core.files.bundled import CALIBRATION_FILE, MODEL_FILE, TEST_FILE, bundled
from resnet_edge.core.head import Head
from resnet_edge.core.machine import usable_cores
from resnet_edge.core.scheme import DenseScales
from resnet_edge.core.statistics import sqnr_db
from resnet_edge.evaluation import source
from resnet_edge.evaluation.predict import predict
from resnet_edge.evaluation.predict_task import Predict
from resnet_edge.evaluation.source_task import ExportModel, ReadModelFacts, RunReference
from resnet_edge.evaluation.sums import measure
from resnet_edge.models import ModelRequest
from resnet_edge.workers.progress import silent

SCALES: tuple[DenseScales, ...] = get_args(DenseScales)
SCHEMES = ("dynamic", "int8")
HEADER = (
    *(
        "network",
        "file",
        "images",
        "SQNR, one scale",
        "SQNR, one for each",
        "right, Keras",
        "right, one scale",
    ),
    *("right, one for each", "apart"),
)
Values = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A model with what it wants of pixels, and .npz files of images and labels."""

    name: str
    model: Path
    preprocess: str | None
    proof: Path
    calibration: Path


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network exported to `folder`, and what Keras gives on the images of the proof (N, outputs)."""

    folder: Path
    head: Head
    ranges: str
    labels: NDArray[np.integer]
    reference: Values


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--images", type=int, default=2000, help="of the proof, at most")
    options = parser.parse_args()
    rows = []
    for network in networks(options.folders):
        with tempfile.TemporaryDirectory(prefix="dense-scales-") as name:
            case = exported(network, Path(name), options.images)
            for scheme in SCHEMES:
                outputs = [predicted(case, scheme, scales) for scales in SCALES]
                rows.append(figures(network.name, scheme, case, outputs))
    result = {"rows": rows}
    print(table(result))
    keep("dense_scales", result)


def networks(folders: list[Path]) -> Iterator[Network]:
    yield Network(
        name="ResNet-20 (bundled)",
        model=bundled(MODEL_FILE),
        preprocess=None,
        proof=bundled(TEST_FILE),
        calibration=bundled(CALIBRATION_FILE),
    )
    for folder in folders:
        yield Network(
            name=folder.resolve().name,
            model=folder / "model.keras",
            preprocess=json.loads((folder / "network.json").read_text())["prepare"],
            proof=folder / "proof.npz",
            calibration=folder / "calibration.npz",
        )


def exported(network: Network, folder: Path, most: int) -> Case:
    """Write the float graph, the images and the reference outputs into `folder`."""
    model = ModelRequest(str(network.model), preprocess=network.preprocess)
    facts = source.facts(ReadModelFacts(model=model), silent)
    with np.load(network.proof) as proof, np.load(network.calibration) as calibrating:
        np.save(folder / "images.npy", proof["images"][:most])
        np.save(folder / "calibration.npy", calibrating["images"])
        labels = proof["labels"][:most]
    source.export(ExportModel(model=model, out=str(folder / "float.tflite"), dynamic_batch=False), silent)
    source.reference(
        RunReference(model=model, images=str(folder / "images.npy"), out=str(folder / "reference.npy")),
        silent,
    )
    request = Calibrate(
        portable=str(folder / "float.tflite"),
        images=str(folder / "calibration.npy"),
        takes_pixels=facts.preprocessing.takes_pixels,
        head=facts.head,
        threads=usable_cores(),
        folder=str(folder),
        calibrator="minmax",
        repair="none",
    )
    return Case(
        folder=folder,
        head=facts.head,
        ranges=calibration.calibrate(request, silent).ranges,
        labels=labels,
        reference=np.load(folder / "reference.npy"),
    )


def predicted(case: Case, scheme: str, scales: DenseScales) -> Values:
    """What the file of a scheme gives on the images of the proof (N, outputs)."""
    ranges = case.ranges if scheme == "int8" else None
    file, outputs = str(case.folder / "made.tflite"), str(case.folder / "outputs.npy")
    request = QuantizeGraph(
        float_portable=str(case.folder / "float.tflite"),
        scheme=scheme,
        ranges=ranges,
        output=case.head.output,
        io="float32",
        out=file,
        dense_scales=scales,
    )
    artifacts.portable(request, silent)
    images = str(case.folder / "images.npy")
    predict(
        Predict(
            path=file, format="tflite", backend="litert", device="cpu", threads=1, images=images, out=outputs
        ),
        silent,
    )
    values: Values = np.load(outputs)
    return values


def figures(name: str, scheme: str, case: Case, outputs: list[Values]) -> dict[str, Any]:
    """One row of the table: `sqnr_db` of each of SCALES, `right` of Keras and of each."""
    sums = [measure(case.reference, each, case.head) for each in outputs]
    said = [answers(case.head, each) for each in (case.reference, *outputs)]
    return {
        "network": name,
        "scheme": scheme,
        "images": len(case.labels),
        "sqnr_db": [sqnr_db(error.signal, error.noise) for error in sums],
        "right": [int((each == case.labels).sum()) for each in said],
        "apart": int((said[1] != said[2]).sum()),
    }


def table(result: dict[str, Any]) -> str:
    """A row for each network and scheme."""
    body = [
        (
            *(row["network"], row["scheme"], str(row["images"])),
            *(f"{value:.1f}" for value in row["sqnr_db"]),
            *(str(value) for value in (*row["right"], row["apart"])),
        )
        for row in result["rows"]
    ]
    return markdown_table(HEADER, body, words=2)


if __name__ == "__main__":
    main()
