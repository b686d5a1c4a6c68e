"""Moments against what TensorFlow takes as patches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.graph.quantization.calibrate import measure
from resnet_edge.graph.quantization.moments import Moments, plan
from resnet_edge.graph.quantization.weighted import Layer

RANDOM = np.random.default_rng(2)


def layer(op: str, kernel: tuple[int, ...], stride: int = 1, padding: str = "SAME") -> Layer:
    options = {"strideH": stride, "strideW": stride, "padding": ["SAME", "VALID"].index(padding)}
    values = RANDOM.normal(size=kernel).astype(np.float32)
    return Layer(
        index=0,
        op=op,
        source="in",
        output="out",
        kernel=values,
        bias=np.zeros(4, np.float32),
        options=options,
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [3, 4])
def test_patches_are_those_that_tensorflow_takes(padding: str, stride: int, size: int) -> None:
    image = RANDOM.normal(size=(1, 7, 8, 2)).astype(np.float32)
    truth = tf.image.extract_patches(
        image, [1, size, size, 1], [1, stride, stride, 1], [1, 1, 1, 1], padding
    ).numpy()
    rows = truth.reshape(-1, truth.shape[-1])
    moments = Moments(layer("CONV_2D", (4, size, size, 2), stride, padding), wants_second=True)
    moments.add(image, truth.shape[1:3], np.random.default_rng(0), 64)
    positions = np.random.default_rng(0).integers(0, len(rows), min(64, len(rows)))
    drawn = rows[positions].astype(np.float64)
    assert moments.count == len(drawn)
    np.testing.assert_allclose(moments.mean, drawn.mean(axis=0), atol=1e-5)
    second = moments.second()
    assert second is not None
    np.testing.assert_allclose(second, drawn.T @ drawn / len(drawn), atol=1e-4)


def test_dense_layer_has_its_input_as_the_patch() -> None:
    moments = Moments(layer("FULLY_CONNECTED", (4, 6)), wants_second=True)
    rows = RANDOM.normal(size=(10, 6)).astype(np.float32)
    for row in rows:
        moments.add(row[None], (1, 1), np.random.default_rng(0), 1)
    np.testing.assert_allclose(moments.mean, rows.mean(axis=0), atol=1e-6)
    second = moments.second()
    assert second is not None
    np.testing.assert_allclose(second, rows.T @ rows / 10, atol=1e-5)


def test_second_moments_are_kept_only_where_asked_for() -> None:
    moments = Moments(layer("CONV_2D", (4, 3, 3, 2)), wants_second=False)
    moments.add(np.ones((1, 5, 5, 2), np.float32), (5, 5), np.random.default_rng(0), 8)
    assert moments.second() is None
    assert moments.count == 8


@pytest.mark.parametrize(
    ("count", "every", "patches"), [(1000, 3, 24), (64, 1, 64), (1, 1, 64), (20000, 78, 31)]
)
def test_about_as_many_patches_whatever_the_number_of_images(count: int, every: int, patches: int) -> None:
    assert plan(count) == (every, patches)


def test_same_images_give_the_same_moments(residual: object, tmp_path: Path) -> None:
    from tests.graph.road import Road

    assert isinstance(residual, Road)

    def once() -> list[np.ndarray]:
        measured = measure(
            residual.float_graph,
            (image[None] for image in residual.images),
            takes_pixels=False,
            threads=1,
            second_moments=lambda one: True,
            count=len(residual.images),
        )
        return [m.mean for m in measured.moments.values()]

    for a, b in zip(once(), once(), strict=True):
        np.testing.assert_array_equal(a, b)
