"""`resnet-edge verify` on files that others wrote: inputs of other names, and no pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
import tf2onnx
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from resnet_edge.inspection.inspect import inspect
from tests.backends import tiny
from tests.cli.conftest import Given
from tests.cli.conversion import Place, tinted_images
from tests.cli.test_verify import document

SCALE, OFFSET = 0.9, 4.0
IMAGES = tinted_images(600, seed=9)[0]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "verify")


class Reader(CalibrationDataReader):
    """Preprocessed images, one at a time."""

    def __init__(self, name: str) -> None:
        self.images = iter(
            [{name: SCALE * image[None].astype(np.float32) + OFFSET} for image in IMAGES[:100]]
        )

    def get_next(self) -> dict[str, Any] | None:
        return next(self.images, None)


@pytest.fixture(scope="module")
def foreign(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model by TensorFlow's converter, by tf2onnx, and by ONNX Runtime's quantizer in two ways."""
    folder = tmp_path_factory.mktemp("foreign")
    model = keras.models.load_model(given.model, compile=False)
    shape = (1, *model.input_shape[1:])

    # TensorFlow has no types, so that mypy takes what it decorates for untyped.
    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name="pixels")])  # type: ignore[untyped-decorator]
    def serve(pixels: tf.Tensor) -> tf.Tensor:
        return model(pixels, training=False)

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (folder / "float.tflite").write_bytes(converter.convert())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    (folder / "dynamic.tflite").write_bytes(converter.convert())
    path = folder / "float.onnx"
    tf2onnx.convert.from_function(serve, serve.input_signature, opset=17, output_path=str(path))
    name = onnx.load(path).graph.input[0].name
    assert name != "image"
    quantize_static(path, folder / "s8s8.onnx", Reader(name))
    quantize_static(
        path, folder / "u8s8.onnx", Reader(name), activation_type=QuantType.QUInt8, per_channel=True
    )
    nchw = folder / "nchw.onnx"
    tf2onnx.convert.from_function(
        serve, serve.input_signature, opset=17, output_path=str(nchw), inputs_as_nchw=["pixels:0"]
    )
    return folder


