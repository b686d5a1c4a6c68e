"""A network of every family of keras.applications, at the smallest size that it takes.

Weights are random but for a few steps of training of those that a minute suffices for; all of them get batch
statistics and a last layer that is solved for, so that answers are sure and differ between images.
"""

from __future__ import annotations

from typing import Any

from .images import CLASSES
from .networks import Network

FAMILIES: tuple[tuple[str, str, int, int, dict[str, Any]], ...] = (
    ("MobileNetV2", "symmetric", 64, 30, {"alpha": 0.5}),
    ("MobileNet", "symmetric", 64, 30, {"alpha": 0.5}),
    ("MobileNetV3Small", "model", 64, 0, {}),
    ("EfficientNetB0", "model", 64, 0, {}),
    ("ResNet50", "caffe", 64, 0, {}),
    ("ResNet50V2", "symmetric", 64, 0, {}),
    ("DenseNet121", "imagenet", 64, 0, {}),
    ("EfficientNetV2B0", "model", 64, 0, {}),
    ("NASNetMobile", "symmetric", 64, 0, {}),
    ("MobileNetV3Large", "model", 96, 0, {}),
    ("ConvNeXtTiny", "model", 64, 0, {}),
    ("Xception", "symmetric", 72, 0, {}),
    ("InceptionV3", "symmetric", 80, 0, {}),
    ("VGG16", "caffe", 64, 0, {}),
    ("InceptionResNetV2", "symmetric", 80, 0, {}),
)
"""Name, what it wants of pixels, size, steps of training, further arguments; the costly ones last."""


def application(name: str, prepare: str, size: int, steps: int, further: dict[str, Any]) -> Network:
    """A network of FAMILIES, at any size that it takes."""

    def build() -> Any:
        import keras

        maker = getattr(keras.applications, name)
        base = maker(include_top=False, weights=None, input_shape=(size, size, 3), pooling="avg", **further)
        for layer in base.layers:
            if type(layer).__name__ == "LayerScale":  # 1e-6 at first: no block would do anything
                layer.gamma.assign(layer.gamma * 0 + 0.2)
        return keras.Model(base.input, keras.layers.Dense(CLASSES, activation="softmax")(base.output))

    return Network(name=name, build=build, size=size, prepare=prepare, steps=steps, probe=True)


APPLICATIONS = tuple(application(*family) for family in FAMILIES)
