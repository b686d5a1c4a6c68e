"""`resnet-edge convert` of a network with an operation that has no lowering to ONNX."""

from __future__ import annotations

import json
import warnings

import pytest
from keras import Input, Model, layers

from tests.cli.conftest import Given
from tests.cli.conversion import CLASSES, SIZE, Place


def volumetric() -> Model:
    """Channels as a third axis of a convolution, which TFLite has and the lowering has not."""
    image = Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(image))
    x = layers.Conv3D(4, 3, padding="same")(layers.Reshape((SIZE, SIZE, 4, 2))(x))
    x = layers.GlobalAveragePooling2D()(layers.Reshape((SIZE, SIZE, 16))(x))
    return Model(image, layers.Dense(CLASSES)(x))


@pytest.mark.slow
def test_the_other_files_appear_in_partial(place: Place, given: Given) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of numpy, in Keras
        volumetric().save(place.here / "volumetric.keras")
    ended = place.run(
        *("volumetric.keras", "--data", str(given.data), "--schemes", "fp32,fp16", "--latency-seconds", "0"),
        *("--max-drop", "2", "--out", "dist", "--json"),
    )
    assert ended.code == 3
    report = json.loads(ended.out)
    files = [row["file"] for row in report["artifacts"]]
    assert files == ["volumetric.fp32.tflite", "volumetric.fp16.tflite"]
    assert [row["artifact"] for row in report["parity"]] == files
    assert all(row["verdict"] != "fail" for row in report["parity"])
    for failure, scheme in zip(report["failures"], ("fp32", "fp16"), strict=True):
        assert failure["what"] == f"volumetric.{scheme}.onnx"
        assert "no lowering of CONV_3D" in failure["message"]
        assert "ask for --formats tflite" in failure["message"]
    (line,) = ended.errors
    assert "CONV_3D" in line
    assert "what could be made is in dist.partial" in line
    assert not (place.here / "dist").exists()
    assert not list((place.here / "dist.partial").glob("*.onnx"))
    assert "Traceback" not in ended.err
