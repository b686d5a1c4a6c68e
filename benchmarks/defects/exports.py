"""Good exports for defects.py: trained networks, their images, and every artifact `convert` makes of them.

    python -m benchmarks.defect_exports WORK

Ten networks of 28 pixels, gray and coloured, of the zoo and of its blocks: basic blocks and bottlenecks
with the stride in either place (v1, v1.5), before and behind the activations (v2), and two with biases and
no batch normalization. The bundled ResNet-20 is one; the others learn two epochs of some images of Fashion-
MNIST, which is enough for answers that differ between images. Six are of 64 and 96 pixels
(defect_networks.py): they have what the others have not, such as PReLU, resizing, transposed convolutions
and a softmax; of their files those are taken that a plain loop finds good. Pairs of the same architecture
and another seed are what a stale file is made of. All stays in WORK, and what is there is not made again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.defects.networks import LARGER, good_exports
from resnet_edge.core.files.bundled import MODEL_FILE, bundled

TRAINING, CALIBRATION, PROOF = 12_000, 500, 10_000
EPOCHS, BATCH, RATE = 2, 64, 2e-3


@dataclass(frozen=True)
class Network:
    """`build` makes the Keras model, None stands for the bundled one; `family` is the same for networks
    that differ in their weights only."""

    name: str
    family: str
    channels: int
    seed: int
    build: Callable[[tuple[int, int, int]], Any] | None
    size: int = 28
    prepare: str = "model"
    """What it wants of raw pixels, by convert's name for it; `model`: it says so itself."""


@dataclass(frozen=True)
class Export:
    """A good artifact, the Keras model it was made of and the images to judge it by."""

    network: Network
    scheme: str
    path: Path
    model: Path
    data: Path

    @property
    def format(self) -> str:
        return self.path.suffix[1:]


def _resnet8(shape: tuple[int, int, int]) -> Any:
    from resnet_edge import zoo

    return zoo.build("resnet8", shape, 10)


def _bottlenecks(shape: tuple[int, int, int], *, stride_in_3x3: bool) -> Any:
    """The stem and three units of ResNet-50 at an eighth of its width."""
    import keras

    from resnet_edge.zoo import _blocks

    image, x = _blocks.pixels(shape)
    x = _blocks.conv_bn_relu(x, 16, 3, 1, "stem")
    x = keras.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage, filters in enumerate((8, 16, 24), start=1):
        stride = 1 if stage == 1 else 2
        x = _blocks.bottleneck_block(x, filters, stride, f"stage{stage}_block1", stride_in_3x3=stride_in_3x3)
    return keras.Model(image, _blocks.classifier(x, 10))


def _v1(shape: tuple[int, int, int]) -> Any:
    return _bottlenecks(shape, stride_in_3x3=False)


def _v15(shape: tuple[int, int, int]) -> Any:
    return _bottlenecks(shape, stride_in_3x3=True)


def _v2(shape: tuple[int, int, int]) -> Any:
    """Two stages of pre-activated bottlenecks."""
    import keras

    from resnet_edge.zoo import _blocks

    image, x = _blocks.pixels(shape)
    x = _blocks.conv_bn_relu(x, 16, 3, 1, "stem")
    for stage, filters in enumerate((8, 16), start=1):
        for unit in (1, 2):
            name, stride = f"stage{stage}_block{unit}", 2 if unit == 1 else 1
            first = stage == unit == 1
            x = _blocks.preactivation_block(x, filters, stride, name, bottleneck=True, activated=first)
    return keras.Model(image, _blocks.classifier(_blocks.bn_relu(x, "final"), 10))


def _biased(shape: tuple[int, int, int]) -> Any:
    """The article's network at a quarter of its width: biases, and no batch normalization. What equalization
    and bias correction change most."""
    from keras import Model, layers

    image = layers.Input(shape)
    x = layers.Conv2D(16, 7, 2, padding="same")(layers.Rescaling(1 / 255.0)(image))
    x = layers.MaxPooling2D(3, 2)(x)
    for _ in range(3):
        y = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
        x = layers.Add()([x, layers.Conv2D(16, 3, padding="same")(y)])
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return Model(image, layers.Dense(10)(x))


