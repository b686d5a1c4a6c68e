"""What `resnet-edge verify` says of good files that others wrote, and of networks that ours are not.

    python benchmarks/false_alarms.py --work DIR [--networks NAME,…]

The networks of defect_exports.py, and five of other layers: a batch normalization behind a bias (as in
keras.applications), depthwise, dilated and grouped convolutions, and a Flatten. Each by TensorFlow's
converter (float32, float16, dynamic, int8, int16x8), by tf2onnx and by ONNX Runtime's quantizer (QDQ, uint8
activations, a scale for each channel), and those five by `convert` as well. A finding that contradicts the
reference is a false alarm; a file that fails by its answers alone is listed with what was measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from defect_exports import NETWORKS, Network, train, write_images
from defect_verify import Said, verify

from resnet_edge.core.bundled import MODEL_FILE, bundled

IMAGES, CALIBRATION = 500, 200
MAX_DROP = "2"


def _body(unit: Callable[[Any, int, int], Any]) -> Callable[[tuple[int, int, int]], Any]:
    """Three units on pixels from 0 to 1, and a mean."""

    def build(shape: tuple[int, int, int]) -> Any:
        import keras

        image = keras.Input(shape)
        x = keras.layers.Rescaling(1 / 255)(image)
        for filters, stride in ((16, 1), (16, 2), (32, 2)):
            x = unit(x, filters, stride)
        x = keras.layers.GlobalAveragePooling2D()(x)
        return keras.Model(image, keras.layers.Dense(10)(x))

    return build


def _biased(x: Any, filters: int, stride: int) -> Any:
    from keras import layers

    for step in (stride, 1):
        x = layers.Conv2D(filters, 3, step, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    return x


def _depthwise(x: Any, filters: int, stride: int) -> Any:
    from keras import layers

    x = layers.ReLU(6)(layers.BatchNormalization()(layers.Conv2D(filters, 1)(x)))
    x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(x)
    x = layers.ReLU(6)(layers.BatchNormalization()(x))
    return layers.BatchNormalization()(layers.Conv2D(filters, 1, use_bias=False)(x))


def _dilated(x: Any, filters: int, stride: int) -> Any:
    from keras import layers

    x = layers.Conv2D(filters, 3, stride, padding="same", activation="relu")(x)
    return layers.Conv2D(filters, 3, padding="same", dilation_rate=2, activation="relu")(x)


def _grouped(x: Any, filters: int, stride: int) -> Any:
    from keras import layers

    x = layers.Conv2D(filters, 1, activation="relu")(x)
    x = layers.Conv2D(filters, 3, stride, padding="same", groups=4, use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _lenet(shape: tuple[int, int, int]) -> Any:
    import keras

    image = keras.Input(shape)
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    for filters in (8, 16):
        x = keras.layers.MaxPooling2D(2)(keras.layers.Conv2D(filters, 5, activation="relu")(x))
    x = keras.layers.Dense(32, "relu")(keras.layers.Flatten()(x))
    return keras.Model(image, keras.layers.Dense(10)(x))


OTHERS = (
    Network("biased", "biased", 3, 11, _body(_biased)),
    Network("depthwise", "depthwise", 3, 12, _body(_depthwise)),
    Network("dilated", "dilated", 1, 13, _body(_dilated)),
    Network("grouped", "grouped", 1, 14, _body(_grouped)),
    Network("lenet", "lenet", 3, 15, _lenet),
)


def main() -> None:
    """Export, verify, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where networks and files are kept")
    names = tuple(network.name for network in (*NETWORKS, *OTHERS))
    parser.add_argument("--networks", type=lambda text: tuple(text.split(",")), default=names)
    parser.add_argument("--export", help="make the files of one network, and nothing else")
    options = parser.parse_args()
    chosen = [network for network in (*NETWORKS, *OTHERS) if network.name in options.networks]
    if options.export:
        export(next(network for network in chosen if network.name == options.export), options.work)
        return
    said: dict[str, Said] = {}
    for network in chosen:
        files = exported(network, options.work)
        found = verify(files, model_of(network, options.work), proof(network, options.work), drop=MAX_DROP)
        said |= {file.name: one for file, one in found.items()}
        print(f"verified {network.name}: {len(files)} files", file=sys.stderr, flush=True)
    print("\n".join(told(said)))


def told(said: dict[str, Said]) -> Iterator[str]:
    """The counts, and what was not good."""
    alarms = [name for name, one in said.items() if one.certain or one.verdict == "error"]
    verdicts = {word: sum(one.verdict == word for one in said.values()) for word in ("pass", "inconclusive")}
    yield f"{len(said)} good files: {len(alarms)} false alarms; {verdicts}"
    yield from (f"- {name}: {said[name].layer} {said[name].cause}: {said[name].why}" for name in alarms)
    rest = [name for name, one in said.items() if one.verdict == "fail" and name not in alarms]
    yield f"{len(rest)} fail by their answers:"
    yield from (f"- {name}: {said[name].why}" for name in rest)


