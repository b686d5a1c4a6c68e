"""Tiny TFLite files of RGB images, with metadata: what MediaPipe opens.

8 x 8 x 3 pixels in, 5 probabilities out: a convolution, ReLU, the mean over the image, a matrix, softmax.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.graph.model import load_model, save_model

SHAPE = (8, 8, 3)
LABELS = ("Zebra", "Äpfel", "東京", "a b", "-1")
_random = np.random.default_rng(36)  # three classes among the images of `pixels`
KERNEL = _random.normal(0, 0.5, (3, 3, 3, 4)).astype(np.float32)
MATRIX = _random.normal(0, 4, (4, len(LABELS))).astype(np.float32)


def pixels(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """Random images (n, 8, 8, 3), each of its own colour, so that classes differ."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (n, *SHAPE)) * random.uniform(0, 1, (n, 1, 1, 3))
    images: NDArray[np.uint8] = noise.astype(np.uint8)
    return images


def write_all(folder: Path) -> Path:
    """float32.tflite and uint8.tflite with metadata; bare.tflite (float32) and int8.tflite without;
    dynamic.tflite of any batch size; short.tflite with a label too few; scaled.tflite with another mean
    and std."""
    bare = folder / "bare.tflite"
    bare.write_bytes(_converter(1).convert())
    (folder / "dynamic.tflite").write_bytes(_converter(None).convert())
    for dtype in ("uint8", "int8"):
        (folder / f"{dtype}.tflite").write_bytes(_quantized(dtype))
    with_metadata(bare, folder / "float32.tflite", LABELS)
    with_metadata(bare, folder / "short.tflite", LABELS[:-1])
    with_metadata(bare, folder / "scaled.tflite", LABELS, 127.5, 127.5)
    with_metadata(folder / "uint8.tflite", folder / "uint8.tflite", LABELS)
    return folder


def _converter(batch: int | None) -> Any:
    import tensorflow as tf

    def serve(image: Any) -> dict[str, Any]:
        features = tf.nn.relu(tf.nn.conv2d(image / 255.0, KERNEL, 1, "SAME"))
        return {"probabilities": tf.nn.softmax(tf.reduce_mean(features, [1, 2]) @ MATRIX)}

    module = tf.Module()  # without an owner the converter calls the output `Identity`
    signature = [tf.TensorSpec([batch, *SHAPE], tf.float32, name="image")]
    module.serve = tf.function(serve, input_signature=signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([module.serve.get_concrete_function()], module)


def _quantized(dtype: str) -> bytes:
    import tensorflow as tf

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        return ([image[None]] for image in pixels(50).astype(np.float32))

    converter = _converter(1)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.as_dtype(dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        content: bytes = converter.convert()
    return content


def with_metadata(
    source: Path, out: Path, labels: Sequence[str], mean: float = 0.0, std: float = 1.0
) -> None:
    """A copy with the fewest fields that MediaPipe needs, by hand (metadata_schema.fbs 1.5.0)."""
    model = load_model(source)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(_metadata(mean, std), np.uint8)
    model.buffers = [*model.buffers, buffer]
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [*(model.metadata or ()), entry]
    save_model(model, out)
    with zipfile.ZipFile(out, "a") as files:
        files.writestr("labels.txt", "\n".join(labels))


def _metadata(mean: float, std: float) -> bytes:
    to = flatbuffers.Builder(256)
    image = _image(to, mean, std)
    scores = _scores(to)
    inputs, outputs = _vector(to, [image]), _vector(to, [scores])
    subgraph = _table(to, 10, {2: inputs, 3: outputs})
    version = to.CreateString("1.0.0")
    to.Finish(_table(to, 8, {3: _vector(to, [subgraph]), 7: version}), b"M001")
    return bytes(to.Output())


def _image(to: Any, mean: float, std: float) -> int:
    options = _table(to, 2, {0: _floats(to, mean), 1: _floats(to, std)})
    unit = _table(to, 2, {1: options}, {0: lambda slot: to.PrependUint8Slot(slot, 1, 0)})  # normalization
    properties = _table(to, 2, {}, {0: lambda slot: to.PrependInt8Slot(slot, 1, 0)})  # RGB
    content = _table(to, 2, {1: properties}, {0: lambda slot: to.PrependUint8Slot(slot, 2, 0)})  # an image
    return _table(to, 7, {3: content, 4: _vector(to, [unit])})


def _scores(to: Any) -> int:
    name = to.CreateString("labels.txt")
    file = _table(to, 5, {0: name}, {2: lambda slot: to.PrependInt8Slot(slot, 2, 0)})  # labels of an axis
    # Without a name for the output, MediaPipe in the browser fails as it decodes one (1.1.0).
    return _table(to, 7, {0: to.CreateString("probabilities"), 6: _vector(to, [file])})


def _table(
    to: Any, fields: int, offsets: dict[int, int], scalars: dict[int, Callable[[int], None]] | None = None
) -> int:
    to.StartObject(fields)
    for slot, offset in offsets.items():
        to.PrependUOffsetTRelativeSlot(slot, offset, 0)
    for slot, prepend in (scalars or {}).items():
        prepend(slot)
    end: int = to.EndObject()
    return end


def _vector(to: Any, offsets: list[int]) -> int:
    to.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        to.PrependUOffsetTRelative(offset)
    end: int = to.EndVector()
    return end


def _floats(to: Any, value: float) -> int:
    to.StartVector(4, 1, 4)
    to.PrependFloat32(value)
    offset: int = to.EndVector()
    return offset
