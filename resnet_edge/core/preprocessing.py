"""From raw pixels to what a network takes, stated once as data.

`value = pixel * scale[c] + offset[c]`, after the channels are put into `channels` order.
The presets are those of `keras.applications.imagenet_utils.preprocess_input`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from resnet_edge.core.choices import did_you_mean
from resnet_edge.core.errors import UnknownName
from resnet_edge.core.files.documents import read_json


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Affine preprocessing of raw RGB (or grey) pixels.

    `scale` and `offset` have one value for all channels or one per channel, in the order
    that the network sees. `where` tells who applies it: `graph` (we put it into the
    artifact), `model` (the Keras model has it already), `caller` (the artifact takes what
    the Keras model takes).
    """

    name: str
    where: Literal["graph", "model", "caller"] = "graph"
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    channels: Literal["RGB", "BGR"] = "RGB"

    @property
    def takes_pixels(self) -> bool:
        """Whether the artifact takes raw pixels, 0 to 255."""
        return self.where != "caller"

    @property
    def identity(self) -> bool:
        """Whether there is nothing to apply."""
        return set(self.scale) == {1.0} and set(self.offset) == {0.0} and self.channels == "RGB"


def _from_mean_std(name: str, mean: tuple[float, ...], std: tuple[float, ...]) -> Preprocessing:
    scale = tuple(1 / (255 * s) for s in std)
    offset = tuple(-m / s for m, s in zip(mean, std, strict=True))
    return Preprocessing(name=name, where="graph", scale=scale, offset=offset)


PRESETS = {
    "none": Preprocessing(name="none", where="caller"),
    "model": Preprocessing(name="model", where="model"),
    "unit": Preprocessing(name="unit", scale=(1 / 255,)),
    "symmetric": Preprocessing(name="symmetric", scale=(1 / 127.5,), offset=(-1.0,)),
    "imagenet": _from_mean_std("imagenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": Preprocessing(name="caffe", offset=(-103.939, -116.779, -123.68), channels="BGR"),
}
"""By the names that `--preprocess` takes. `none`: the artifact takes what the model takes;
`model`: the model takes raw pixels; `unit`: 0..1; `symmetric`: -1..1; `imagenet`: mean and
standard deviation as in torchvision; `caffe`: BGR, means subtracted, as keras.applications
ResNet50 wants it."""


_Values = Annotated[tuple[float, ...], msgspec.Meta(min_length=1)]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    scale: _Values = (1.0,)
    offset: _Values = (0.0,)
    channels: Literal["RGB", "BGR"] = "RGB"


def preprocessing(name_or_file: str) -> Preprocessing:
    """The preset of that name, or what a JSON file says: {"scale": [...], "offset": [...],
    "channels": "RGB" | "BGR"}. Raises UnknownName or DataError."""
    if name_or_file in PRESETS:
        return PRESETS[name_or_file]
    path = Path(name_or_file)
    if not path.is_file():
        raise UnknownName(
            f"no preprocessing is called {name_or_file!r}, and no such file exists"
            f"{did_you_mean(name_or_file, PRESETS)}; choose from: {', '.join(PRESETS)}, or a JSON file with "
            "scale, offset, channels"
        )
    file = read_json(
        path, _File, "preprocessing file", "give it scale, offset and channels, or name a preset"
    )
    return Preprocessing(
        name=path.stem, where="graph", scale=file.scale, offset=file.offset, channels=file.channels
    )