def model_of(network: Network, work: Path) -> Path:
    return Path(bundled(MODEL_FILE)) if network.build is None else work / f"{network.name}.keras"


def proof(network: Network, work: Path) -> Path:
    """The first images of the proof."""
    path = work / f"images{network.channels}-{IMAGES}.npz"
    if not path.exists():
        with np.load(work / f"proof{network.channels}.npz") as held:
            np.savez(path, images=held["images"][:IMAGES], labels=held["labels"][:IMAGES])
    return path


def exported(network: Network, work: Path) -> list[Path]:
    """The files of a network, made where they are missing."""
    write_images(network.channels, work)
    folder = work / f"{network.name}.others"
    if not folder.exists():  # TensorFlow keeps what it has made: a process of its own
        words = ("--work", str(work), "--networks", network.name, "--export", network.name)
        # Its stdout is full of TensorFlow's news.
        subprocess.run([sys.executable, __file__, *words], check=True, stdout=subprocess.DEVNULL)
    return sorted(file for file in folder.iterdir() if file.suffix in (".tflite", ".onnx"))


def export(network: Network, work: Path) -> None:
    """By each converter, into the folder of the network."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    model = model_of(network, work)
    if not model.exists():
        train(network, work)
    half = work / f"{network.name}.half"
    half.mkdir(exist_ok=True)
    _by_tensorflow(network, model, work, half)
    if network.name != "grouped":  # tf2onnx 1.17 has no grouped convolutions
        _by_onnx(network, model, work, half)
    if network in OTHERS:
        _by_us(network, model, work, half)
    half.rename(work / f"{network.name}.others")


def _calibration(network: Network, work: Path) -> np.ndarray:
    with np.load(work / f"calibration{network.channels}.npz") as held:
        return np.asarray(held["images"][:CALIBRATION], np.float32)


def _by_tensorflow(network: Network, model: Path, work: Path, out: Path) -> None:
    import keras
    import tensorflow as tf

    images = _calibration(network, work)
    loaded = keras.models.load_model(model, compile=False)
    kinds = tf.lite.OpsSet
    ways: dict[str, dict[str, Any]] = {
        "float": {},
        "float16": {"types": [tf.float16]},
        "dynamic": {"types": []},
        "int8": {"types": [], "ops": [kinds.TFLITE_BUILTINS_INT8]},
        "int16x8": {
            "types": [],
            "ops": [kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8],
        },
    }
    for name, told in ways.items():
        converter = tf.lite.TFLiteConverter.from_keras_model(loaded)
        if "types" in told:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = told["types"]
        if "ops" in told:
            converter.target_spec.supported_ops = told["ops"]
            converter.representative_dataset = lambda: ([image[None]] for image in images)
        (out / f"{network.name}.tf-{name}.tflite").write_bytes(converter.convert())


def _by_onnx(network: Network, model: Path, work: Path, out: Path) -> None:
    import keras
    import onnx
    import tensorflow as tf
    import tf2onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    loaded = keras.models.load_model(model, compile=False)
    signature = [tf.TensorSpec((1, *loaded.input_shape[1:]), tf.float32, name="pixels")]
    function = tf.function(lambda pixels: loaded(pixels, training=False), input_signature=signature)
    path = out / f"{network.name}.tf2onnx.onnx"
    tf2onnx.convert.from_function(function, signature, opset=17, output_path=str(path))
    name = onnx.load(path).graph.input[0].name

    class Images(CalibrationDataReader):
        def __init__(self) -> None:
            self.images = iter([{name: image[None]} for image in _calibration(network, work)])

        def get_next(self) -> dict[str, Any] | None:
            return next(self.images, None)

    quantized = out / f"{network.name}.ort-u8s8.onnx"
    quantize_static(path, quantized, Images(), activation_type=QuantType.QUInt8, per_channel=True)


def _by_us(network: Network, model: Path, work: Path, out: Path) -> None:
    data, calibration = proof(network, work), work / f"calibration{network.channels}.npz"
    command = [sys.executable, "-m", "resnet_edge", "convert", str(model), "--data", str(data)]
    command += ["--calibration", str(calibration), "--out", str(out / "ours"), "--max-drop", MAX_DROP]
    command += ["--latency-seconds", "0", "--quiet"]
    command += ["--schemes", "fp32,fp16,dynamic,int8,int16x8"]
    done = subprocess.run(command, check=False).returncode
    folder = next(path for path in (out / "ours", out / "ours.partial") if path.exists())
    print(f"convert {network.name} ended with {done}", file=sys.stderr)
    for file in folder.iterdir():
        if file.suffix in (".tflite", ".onnx"):
            file.rename(out / file.name)


if __name__ == "__main__":
    main()