def options_for(place: Place, given: Given) -> tuple[str, ...]:
    np.savez(place.here / "bare.npz", images=IMAGES)
    (place.here / "how.json").write_text(json.dumps({"scale": [SCALE], "offset": [OFFSET]}))
    words = ("--reference", str(given.model), "--data", "bare.npz", "--max-drop", "5")
    return (*words, "--preprocess", "how.json", "--feed", "preprocessed")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_good_files_of_others_pass(place: Place, given: Given, foreign: Path) -> None:
    names = ["float.tflite", "dynamic.tflite", "float.onnx", "u8s8.onnx"]
    ended = place.run(*(str(foreign / name) for name in names), *options_for(place, given), "--json")
    assert ended.code == 0, ended.err
    verification = document(ended)
    assert {row["artifact"]: row["verdict"] for row in verification["parity"]} == dict.fromkeys(names, "pass")
    assert all(explanation["findings"] == [] for explanation in verification["explanations"])
    for split in verification["attribution"]:
        sqnr = {share["cause"]: share["sqnr_db"] for share in split["shares"]}
        assert sqnr["preprocessing"] == 200
        assert sqnr["conversion"] > 90
        assert split["kernels"]["within"]
    assert all(ran["int8_macs"] >= ran["stated_int8_macs"] for ran in verification["execution"])
    assert [risk["artifact"] for risk in verification["int8_risk"]] == ["u8s8.onnx"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.slow
def test_the_defaults_of_onnx_runtime_leave_a_residual_network_half_in_float(
    place: Place, given: Given, foreign: Path
) -> None:
    """On x86 it makes int8 activations uint8 one by one, and fuses no layer that reads one and writes the
    other."""
    ended = place.run(str(foreign / "s8s8.onnx"), *options_for(place, given), "--json")
    assert ended.code == 0
    verification = document(ended)
    assert any(
        "of what the file multiplies in integers in float" in r for r in verification["parity"][0]["reasons"]
    )
    assert verification["explanations"][0]["findings"] == []
    assert verification["attribution"][0]["kernels"]["within"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_channels_first_are_fed_so_and_told(place: Place, given: Given, foreign: Path) -> None:
    ended = place.run(str(foreign / "nchw.onnx"), *options_for(place, given), "--json")
    assert ended.code == 0, ended.err
    verification = document(ended)
    assert verification["explanations"][0]["findings"] == []
    assert any("takes its channels first" in note for note in verification["notes"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("float.onnx", "at least", "set 17"),
        ("nchw.onnx", "at least", "set 17"),
        ("u8s8.onnx", "never", "uint8"),
        ("s8s8.onnx", "never", "the zero point"),
    ],
)
def test_tensorrts_rules_hold_for_them(foreign: Path, name: str, state: str, words: str) -> None:
    minimum = next(each for each in inspect(foreign / name).minimums if each.runtime == "TensorRT")
    assert minimum.state == state, minimum.why
    assert words in minimum.why


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_a_file_that_does_not_fit_leaves_the_others(place: Place, given: Given, foreign: Path) -> None:
    tiny.write_onnx(place.here)
    paths = (str(place.here / "fixed.onnx"), str(foreign / "float.onnx"))
    ended = place.run(*paths, *options_for(place, given), "--json")
    assert ended.code == 3
    verification = document(ended)
    assert [(row["artifact"], row["verdict"]) for row in verification["parity"]] == [("float.onnx", "pass")]
    assert [Path(failure["what"]).name for failure in verification["failures"]] == ["fixed.onnx"]
    assert "name the model that it was made from" in verification["failures"][0]["message"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.slow
def test_pixels_in_place_of_what_the_model_takes_do_not_pass(
    place: Place, given: Given, foreign: Path
) -> None:
    """The same file, as if it had the preprocessing inside."""
    words = [word for word in options_for(place, given) if word not in ("--feed", "preprocessed")]
    ended = place.run(str(foreign / "float.tflite"), *words, "--json")
    assert ended.code == 4
    assert document(ended)["parity"][0]["verdict"] == "fail"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(("preset", "scale", "offset"), [("unit", 255.0, 0.0), ("symmetric", 127.5, 127.5)])
@pytest.mark.slow
def test_bytes_reach_an_integer_input_as_an_app_gives_them(
    preset: str, scale: float, offset: float, place: Place, given: Given
) -> None:
    """Its scale holds the preprocessing: one step is one pixel."""
    trained = keras.models.load_model(given.model, compile=False)
    image = keras.Input(trained.input_shape[1:])
    model = keras.Model(image, trained(keras.layers.Rescaling(scale, offset)(image)))
    model.save(place.here / "prepared.keras")
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: (
        [((one[None].astype(np.float32) - offset) / scale).astype(np.float32)] for one in IMAGES[:100]
    )
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    (place.here / "bytes.tflite").write_bytes(converter.convert())
    np.savez(place.here / "bare.npz", images=IMAGES)
    words = ("--reference", "prepared.keras", "--preprocess", preset, "--data", "bare.npz", "--max-drop", "5")
    ended = place.run("bytes.tflite", *words, "--save-golden", "golden.zip", "--json")
    verification = document(ended)
    assert ended.code == 0, verification["parity"]
    assert verification["parity"][0]["agreement"] > 0.95
    assert verification["explanations"][0]["findings"] == []
    conversion = next(one for one in verification["attribution"][0]["shares"] if one["cause"] == "conversion")
    # zero points are whole: black is -1.004 or -0.996, where the model has -1
    assert conversion["sqnr_db"] > (80 if preset == "unit" else 40)
    assert any("golden vectors hold images" in note for note in verification["notes"])
    assert not (place.here / "golden.zip").exists()
