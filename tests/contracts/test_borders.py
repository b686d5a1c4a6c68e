"""Every backend opens the integer artifacts of the formats that it takes, and reads their grid."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, ResnetEdgeError
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.scheme import Io
from resnet_edge.core.tensors import dequantize
from resnet_edge.evaluation.predict import stored
from tests.formats import nets
from tests.graph.road import Road, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def formats_of(backend: str) -> set[str]:
    try:
        return set(registry.load("backends", backend).FORMATS & set(registry.names("formats")))
    except ResnetEdgeError:  # not installed, or not to be had in this process: test_backends.py tells
        return set()


REAL_SCORES = {"mediapipe", "mediapipe_web"}
"""They hand on scores as numbers, whatever the file gives."""
NOT_RUN = {("tflite_micro", "uint8", "probabilities")}
"""TFLite Micro does not quantize the floats of a softmax to uint8 ("Input FLOAT32, output UINT8 not
supported"); a microcontroller gets int8."""

PLACES = [
    (format_name, backend)
    for backend in registry.names("backends")
    if backend not in registry.declared("backends")  # old runtimes open what they can: test_museum.py
    for format_name in sorted(formats_of(backend))
]


@pytest.fixture(scope="module")
def road_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Road]:
    """A small classifier that takes raw pixels, by the kind of its output."""

    @cache
    def one(output: str) -> Road:
        image = keras.Input((12, 10, 3))
        x = layers.GlobalAveragePooling2D()(nets.conv_bn(image, 8))
        activation = "softmax" if output == "probabilities" else None
        model = nets.randomized(keras.Model(image, layers.Dense(5, activation)(x)))
        images = np.random.default_rng(5).integers(0, 256, (12, 12, 10, 3)).astype(np.float32)
        folder = tmp_path_factory.mktemp(output)
        road(model, images, folder, output=output, preprocessing=PRESETS["unit"])
        return Road(
            folder=folder,
            images=images,
            reference=model(images / 255).numpy(),
            output=output,
            takes_pixels=True,
        )

    return one


@pytest.mark.parametrize("output", ["logits", "probabilities"])
@pytest.mark.parametrize("io", ["uint8", "int8"])
@pytest.mark.parametrize(("format_name", "backend"), PLACES)
def test_integer_borders_are_read_and_run(
    format_name: str, backend: str, io: Io, output: str, road_of: Callable[[str], Road]
) -> None:
    net = road_of(output)
    path, _ = net.artifact(format_name, "int8", io)
    inputs, outputs = registry.load("formats", format_name).describe(path)
    module = registry.load("backends", backend)
    if io not in getattr(module, "ENDS", {io}):
        with pytest.raises(ArtifactError, match="--io"), module.open_session(path, "cpu", 1):
            pass
        return
    if (backend, io, output) in NOT_RUN:
        with (
            pytest.raises(ArtifactError, match="does not run"),
            module.open_session(path, "cpu", 1) as session,
        ):
            session.run(stored(net.images[:1].astype(np.uint8), session.input))
        return
    with module.open_session(path, "cpu", 1) as session:
        assert (session.input.dtype, session.input.quantization) == (io, inputs[0].quantization)
        if backend in REAL_SCORES:
            assert (session.output.dtype, session.output.quantization) == ("float32", None)
        else:
            assert (session.output.dtype, session.output.quantization) == (io, outputs[0].quantization)
        pixels = net.images.astype(np.uint8)
        actual = np.concatenate(
            [dequantize(session.run(stored(row[None], session.input)), session.output) for row in pixels]
        )
    assert np.abs(actual - net.reference).max() < 0.03 * np.abs(net.reference).max()
