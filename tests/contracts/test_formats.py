"""What formats/__init__.py asks of every file in that folder, under every scheme it offers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core import registry
from resnet_edge.core.artifact import Quantization, TensorSpec, sha256_of
from resnet_edge.core.preprocessing import PRESETS
from tests.formats import nets
from tests.graph.road import RUNTIMES, Road, road, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FORMATS = registry.names("formats")
SCHEMES = registry.names("schemes")
OFFERED = [
    (format_name, scheme_name)
    for format_name in FORMATS
    for scheme_name in SCHEMES
    if registry.load("formats", format_name).refusal(scheme(scheme_name)) is None
]
SHAPE = (12, 10, 3)

# The largest difference from Keras, in parts of the largest reference value, and what was measured.
TOLERANCE = {
    ("float32", "float32"): 1e-6,  # 3.1e-7
    ("float16", "float16"): 2e-3,  # 3.9e-4
    ("int8", "float32"): 0.015,  # 0.0031
    ("int8", "int16"): 0.015,  # 0.0027
    ("int8", "int8"): 0.03,  # 0.0060
}


def classifier(activation: str | None) -> keras.Model:
    image = keras.Input(SHAPE)
    x = nets.conv_bn(image, 8)
    x = layers.ReLU()(layers.Add()([x, nets.conv_bn(x, 8, activation=None)]))
    x = layers.GlobalAveragePooling2D()(x)
    return nets.randomized(keras.Model(image, layers.Dense(5, activation)(x)))


@pytest.fixture(scope="module")
def road_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Road]:
    pixels = np.random.default_rng(5).integers(0, 256, (24, *SHAPE))

    @cache
    def one(output: str, dynamic: bool) -> Road:
        model = classifier("softmax" if output == "probabilities" else None)
        images = (pixels * np.linspace(0.2, 1, 24)[:, None, None, None]).round().astype(np.float32)
        folder = tmp_path_factory.mktemp(output)
        road(model, images, folder, output=output, preprocessing=PRESETS["unit"], dynamic_batch=dynamic)
        return Road(
            folder=folder,
            images=images,
            reference=model(images / 255).numpy(),
            output=output,
            takes_pixels=True,
        )

    return one


@pytest.fixture(params=OFFERED, ids="-".join)
def offered(request: pytest.FixtureRequest) -> tuple[str, str]:
    offer: tuple[str, str] = request.param
    return offer


def test_every_scheme_is_taken_by_a_format() -> None:
    assert {name for _, name in OFFERED} == set(SCHEMES)


@pytest.mark.parametrize("format_name", FORMATS)
def test_refusal_is_a_sentence_and_judges_the_fields(format_name: str) -> None:
    room = registry.load("formats", format_name)
    assert re.fullmatch(r"\.[a-z0-9]+", room.SUFFIX)
    for name in SCHEMES:
        reason = room.refusal(scheme(name))
        assert reason is None or (len(reason.split()) > 4 and "\n" not in reason)


def test_fixed_batch_artifact_runs_and_agrees_with_keras(
    offered: tuple[str, str], road_of: Callable[[str, bool], Road]
) -> None:
    format_name, name = offered
    net = road_of("logits", False)
    path, converter = net.artifact(format_name, name)
    assert re.search(r"\d+\.\d+", converter), "the converter gives its version"
    inputs, outputs = registry.load("formats", format_name).describe(path)
    assert inputs == (TensorSpec("image", (1, *SHAPE), "float32"),)
    assert outputs == (TensorSpec("logits", (1, 5), "float32"),)
    actual = RUNTIMES[format_name](path, net.images)
    one = scheme(name)
    bound = TOLERANCE[one.weights, one.activations] * np.abs(net.reference).max()
    assert np.abs(actual - net.reference).max() < bound
    assert np.ptp(net.reference) > 10 * bound


def test_probabilities_are_named_and_sum_to_one(
    offered: tuple[str, str], road_of: Callable[[str, bool], Road]
) -> None:
    format_name, name = offered
    net = road_of("probabilities", False)
    path, _ = net.artifact(format_name, name)
    _, outputs = registry.load("formats", format_name).describe(path)
    assert outputs == (TensorSpec("probabilities", (1, 5), "float32"),)
    actual = RUNTIMES[format_name](path, net.images)
    np.testing.assert_allclose(actual.sum(axis=1), 1, atol=1e-3)
    assert np.abs(actual - net.reference).max() < 0.05


def test_dynamic_batch_of_three_is_three_single_runs(
    offered: tuple[str, str], road_of: Callable[[str, bool], Road]
) -> None:
    format_name, name = offered
    net = road_of("logits", True)
    path, _ = net.artifact(format_name, name)
    inputs, outputs = registry.load("formats", format_name).describe(path)
    assert (inputs[0].shape, outputs[0].shape) == ((None, *SHAPE), (None, 5))
    run = RUNTIMES[format_name]
    single, together = run(path, net.images), run(path, net.images, 3)
    # float kernels may sum in another order; integers may not
    exact = scheme(name).activations == "int8"
    bound = 2e-3 if scheme(name).weights == "float16" else 1e-5
    np.testing.assert_allclose(together, single, rtol=0, atol=0 if exact else bound)


@pytest.mark.parametrize("io", ["uint8", "int8"])
@pytest.mark.parametrize("output", ["logits", "probabilities"])
@pytest.mark.parametrize("format_name", [f for f, s in OFFERED if s == "int8"])
def test_integer_border_gives_the_integers_behind_the_float_border(
    format_name: str, output: str, io: Any, road_of: Callable[[str, bool], Road]
) -> None:
    net = road_of(output, False)
    path, _ = net.artifact(format_name, "int8", io)
    (image,), (scores,) = registry.load("formats", format_name).describe(path)
    assert (image.name, image.dtype, scores.name, scores.dtype) == ("image", io, output, io)
    shift = 0 if io == "uint8" else 128
    assert image.quantization == Quantization((1.0,), (-shift,)), "raw pixels"
    grid = scores.quantization
    assert grid is not None
    if output == "probabilities":
        assert grid == Quantization((1 / 256,), (-shift,))
    stored = RUNTIMES[format_name](path, (net.images - shift).astype(io))
    real = RUNTIMES[format_name](net.artifact(format_name, "int8")[0], net.images)
    info = np.iinfo(io)
    wanted = np.clip(np.rint(real / np.float32(grid.scale[0])) + grid.zero_point[0], info.min, info.max)
    np.testing.assert_array_equal(stored, wanted)


def test_census_counts_operations_that_every_runtime_has(
    offered: tuple[str, str], road_of: Callable[[str, bool], Road]
) -> None:
    format_name, name = offered
    path, _ = road_of("logits", False).artifact(format_name, name)
    census = registry.load("formats", format_name).census(path)
    assert min(census.values()) > 0
    convolutions = sum(n for op, n in census.items() if op.upper().replace("_2D", "") == "CONV")
    assert convolutions == 2
    assert [op for op in census if op.startswith(("FLEX", "Flex", "CUSTOM"))] == []


WRITE = """
import sys
from pathlib import Path
from resnet_edge.core import registry
format_name, scheme, portable, out = sys.argv[1:]
load = registry.load
load("formats", format_name).write(Path(portable), load("schemes", scheme).SCHEME, "net", Path(out))
"""


def test_same_input_gives_the_same_bytes_in_another_process(
    offered: tuple[str, str], road_of: Callable[[str, bool], Road], tmp_path: Path
) -> None:
    format_name, name = offered
    if (format_name, name) not in (("tflite", "int8"), ("onnx", "fp16"), ("onnx", "int8")):
        pytest.skip("a copy, or the same code as another scheme")
    net = road_of("logits", False)
    path, _ = net.artifact(format_name, name)
    again = tmp_path / path.name
    subprocess.run(
        [sys.executable, "-c", WRITE, format_name, name, str(net.portable(name)), str(again)],
        check=True,
        capture_output=True,
    )
    assert sha256_of(again) == sha256_of(path)


def test_conversion_is_repeatable(road_of: Callable[[str, bool], Road], tmp_path: Path) -> None:
    """From Keras on: the portable graph in another folder, with its ranges and scales."""
    net = road_of("logits", False)
    model = classifier(None)
    again = road(model, net.images, tmp_path, preprocessing=PRESETS["unit"])
    for name in SCHEMES:
        first, second = net.portable(name), again.portable(name)
        assert registry.load("formats", "tflite").census(first) == registry.load("formats", "tflite").census(
            second
        )
        images = net.images[:4]
        np.testing.assert_array_equal(RUNTIMES["tflite"](first, images), RUNTIMES["tflite"](second, images))
