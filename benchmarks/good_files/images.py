"""Images that a small network learns in a minute: a coloured figure on a noisy ground, and how a model
wants its pixels prepared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = 6
COLOURS = np.asarray(
    [[214, 66, 54], [228, 168, 40], [84, 176, 66], [52, 158, 196], [92, 74, 208], [206, 82, 170]], np.float64
)
"""Of the classes; neighbours also differ in their figure."""
MEANS = np.asarray([103.939, 116.779, 123.68], np.float32)
"""Of ImageNet, blue first: keras.applications' `caffe` mode."""
TORCH_MEAN = np.asarray([0.485, 0.456, 0.406], np.float32)
TORCH_STD = np.asarray([0.229, 0.224, 0.225], np.float32)


def figures(
    count: int, size: int, seed: int, jitter: float = 0
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(count, size, size, 3) uint8 and labels 0 to 5: rings, triangles and bars, one colour for each class,
    under a light whose colour and direction vary. `jitter` of the colours, in grey levels, makes some of the
    classes hard to tell."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    rows, columns = np.mgrid[:size, :size] / size - 0.5
    ground = random.normal(120, 22, (count, size, size, 3)) + random.normal(0, 16, (count, 1, 1, 3))
    for image, label in zip(ground, labels, strict=True):
        down, right = random.uniform(-0.16, 0.16, 2)
        inside = _figure(int(label) % 3, rows - down, columns - right, random.uniform(0.16, 0.3))
        colour = COLOURS[label] + random.normal(0, jitter, 3)
        image[inside] = colour + random.normal(0, 24, (int(inside.sum()), 3))
        slope = random.normal(0, 30, 2)
        image += (slope[0] * rows + slope[1] * columns)[..., None]
    return ground.clip(0, 255).astype(np.uint8), labels.astype(np.int64)


def _figure(number: int, rows: Any, columns: Any, radius: float) -> NDArray[np.bool_]:
    distance = np.hypot(rows, columns)
    if number == 0:
        ring: NDArray[np.bool_] = (distance < radius) & (distance > radius * 0.45)
        return ring
    if number == 1:
        triangle: NDArray[np.bool_] = (rows < radius * 0.8) & (rows > 2 * np.abs(columns) - radius)
        return triangle
    bars: NDArray[np.bool_] = (np.abs(rows) < radius) & (np.abs(columns) < radius) & (columns * 24 % 2 < 1.2)
    return bars


def prepared(images: NDArray[Any], way: str) -> NDArray[np.float32]:
    """Pixels as a model of this preprocessing takes them: one of convert's names, or `model`."""
    pixels = np.asarray(images, np.float32)
    if way == "unit":
        return pixels / np.float32(255)
    if way == "symmetric":
        return (pixels - np.float32(127.5)) / np.float32(127.5)
    if way == "caffe":
        return np.ascontiguousarray(pixels[..., ::-1]) - MEANS
    if way == "imagenet":
        return (pixels / np.float32(255) - TORCH_MEAN) / TORCH_STD
    return pixels  # `model` and `none`: the network does it


def prepare_in_graph(pixels: Any, way: str) -> Any:
    """The same as TensorFlow operations, as people write them into a serving function."""
    if way == "unit":
        return pixels / 255.0
    if way == "symmetric":
        return (pixels - 127.5) / 127.5
    if way == "caffe":
        return pixels[..., ::-1] - MEANS
    if way == "imagenet":
        return (pixels / 255.0 - TORCH_MEAN) / TORCH_STD
    return pixels
