from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from resnet_edge.core.errors import DataError
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.graph.convert import convert
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.calibrate import measure_ranges

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
KERNEL = np.array([[[[0.5, -2.0]]]], np.float32)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twice the pixel, minus the pixel's half, and their mean: (1, 3, 3, 1) to (1, 2)."""
    image = keras.Input((3, 3, 1))
    x = layers.Conv2D(2, 1, use_bias=False)(image)
    model = keras.Model(image, layers.GlobalAveragePooling2D()(x))
    model.set_weights([KERNEL])
    out = tmp_path_factory.mktemp("calibrate") / "float.tflite"
    convert(model, model, PRESETS["none"], (3, 3, 1), "logits", out)
    return out


def images(n: int = 5) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(10, 5, (n, 1, 3, 3, 1)).astype(np.float32)


def measured(graph: Path, given: Any, takes_pixels: bool = False) -> dict[str, tuple[float, float]]:
    return measure_ranges(graph, given, takes_pixels=takes_pixels, threads=1)


def test_ranges_are_those_that_numpy_computes(graph: Path) -> None:
    given = images()
    ranges = measured(graph, given)
    after = given * KERNEL[0]
    mean = after.mean(axis=(2, 3))
    assert ranges["image"] == (given.min(), given.max())
    assert ranges["logits"] == pytest.approx((mean.min(), mean.max()), rel=1e-6)
    (inner,) = [name for name in ranges if name not in ("image", "logits")]
    assert ranges[inner] == pytest.approx((after.min(), after.max()), rel=1e-6)
    activations = [t for t in read_graph(graph).tensors if t.data is None]
    assert len(ranges) == len(activations), "constants have no range"


def test_order_of_the_images_does_not_matter(graph: Path) -> None:
    assert measured(graph, images()) == measured(graph, images()[::-1])


def test_pixels_span_0_to_255_whatever_the_images_show(graph: Path) -> None:
    pixels, own = measured(graph, images(), takes_pixels=True), measured(graph, images())
    assert pixels.pop("image") == (0.0, 255.0)
    assert own.pop("image") != (0.0, 255.0)
    assert pixels == own


@pytest.mark.parametrize("row", [0, 1, 4])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("takes_pixels", [True, False])
def test_value_that_is_not_finite_is_refused_wherever_it_stands(
    graph: Path, row: int, value: float, takes_pixels: bool
) -> None:
    given = images()
    given[row, 0, 1, 1, 0] = value
    with pytest.raises(DataError, match=f"NaN or Inf at 'image' on image {row} .*leave it out"):
        measured(graph, given, takes_pixels)


def test_activation_that_overflows_is_refused_by_name(graph: Path) -> None:
    with pytest.raises(DataError, match="NaN or Inf at '(?!image).*'"):
        measured(graph, [np.full((1, 3, 3, 1), 3e38, np.float32)])


def test_no_image_is_refused(graph: Path) -> None:
    with pytest.raises(DataError, match="no calibration image.*--calibration"):
        measured(graph, iter(()))
