"""The imitations of data.platforms against the real resizes, where these run."""

from __future__ import annotations

import base64
import io
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.core.errors import MissingDependency
from resnet_edge.data import platforms
from tests.data.photos import SIZES, noise

HEIGHT, WIDTH = 16, 20

MEDIAPIPE = """
import sys
import numpy as np
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision

model = BaseOptions(model_asset_path="model.tflite")
options = vision.ImageClassifierOptions(base_options=model, max_results=-1)
with vision.ImageClassifier.create_from_options(options) as classifier, np.load("photos.npz") as photos:
    fed = {}
    for name in photos:
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(photos[name]))
        scores = classifier.classify(image).classifications[0].categories
        fed[name] = np.array([one.score for one in sorted(scores, key=lambda one: one.index)])
np.savez("fed.npz", **fed)
"""
OPENCV = """
import cv2
import numpy as np

resized = {}
with np.load("photos.npz") as photos:
    for name in photos:
        for how in ("INTER_LINEAR", "INTER_AREA"):
            resized[f"{name} {how}"] = cv2.resize(photos[name], (20, 16), interpolation=getattr(cv2, how))
np.savez("fed.npz", **resized)
"""
DRAW = """async ([address, width, height]) => {
  const image = new Image(); image.src = address; await image.decode();
  const bitmap = await createImageBitmap(image);
  const canvas = document.createElement("canvas"); canvas.width = width; canvas.height = height;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "low";
  context.drawImage(bitmap, 0, 0, width, height);
  return Array.from(context.getImageData(0, 0, width, height).data);
}"""


def photos() -> dict[str, NDArray[np.uint8]]:
    return {f"{height}x{width}": noise(height, width) for height, width in SIZES}


