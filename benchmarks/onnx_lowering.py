"""Which operations networks need that have no lowering to ONNX, and how far the ONNX files are from TFLite.

    python -m benchmarks.onnx_lowering [--networks NAME,…] [--images 32]

One network of each family of keras.applications at the smallest size it takes, with random weights, batch
normalization fitted to the images, and logits. Each by the steps of `convert` (float graph, ranges by minmax
without repairs, quantized graph, file), and each file on the same images in its runtime. A cell says what
made the file, how many of its first classes are those of the float TFLite file, and the SQNR of what differs
between images. Weights are random, so int8 has little to hold on to in deep networks: what says whether the
lowering is right is the last column, the two int8 files against each other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import keep, markdown_table

FAMILIES = {
    "VGG16": 64, "ResNet50": 64, "ResNet50V2": 64, "Xception": 71, "InceptionV3": 75,
    "InceptionResNetV2": 75, "MobileNet": 64, "MobileNetV2": 64, "MobileNetV3Small": 64,
    "MobileNetV3Large": 64, "DenseNet121": 64, "NASNetMobile": 64, "EfficientNetB0": 64,
    "EfficientNetV2B0": 64, "EfficientNetV2S": 64, "ConvNeXtTiny": 64,
}  # fmt: skip
SCHEMES = ("fp32", "fp16", "int8")
CLASSES = 10
COLUMNS = (
    *("network", "pixels", "operations without lowering", "fp32.onnx", "fp16.onnx", "int8.onnx"),
    *("int8.tflite", "int8.onnx against int8.tflite"),
)


@dataclass(frozen=True)
class File:
    """One file: what made it, or why there is none, and its answers (N, CLASSES) on the images."""

    maker: str
    answers: Any = None


def images_of(count: int, size: int) -> Any:
    """Coarse coloured patterns on noise, (count, size, size, 3) float32 from 0 to 255."""
    random = np.random.default_rng(1)
    coarse = random.uniform(0, 255, (count, 6, 6, 3)).repeat(-(-size // 6), 1).repeat(-(-size // 6), 2)
    noisy = coarse[:, :size, :size] + random.normal(0, 20, (count, size, size, 3))
    return noisy.clip(0, 255).round().astype(np.float32)


def measure(name: str, count: int, folder: Path) -> dict[str, Any]:
    """The row of one network: operations without lowering, and the figures of each file by its name."""
    from resnet_edge.formats._onnx.lowering import missing
    from resnet_edge.graph.model import read_graph

    images = images_of(count, FAMILIES[name])
    np.save(folder / "images.npy", images)
    exported = export(name, images, folder)
    expected = answers("litert", exported, images)
    onnx: dict[str, File] = {}
    for scheme in SCHEMES:
        portable = quantized(exported, scheme, folder)
        onnx[scheme] = written(portable, "onnx", "onnxruntime", scheme, folder, images)
    tflite = written(portable, "tflite", "litert", "int8", folder, images)
    files = {f"{scheme}.onnx": figures(onnx[scheme], expected) for scheme in SCHEMES}
    files["int8.tflite"] = figures(tflite, expected)
    if tflite.answers is not None:
        files["int8.onnx against int8.tflite"] = figures(onnx["int8"], tflite.answers)
    return {"without_lowering": missing(read_graph(exported)), "files": files}


def export(name: str, images: Any, folder: Path) -> Path:
    """The float graph, by the product's own exporter."""
    import keras

    from resnet_edge.core.preprocessing import PRESETS
    from resnet_edge.data.pixels import preprocessed
    from resnet_edge.graph.convert import convert
    from resnet_edge.models._opened import network_of
    from resnet_edge.models.applications import PREPROCESSING

    keras.utils.set_random_seed(0)
    shape = images.shape[1:]
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=shape, classes=CLASSES, classifier_activation=None)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # one pass fits it
    preset = PRESETS[PREPROCESSING[name]]
    model(preprocessed(images, preset), training=True)
    out = folder / "float.tflite"
    convert(network_of(model), model, preset, shape, "logits", out)
    return out


