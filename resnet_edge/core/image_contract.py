"""What an app does with a photo before the model gets it: the preprocessing contract, as data.

Everything else (scale, offset, channel order, grey) is inside the artifact (core/preprocessing.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from resnet_edge.core.choices import did_you_mean
from resnet_edge.core.errors import DataError, UnknownName
from resnet_edge.core.files.documents import read_json

Colour = Literal["RGB", "grey", "samples"]
Fit = Literal["stretch", "crop"]
Interpolation = Literal["bilinear", "bicubic", "nearest"]


@dataclass(frozen=True, kw_only=True)
class ImageContract:
    """From a photo to an array (H, W, C) of raw pixels, 0 to 255, in these steps and in this order.

    1. The photo is turned upright, as its EXIF orientation says.
    2. `colour`: RGB in this order, without alpha; or one channel of grey by ITU-R BT.601 (`grey`).
    3. `fit`: `stretch` takes the whole photo, the aspect is not kept; `crop` takes the centred square whose
       side is `crop_fraction` of the photo's short side, rounded; an odd rest stays at the right and bottom.
    4. That is resized to `height` x `width` by `interpolation`. `antialias`: where it shrinks, the filter
       is as wide as the pixels that become one (Pillow, tf.image.resize(antialias=True)); without it, the
       filter takes the nearest pixels alone (OpenCV, GPUs, Android's Bitmap.createScaledBitmap).

    `name` is the preset that a user names (PRESETS), or a file's stem.

    What has neither one channel nor three is no photo: with the colour `samples` there are no steps, and the
    array of `samples` channels is handed on as it comes.
    """

    name: str
    height: int
    width: int
    colour: Colour
    fit: Fit = "stretch"
    crop_fraction: float = 1.0
    interpolation: Interpolation = "bilinear"
    antialias: bool = True
    samples: int | None = None

    @property
    def channels(self) -> int:
        """Of the array: 3, or 1 for grey, or `samples`."""
        return self.samples or (1 if self.colour == "grey" else 3)


@dataclass(frozen=True)
class _Steps:
    fit: Fit = "stretch"
    crop_fraction: float = 1.0
    interpolation: Interpolation = "bilinear"
    antialias: bool = True


DEFAULT = "pillow"
PRESETS = {
    "pillow": _Steps(),
    "pillow-bicubic": _Steps(interpolation="bicubic"),
    "tensorflow": _Steps(antialias=False),
    "opencv": _Steps(antialias=False),
    "crop": _Steps("crop", 0.875),
    "crop-bicubic": _Steps("crop", 0.875, "bicubic"),
}
"""By the names that `--resize` takes.

- `pillow`: what resnet-edge does with a folder of images (data/folder.py): Image.resize(BILINEAR);
  torchvision's Resize, whose `antialias` is True, does the same with a PIL image and nearly so with a tensor.
- `pillow-bicubic`: Image.resize(BICUBIC).
- `tensorflow`: tf.image.resize and keras.layers.Resizing (`antialias` is False in both), whose floats are
  rounded here: the model gets bytes.
- `opencv`: cv2.resize(INTER_LINEAR): the same in fixed point, at most one level away.
- `crop`, `crop-bicubic`: evaluation on ImageNet, a resize of the short side to 256 and the centred 224 of it,
  in one step: 224 / 256 = 0.875 (He et al., arXiv:1512.03385, and torchvision's reference, bilinear; timm,
  whose default is bicubic).
"""


def app_contract(resize: str, height: int, width: int, channels: int) -> ImageContract:
    """What an app does for a model of any number of channels: `contract` for photos, else nothing. Raises as
    it does, and where anything but DEFAULT is to resize what is no photo."""
    if channels in (1, 3) or resize != DEFAULT:
        return contract(resize, height, width, channels)
    return ImageContract(name="none", height=height, width=width, colour="samples", samples=channels)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    fit: Fit = "stretch"
    crop_fraction: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    interpolation: Interpolation = "bilinear"
    antialias: bool | None = None


def contract(name_or_file: str, height: int, width: int, channels: int) -> ImageContract:
    """The preset of that name, or what a JSON file says, for a model that takes `height` x `width` pixels
    of `channels`: {"fit": "stretch" | "crop", "crop_fraction": ..., "interpolation": "bilinear" | "bicubic"
    | "nearest", "antialias": true | false}. Raises UnknownName or DataError."""
    if channels not in (1, 3):
        raise DataError(
            f"photos have 1 or 3 channels, and the model takes {channels}: nothing can resize them"
        )
    colour: Colour = "grey" if channels == 1 else "RGB"
    if name_or_file in PRESETS:
        name, steps = name_or_file, PRESETS[name_or_file]
    else:
        name, steps = Path(name_or_file).stem, _read(Path(name_or_file))
    return ImageContract(
        name=name,
        height=height,
        width=width,
        colour=colour,
        fit=steps.fit,
        crop_fraction=steps.crop_fraction,
        interpolation=steps.interpolation,
        antialias=steps.antialias,
    )


def _read(path: Path) -> _Steps:
    if not path.is_file():
        raise UnknownName(
            f"no resize is called {str(path)!r}, and no such file exists"
            f"{did_you_mean(str(path), PRESETS)}; choose from: {', '.join(PRESETS)}, "
            "or a JSON file with fit, crop_fraction, interpolation, antialias"
        )
    resize = read_json(
        path,
        _File,
        "resize file",
        "give it fit, crop_fraction, interpolation and antialias, or name a preset",
    )
    if resize.fit == "stretch" and resize.crop_fraction != 1:
        raise DataError(f'{path}: "stretch" takes the whole photo: take crop_fraction out, or say "crop"')
    if resize.interpolation == "nearest" and resize.antialias:
        raise DataError(f'{path}: "nearest" has no antialias: say false, or another interpolation')
    antialias = resize.interpolation != "nearest" if resize.antialias is None else resize.antialias
    return _Steps(resize.fit, resize.crop_fraction, resize.interpolation, antialias)