def in_mediapipes_environment(program: str, folder: Path) -> dict[str, NDArray[Any]]:
    """What `program` saves in fed.npz, run beside photos.npz; skips where MediaPipe is not installed."""
    from resnet_edge.backends import _mediapipe_environment

    try:
        _mediapipe_environment.require("mediapipe")
    except MissingDependency as error:
        pytest.skip(str(error))
    np.savez(folder / "photos.npz", **photos())  # type: ignore[arg-type]
    command = [str(_mediapipe_environment.ENVIRONMENT.program("python")), "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "fed.npz") as fed:
        return dict(fed)


def write_mirror(path: Path) -> None:
    """A model that gives the pixels that it is fed as scores: (1, 16, 20, 3) uint8 to (1, 960) uint8."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    count = HEIGHT * WIDTH * 3
    kind = schema.TensorType
    tensors = [
        tensor(schema, "image", [1, HEIGHT, WIDTH, 3], kind.UINT8, 1),
        tensor(schema, "shape", [2], kind.INT32, 2),
        tensor(schema, "scores", [1, count], kind.UINT8, 3),
    ]
    code, reshape, graph, model = (
        schema.OperatorCodeT(),
        schema.OperatorT(),
        schema.SubGraphT(),
        schema.ModelT(),
    )
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    reshape.inputs, reshape.outputs = [0, 1], [2]
    reshape.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    reshape.builtinOptions = schema.ReshapeOptionsT()
    reshape.builtinOptions.newShape = [1, count]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [reshape], [0], [2]
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT() for _ in range(4)]
    model.buffers[2].data = np.frombuffer(np.array([1, count], np.int32).tobytes(), np.uint8)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def tensor(schema: Any, name: str, shape: list[int], kind: int, buffer: int) -> Any:
    stored = schema.TensorT()
    stored.name, stored.shape, stored.type, stored.buffer = name, shape, kind, buffer
    if kind == schema.TensorType.UINT8:
        stored.quantization = schema.QuantizationParametersT()
        stored.quantization.scale, stored.quantization.zeroPoint = [1.0], [0]
    return stored


def apart(one: NDArray[Any], other: NDArray[Any]) -> tuple[float, float]:
    """The largest and the mean difference."""
    difference = np.abs(one.astype(np.float64) - other)
    return float(difference.max()), float(difference.mean())


def test_mediapipe_feeds_a_model_exactly_these_pixels(tmp_path: Path) -> None:
    write_mirror(tmp_path / "model.tflite")
    fed = in_mediapipes_environment(MEDIAPIPE, tmp_path)
    for name, photo in photos().items():
        theirs = fed[name].reshape(HEIGHT, WIDTH, 3)
        assert apart(platforms.mediapipe(photo, HEIGHT, WIDTH), theirs)[0] == 0, name
    assert (
        apart(platforms.half_pixel(photos()["32x40"], HEIGHT, WIDTH), fed["32x40"].reshape(16, 20, 3))[0] > 50
    )


def test_opencvs_resizes_are_a_level_away_at_most(tmp_path: Path) -> None:
    fed = in_mediapipes_environment(OPENCV, tmp_path)  # which has an OpenCV
    for name, photo in photos().items():
        for how, imitated in (("INTER_LINEAR", platforms.half_pixel), ("INTER_AREA", platforms.area)):
            assert apart(imitated(photo, HEIGHT, WIDTH), fed[f"{name} {how}"])[0] <= 1, (name, how)


def test_tensorflows_resize_is_rounded() -> None:
    import tensorflow as tf

    for name, photo in photos().items():
        theirs = tf.image.resize(photo, (HEIGHT, WIDTH)).numpy()
        assert apart(platforms.half_pixel(photo, HEIGHT, WIDTH), theirs)[0] < 0.501, name


def test_pillows_is_tensorflows_with_antialias() -> None:
    import tensorflow as tf

    for name, photo in photos().items():
        theirs = tf.image.resize(photo, (HEIGHT, WIDTH), antialias=True).numpy()
        assert apart(platforms.pillow(photo, HEIGHT, WIDTH), theirs)[0] <= 1, name


@pytest.mark.chromium
def test_skia_draws_a_bitmap_so_in_chromium() -> None:
    sync = pytest.importorskip("playwright.sync_api", reason="pip install 'resnet-edge[web]'")
    from resnet_edge.backends._web import packages as web_packages

    try:
        browser = web_packages.chromium("browser")
    except MissingDependency as error:
        pytest.skip(str(error))
    with sync.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-quic"])
        page = running.new_page()
        for name, photo in photos().items():
            stream = io.BytesIO()
            Image.fromarray(photo).save(stream, "PNG")
            address = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
            drawn = np.array(page.evaluate(DRAW, [address, WIDTH, HEIGHT])).reshape(HEIGHT, WIDTH, 4)[..., :3]
            # Positions on a sixteenth fall to either side of it: a step of 255 / 16 in noise.
            most, mean = apart(platforms.skia(photo, HEIGHT, WIDTH), drawn)
            assert (most <= 16, mean < 2) == (True, True), (name, most, mean)
            if name == "300x401":
                assert apart(platforms.pillow(photo, HEIGHT, WIDTH), drawn)[1] > 20
        running.close()


@pytest.mark.parametrize("platform", platforms.PLATFORMS, ids=lambda one: one.name)
def test_photos_of_the_models_size_stay_as_they_are(platform: platforms.Platform) -> None:
    photo = noise(HEIGHT, WIDTH)
    np.testing.assert_array_equal(platform.resize(photo, HEIGHT, WIDTH), photo)


@pytest.mark.parametrize("platform", platforms.PLATFORMS, ids=lambda one: one.name)
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2000), (700, 1)])
def test_any_photo_keeps_a_plain_colour(platform: platforms.Platform, size: tuple[int, int]) -> None:
    resized = platform.resize(np.full((*size, 3), 131, np.uint8), HEIGHT, WIDTH)
    assert resized.shape == (HEIGHT, WIDTH, 3)
    assert resized.dtype == np.uint8
    assert set(resized.ravel().tolist()) == {131}