def quantized(exported: Path, scheme: str, folder: Path) -> str:
    """The graph of a scheme, calibrated on the images."""
    from resnet_edge.calibrate.calibration import calibrate
    from resnet_edge.calibrate.calibration_task import Calibrate
    from resnet_edge.conversion.artifact_task import QuantizeGraph
    from resnet_edge.conversion.artifacts import portable
    from resnet_edge.core.head import Head
    from resnet_edge.workers.progress import silent

    source, ranges = str(exported), None
    if scheme == "int8":
        head = Head.of_classes(CLASSES, "logits")
        request = Calibrate(
            portable=source,
            images=str(folder / "images.npy"),
            takes_pixels=True,
            head=head,
            threads=2,
            folder=str(folder),
            calibrator="minmax",
            repair="none",
        )
        calibrated = calibrate(request, silent)
        source, ranges = calibrated.portable, calibrated.ranges
    out = str(folder / f"{scheme}.portable.tflite")
    return portable(
        QuantizeGraph(
            float_portable=source, scheme=scheme, ranges=ranges, output="logits", io="float32", out=out
        ),
        silent,
    ).path


def written(portable: str, format: str, backend: str, scheme: str, folder: Path, images: Any) -> File:
    """A file by the product's own writer, run on the images."""
    from resnet_edge.conversion.artifact_task import WriteArtifact
    from resnet_edge.conversion.artifacts import artifact
    from resnet_edge.core.errors import ArtifactError
    from resnet_edge.workers.progress import silent

    out = folder / f"{scheme}.{format}"
    try:
        file = artifact(
            WriteArtifact(portable=portable, format=format, scheme=scheme, name="net", out=str(out)), silent
        )
    except ArtifactError as error:
        return File(f"refused: {error}")
    maker = "us" if "resnet-edge" in file.converter or format == "tflite" else file.converter
    return File(maker, answers(backend, out, images))


def answers(backend: str, path: Path, images: Any) -> Any:
    """The logits of a file (N, CLASSES)."""
    from resnet_edge.core import registry

    with registry.load("backends", backend).open_session(path, "cpu", 2) as session:
        return np.concatenate([session.run(image[None]) for image in images])


def figures(file: File, expected: Any) -> dict[str, Any]:
    """What made the file or why there is none; and its agreement with `expected`, and its SQNR in dB, None
    where they are equal."""
    if file.answers is None:
        return {"maker": file.maker}
    signal = np.square(expected - expected.mean(axis=0)).sum()
    noise = np.square(expected - file.answers).sum()
    agreement = float((file.answers.argmax(1) == expected.argmax(1)).mean())
    decibels = 10 * float(np.log10(signal / noise)) if noise else None
    return {"maker": file.maker, "agreement": agreement, "sqnr_db": decibels}


def table(result: dict[str, Any]) -> str:
    """A row for each network."""
    return markdown_table(COLUMNS, (_cells(row) for row in result["rows"]))


def _cells(row: dict[str, Any]) -> list[str]:
    first = [row["network"], str(row["pixels"])]
    if "broke" in row:
        return [*first, f"broke: {row['broke']}", *[""] * (len(COLUMNS) - 3)]
    unknown = ", ".join(row["without_lowering"]) or "none"
    return [*first, unknown, *(_cell(row["files"].get(name)) for name in COLUMNS[3:])]


def _cell(file: dict[str, Any] | None) -> str:
    if file is None or "agreement" not in file:
        return file["maker"] if file else ""
    decibels = "equal" if file["sqnr_db"] is None else f"{file['sqnr_db']:.0f} dB"
    return f"{file['maker']}, {file['agreement']:.0%}, {decibels}"


def main() -> None:
    """One process for each network: TensorFlow gives no memory back."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--networks", default=",".join(FAMILIES))
    options.add_argument("--images", type=int, default=32)
    options.add_argument("--one", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(given.one, given.images, Path(folder))))
        return
    rows = [row_of(name, given.images) for name in given.networks.split(",")]
    result = {"images": given.images, "rows": rows}
    print(table(result))
    keep("onnx_lowering", result)


def row_of(name: str, images: int) -> dict[str, Any]:
    """What was measured of one network, or why nothing was."""
    print(name, file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "benchmarks.onnx_lowering", "--one", name, "--images", str(images)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    row = {"network": name, "pixels": FAMILIES[name]}
    if done.returncode:
        return {**row, "broke": (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:160]}
    return {**row, **json.loads(done.stdout.splitlines()[-1])}


if __name__ == "__main__":
    main()
