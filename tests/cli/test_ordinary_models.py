"""Networks of the kinds that people bring, trained, through the real command at every way of repair.

What the artifacts give is compared with what the Keras that saved the model gave, by a plain loop.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tests.cli.conversion import Place, tinted_images
from tests.models.odd_names import rename

pytestmark = pytest.mark.slow

ODD = {
    "image_in": "the image",
    "conv_a": "conv 1",
    "conv_b": "gr\u00f6\u00dfe",
    "conv_c": "a;b",
    "net": "_x<y>",
}

SCRIPT = """
import sys

import numpy as np

name, data, out = sys.argv[1:]
if name.endswith("keras2"):
    import tf_keras as keras
else:
    import keras
L = keras.layers
keras.utils.set_random_seed(0)
found = np.load(data)
images, labels = found["images"].astype("float32"), found["labels"]


def conv(x, filters, name, stride=1):
    x = L.Conv2D(filters, 3, stride, padding="same", use_bias=False, name=name)(x)
    return L.BatchNormalization(momentum=0.8)(x)


if name.startswith("mixed"):
    keras.mixed_precision.set_global_policy("mixed_float16")
image = keras.Input(images.shape[1:], name="image_in")
x = L.Rescaling(1 / 255)(image)
if name == "functions":
    x = keras.activations.relu(conv(x, 12, "conv_a"))
    x = keras.activations.relu(conv(x, 12, "conv_b") + x)
else:
    x = L.ReLU()(conv(x, 12, "conv_a"))
    x = L.ReLU()(L.Add()([conv(x, 12, "conv_b"), x]))
x = L.ReLU()(conv(x, 16, "conv_c", 2))
if name == "nested_keras2":
    base = keras.Model(image, x, name="base")
    inner = keras.Sequential([base, L.GlobalAveragePooling2D()])
    model = keras.Sequential([keras.Input(images.shape[1:]), inner, L.Dense(4, activation="softmax")])
else:
    scores = L.Dense(4, activation="softmax", dtype="float32")(L.GlobalAveragePooling2D()(x))
    model = keras.Model(image, scores, name="net")
model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
model.fit(images, labels, batch_size=64, epochs=12, verbose=0)
model.save(out)
np.save(out + ".npy", model.predict(images, verbose=0))
"""


@pytest.fixture(scope="module", params=["functions", "nested_keras2", "mixed", "mixed_keras2", "odd"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any]:
    """The model's file, its data, and what the Keras that saved it gives."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    images, labels = tinted_images(600, seed=0)
    data, file = folder / "d.npz", folder / ("m.h5" if name.endswith("keras2") else "m.keras")
    np.savez(data, images=images, labels=labels)
    subprocess.run(
        [sys.executable, "-c", SCRIPT, name, str(data), str(file)],
        check=True,
        capture_output=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"},
    )
    if name == "odd":
        rename(file, file, ODD)
    return file, data, np.load(f"{file}.npy")


def _given(path: Path, images: Any) -> Any:
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        image = session.get_inputs()[0].name
        return np.concatenate([session.run(None, {image: one[None]})[0] for one in images])
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for one in images:
        interpreter.set_tensor(taken["index"], one[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(given["index"]))
    return np.concatenate(outputs)


@pytest.mark.parametrize("repair", ["none", "auto", "all"])
def test_it_converts_and_gives_what_its_own_keras_gives(
    case: tuple[Path, Path, Any], repair: str, tmp_path: Path
) -> None:
    file, data, expected = case
    place = Place(tmp_path)
    ended = place.run(str(file), "--data", str(data), "--out", "o", "--repair", repair)
    assert ended.code in (0, 5), ended.err
    report = json.loads((place.here / "o" / "report.json").read_text("utf-8"))
    images = np.load(data)["images"].astype(np.float32)[:150]
    for artifact in report["artifacts"]:
        given = _given(place.here / "o" / artifact["file"], images)
        same = np.mean(given.argmax(1) == expected[:150].argmax(1))
        assert same >= (0.95 if artifact["scheme"] in ("int8", "dynamic") else 0.99), artifact["file"]
    mixed, odd = "mixed" in str(file), "odd" in str(file)
    assert any("mixed_float16 is read as float32" in note for note in report["notes"]) is mixed
    assert {*report["model"]["own_names"].values()} == ({*ODD.values()} if odd else set())
