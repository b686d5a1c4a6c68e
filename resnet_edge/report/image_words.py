"""The preprocessing contract in plain sentences, for a README and a model card."""

from __future__ import annotations

from resnet_edge.core.image_contract import ImageContract

SPELLED = {"bilinear": "bilinear", "bicubic": "bicubic (Keys, a = −0.5)", "nearest": "nearest pixel"}


def words(contract: ImageContract) -> tuple[str, ...]:
    """The steps from a photo to the array that the model takes, in their order, each a sentence with its
    number."""
    if contract.samples is not None:
        return (
            f"The model takes no photos, but arrays of {contract.height} x {contract.width} x "
            f"{contract.samples} samples, 0 to 255, (height, width, channels), rows from the top, with the "
            "channels in the order of training. Hand them on without dividing or subtracting: the model does "
            "the rest. The golden images are such arrays, as bytes.",
        )
    steps = (
        "Turn the photo upright, as its EXIF orientation says.",
        _colour(contract),
        _fit(contract),
        _resize(contract),
        f"Hand on bytes of raw pixels, 0 to 255, as (height, width, channels) = ({contract.height}, "
        f"{contract.width}, {contract.channels}), rows from the top, without dividing or subtracting: the "
        "model does the rest.",
    )
    return tuple(f"{number}. {step}" for number, step in enumerate(steps, start=1))


def sentence(contract: ImageContract) -> str:
    """What the resize is, in a few words: `stretched, bilinear, with antialias`."""
    fit = "stretched" if contract.fit == "stretch" else f"centred crop of {contract.crop_fraction:g}"
    if contract.interpolation == "nearest":
        return f"{fit}, nearest pixel"
    return f"{fit}, {contract.interpolation}, {'with' if contract.antialias else 'without'} antialias"


def _colour(contract: ImageContract) -> str:
    if contract.colour == "grey":
        return (
            "Make one channel of grey: (19595 R + 38470 G + 7471 B + 32768) / 65536, rounded down (ITU-R "
            "BT.601: 0.299, 0.587, 0.114). Drop transparency."
        )
    return "Keep red, green and blue, in this order. Drop transparency; make RGB of grey by repeating it."


def _fit(contract: ImageContract) -> str:
    if contract.fit == "stretch":
        return "Take the whole photo; its aspect is not kept."
    return (
        f"Take the centred square whose side is {contract.crop_fraction:g} of the short side, rounded to "
        "whole pixels; what is left over is halved, and an odd pixel stays at the right or bottom."
    )


def _resize(contract: ImageContract) -> str:
    start = f"Resize that to {contract.width} pixels across and {contract.height} down"
    if contract.interpolation == "nearest":
        return f"{start}, each the one pixel that its centre lies in (nearest pixel)."
    how = SPELLED[contract.interpolation]
    if contract.antialias:
        return (
            f"{start}, {how}, with antialias: where it shrinks, the filter is as wide as the pixels that "
            "become one (Pillow's Image.resize). What GPUs, Android's createScaledBitmap and MediaPipe do is "
            "something else."
        )
    taps = "two" if contract.interpolation == "bilinear" else "four"
    return (
        f"{start}, {how}, without antialias: output i of n looks at (i + 1/2) * size / n − 1/2 and takes the "
        f"nearest {taps} pixels each way (tf.image.resize)."
    )
