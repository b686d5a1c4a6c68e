"""What it costs that no int8 weights of ours can overflow, against weights that may, and 7 bits for all:
`overflow.py --cost`.

Networks: the bundled ResNet-20 and three that are trained here on Fashion-MNIST for a minute each. Each has
its weights rounded one by one and with all repairs, and is quantized in three ways: as litert-quantizer does
by itself, as resnet-edge does, and with 7 bits (`reduce_range`). SQNR of the logits and agreement are against
the float network, in exact integers (LiteRT); the last column is the agreement of the ONNX file in a plain
session of ONNX Runtime, here.
"""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnxruntime as ort
from keras import layers as L
from numpy.typing import NDArray

from resnet_edge import zoo
from resnet_edge.backends import litert
from resnet_edge.core import registry
from resnet_edge.core.files.bundled import CALIBRATION_FILE, MODEL_FILE, TEST_FILE, bundled
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.statistics import centred, sqnr_db
from resnet_edge.formats import onnx
from resnet_edge.graph.convert import convert
from resnet_edge.graph.interface import set_interface
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization import int8_rows, rounding, weighted
from resnet_edge.graph.quantization.additions import aligned_ranges
from resnet_edge.graph.quantization.calibrate import measure
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.graph.quantization.repairs import REPAIRS, repaired

Images = NDArray[np.float32]
TRAINED_ON = 4000
"""Images of the bundled test set; what is measured is measured on the others."""
SEVEN_BITS = 63


@dataclass(frozen=True)
class Case:
    name: str
    model: keras.Model
    calibration: Images
    images: Images


def measured_rows(images: int) -> Iterator[dict[str, Any]]:
    """The rows of the table of overflow.py, on up to so many images."""
    for case in cases(images):
        with tempfile.TemporaryDirectory(prefix="overflow-cost-") as folder:
            yield from rows(case, Path(folder))


def cases(images: int) -> Iterator[Case]:
    keras.utils.set_random_seed(0)
    with np.load(bundled(TEST_FILE)) as data, np.load(bundled(CALIBRATION_FILE)) as calibration:
        pixels, labels = data["images"].astype(np.float32), data["labels"]
        known = calibration["images"].astype(np.float32)
    yield Case("ResNet-20, bundled", keras.saving.load_model(bundled(MODEL_FILE)), known, pixels[:images])
    for name, build in NETWORKS.items():
        model, fit = build()
        seen, given = fit(pixels), fit(known)
        train(model, seen[:TRAINED_ON], labels[:TRAINED_ON])
        yield Case(name, model, given, seen[TRAINED_ON:][:images])


def train(model: keras.Model, images: Images, labels: NDArray[np.integer]) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss)
    model.fit(images, labels, batch_size=64, epochs=2, verbose=0)


def resnet8() -> tuple[keras.Model, Callable[[Images], Images]]:
    return zoo.build("resnet8", (28, 28, 1), 10), np.asarray


def relu_then_bn() -> tuple[keras.Model, Callable[[Images], Images]]:
    image = keras.Input((28, 28, 1))
    x = L.Rescaling(1 / 127.5, -1)(image)
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
        x = L.Conv2D(filters, 3, stride, padding="same", activation="relu")(x)
        x = L.BatchNormalization(momentum=0.9)(x)
    return keras.Model(image, L.Dense(10)(L.GlobalAveragePooling2D()(x))), np.asarray


def mobilenet() -> tuple[keras.Model, Callable[[Images], Images]]:
    image = keras.Input((32, 32, 3))
    body = keras.applications.MobileNetV2((32, 32, 3), 0.35, include_top=False, weights=None, pooling="avg")
    for layer in body.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.momentum = 0.9
    logits = L.Dense(10)(body(L.Rescaling(1 / 127.5, -1)(image)))
    return keras.Model(image, logits), lambda pixels: np.pad(pixels, ((0, 0), (2, 2), (2, 2), (0, 0))).repeat(
        3, axis=3
    )


NETWORKS = {"ResNet-8": resnet8, "ReLU, then BN": relu_then_bn, "MobileNetV2 0.35": mobilenet}


def rows(case: Case, folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of a case."""
    portable, shape = folder / "float.tflite", tuple(case.images.shape[1:])
    network = lambda image: case.model(image, training=False)  # noqa: E731
    convert(network, case.model, PRESETS["none"], shape, "logits", portable)
    reference = by_litert(portable, case.images)
    measured = measure(
        portable,
        (image[None] for image in case.calibration),
        takes_pixels=True,
        threads=1,
        second_moments=rounding.can_round,
        count=len(case.calibration),
    )
    graph = read_graph(portable)
    for repairs in ((), REPAIRS):
        for way, context in WAYS.items():
            with context():
                fixed = repaired(graph, measured, repairs)
                write(portable, fixed, folder)
            ours = by_litert(folder / "int8.tflite", case.images)
            plain = by_onnxruntime(folder / "int8.onnx", case.images)
            noise = float(np.square(centred(reference) - centred(ours)).sum())
            decibels = sqnr_db(float(np.square(centred(reference)).sum()), noise)
            same = [float((each.argmax(1) == reference.argmax(1)).mean()) for each in (ours, plain)]
            yield {
                "network": case.name,
                "repairs": "all" if repairs else "none",
                "weights": way,
                "sqnr_db": decibels,
                "agreement": same[0],
                "plain_session": same[1],
            }


def write(portable: Path, fixed: Any, folder: Path) -> None:
    """The int8 files of both formats, as `convert` makes them."""
    source, out = folder / "repaired.tflite", folder / "int8.tflite"
    weighted.write_constants(portable, fixed.constants, source)
    scheme, ranges = registry.load("schemes", "int8").SCHEME, fixed.measured.limits()
    quantize(source, scheme, ranges, out)
    quantize(source, scheme, aligned_ranges(read_graph(out), ranges), out)
    set_interface(out, "logits", "float32")
    onnx.write(out, scheme, "net", folder / "int8.onnx")


@contextmanager
def may_overflow() -> Iterator[None]:
    with patch.object(weighted, "adds_pairs", lambda graph, node: False):
        yield


@contextmanager
def bounded() -> Iterator[None]:
    yield


@contextmanager
def seven_bits() -> Iterator[None]:
    plain = int8_rows.int8_rows

    def all_changed(rows: NDArray[Any], *, paired: bool, alike: bool = False) -> int8_rows.Int8Rows:
        quantized = plain(rows, paired=paired, alike=alike)
        return replace(quantized, plain=np.zeros_like(quantized.plain))

    with ExitStack() as patches:
        patches.enter_context(may_overflow())
        for module in (int8_rows, rounding):
            patches.enter_context(patch.object(module, "LARGEST_WEIGHT", SEVEN_BITS))
        patches.enter_context(patch.object(weighted, "int8_rows", all_changed))
        patches.enter_context(patch.object(int8_rows, "_known", OrderedDict()))  # of 8 bits
        yield


WAYS = {"may overflow": may_overflow, "ours": bounded, "7 bits": seven_bits}


def by_litert(path: Path, images: Images) -> Images:
    with litert.open_session(path, "cpu", 1) as session:
        return np.concatenate([session.run(image[None]) for image in images])


def by_onnxruntime(path: Path, images: Images) -> Images:
    """In a session as it comes."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: image[None]})[0] for image in images])