NETWORKS = (
    Network(name="resnet20", family="resnet20", channels=1, seed=0, build=None),
    Network(name="resnet8_a", family="resnet8", channels=1, seed=1, build=_resnet8),
    Network(name="resnet8_b", family="resnet8", channels=1, seed=2, build=_resnet8),
    Network(name="resnet8_rgb_a", family="resnet8_rgb", channels=3, seed=3, build=_resnet8),
    Network(name="resnet8_rgb_b", family="resnet8_rgb", channels=3, seed=4, build=_resnet8),
    Network(name="bottleneck_v1", family="bottleneck_v1", channels=1, seed=5, build=_v1),
    Network(name="bottleneck_v15", family="bottleneck_v15", channels=3, seed=6, build=_v15),
    Network(name="preactivation_v2", family="preactivation_v2", channels=3, seed=7, build=_v2),
    Network(name="biased_a", family="biased", channels=1, seed=8, build=_biased),
    Network(name="biased_b", family="biased", channels=1, seed=9, build=_biased),
    *(
        Network(
            name=one.name,
            family=family,
            channels=3,
            seed=one.seed,
            build=None,
            size=one.size,
            prepare=one.prepare,
        )
        for family, one in LARGER
    ),
)


def exports(work: Path, wanted: tuple[str, ...] = (), repair: str = "auto") -> list[Export]:
    """The artifacts of the networks called `wanted` (all by default), made with `--repair` where they are
    missing."""
    work.mkdir(parents=True, exist_ok=True)
    artifacts: list[Export] = []
    for network in NETWORKS:
        if not wanted or network.name in wanted:
            artifacts += _exported(network, work, repair)
    return artifacts


def _exported(network: Network, work: Path, repair: str) -> list[Export]:
    if network.size > 28:
        larger = next(one for _, one in LARGER if one.name == network.name)
        products = good_exports(larger, work, repair)
        return [
            Export(network=network, scheme=file.scheme, path=file.path, model=model, data=data)
            for file, model, data in products
        ]
    write_images(network.channels, work)
    data = work / f"proof{network.channels}.npz"
    model = Path(bundled(MODEL_FILE)) if network.build is None else work / f"{network.name}.keras"
    folder = work / f"{network.name}-{repair}"
    if not model.exists():  # Keras keeps hundreds of MB: a process of its own
        subprocess.run(
            [sys.executable, "-m", "benchmarks.defects.exports", str(work), network.name], check=True
        )
    if not folder.exists():
        calibration = work / f"calibration{network.channels}.npz"
        command = [sys.executable, "-m", "resnet_edge", "convert", str(model), "--data", str(data)]
        command += ["--calibration", str(calibration), "--out", str(folder)]
        command += ["--latency-seconds", "0", "--quiet", "--repair", repair]
        command += ["--schemes", "fp32,fp16,dynamic,int8,int16x8"]
        done = subprocess.run(command, check=False).returncode
        if done not in (0, 5) or not folder.exists():  # 5: too few images to prove a small drop
            raise SystemExit(f"convert {network.name} ended with {done}: its files are no good exports")
    files = sorted(folder.glob("*.tflite")) + sorted(folder.glob("*.onnx"))
    return [
        Export(network=network, scheme=file.suffixes[0][1:], path=file, model=model, data=data)
        for file in files
    ]


def coloured(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three channels that a network cannot mix up without noticing: the garment, its negative, and its
    shadow one pixel further."""
    shadow = np.roll(images, (1, 1), axis=(1, 2)) // 2
    return np.concatenate([images, 255 - images, shadow], axis=3)


def write_images(channels: int, work: Path) -> None:
    """The parts of Fashion-MNIST that train, calibrate and prove, which have no image in common."""
    if (work / f"proof{channels}.npz").exists():
        return
    from resnet_edge.data.load import load

    train, test = load("fashion-mnist", "train"), load("fashion-mnist", "test")
    dress = coloured if channels == 3 else np.asarray
    parts = {"training": (train, 0, TRAINING), "calibration": (train, TRAINING, CALIBRATION)}
    for name, (held, first, count) in {**parts, "proof": (test, 0, PROOF)}.items():
        rows = slice(first, first + count)
        assert held.labels is not None  # Fashion-MNIST has them
        images = dress(np.asarray(held.images[rows], np.uint8))
        np.savez(work / f"{name}{channels}.npz", images=images, labels=held.labels[rows])


def train(network: Network, work: Path) -> None:
    """Train the network on its images and save it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    assert network.build is not None  # the bundled one is trained
    keras.utils.set_random_seed(network.seed)
    with np.load(work / f"training{network.channels}.npz") as held:
        images, labels = held["images"].astype(np.float32), held["labels"]
    model = network.build(images.shape[1:])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss, metrics=["accuracy"])
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9  # 0.99 does not settle in so few steps
    model.fit(images, labels, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    model.save(work / f"{network.name}.keras")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if len(sys.argv) > 2:
        train(next(network for network in NETWORKS if network.name == sys.argv[2]), place)
    else:
        print(f"{len(exports(place))} good exports in {place}")
