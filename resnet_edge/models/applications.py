"""`app:ResNet50`: a classifier of keras.applications with its ImageNet weights, or `:random` ones."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from resnet_edge.core.choices import choose
from resnet_edge.core.errors import ModelError, UnknownName, UsageError, first_line
from resnet_edge.core.files.file_names import safe_name
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.models import ModelRequest, OpenedModel
from resnet_edge.workers.environment import share_keras_cache
from resnet_edge.workers.grant import NOTHING, Grant
from resnet_edge.workers.progress import OnProgress, Progress

SEED = 0
TIMEOUT_S = 30

_BY_PREPROCESSING = {
    "caffe": "ResNet50 ResNet101 ResNet152 VGG16 VGG19",
    "symmetric": "ResNet50V2 ResNet101V2 ResNet152V2 InceptionV3 InceptionResNetV2 Xception MobileNet "
    "MobileNetV2 NASNetMobile NASNetLarge",
    "imagenet": "DenseNet121 DenseNet169 DenseNet201",
    "model": "MobileNetV3Small MobileNetV3Large EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 "
    "EfficientNetB4 EfficientNetB5 EfficientNetB6 EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1 "
    "EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2S EfficientNetV2M EfficientNetV2L ConvNeXtTiny "
    "ConvNeXtSmall ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge",
}

PREPROCESSING = {name: preset for preset, line in _BY_PREPROCESSING.items() for name in line.split()}
"""What each network's own `preprocess_input` does; "model": it is inside the network."""


def check(request: ModelRequest) -> None:
    """Raises UnknownName."""
    _parse(request.source)


def grant(request: ModelRequest) -> Grant:
    """The download of the weights, into the user's Keras cache."""
    if _parse(request.source)[1]:
        return NOTHING
    return Grant(network=True, writes=(str(share_keras_cache("models")),))


def open_model(request: ModelRequest, on_progress: OnProgress) -> OpenedModel:
    """Build it, with weights from the Keras cache or a download that is told.

    Raises ModelError, UsageError.
    """
    import keras

    from resnet_edge.models import _opened

    name, random = _parse(request.source)
    builder = getattr(keras.applications, name)
    if random:
        keras.utils.set_random_seed(SEED)
        model = _random(builder, name, request)
    else:
        model = _trained(builder, name, on_progress)
    origin = _opened.Origin(
        name=safe_name(f"{name}-random" if random else name), preprocessing=PRESETS[PREPROCESSING[name]]
    )
    return _opened.opened(model, request, origin)


def _parse(source: str) -> tuple[str, bool]:
    _, name, *rest = source.split(":")
    name = choose("classifier of keras.applications", name, PREPROCESSING)
    if rest not in ([], ["random"]):
        raise UnknownName(f"{source}: after app:{name} only :random can follow (random weights)")
    return name, bool(rest)


def _random(builder: Any, name: str, request: ModelRequest) -> Any:
    try:
        return builder(weights=None, **({"input_shape": request.input_shape} if request.input_shape else {}))
    except ValueError as error:
        raise UsageError(f"app:{name} does not take --input-shape {request.input_shape}: {error}") from error


def _trained(builder: Any, name: str, on_progress: OnProgress) -> Any:

    cache = share_keras_cache("models")
    with _downloads_reported(name, on_progress):
        try:
            return builder(weights="imagenet")
        except Exception as error:  # Keras wraps what urllib raises in a bare Exception
            raise ModelError(
                f"app:{name}: its ImageNet weights are not in {cache} and cannot be downloaded "
                f"({first_line(error)}): go online once, copy them there, or use app:{name}:random"
            ) from error


@contextmanager
def _downloads_reported(name: str, on_progress: OnProgress) -> Iterator[None]:
    """Tell when Keras fetches a file. An audit hook sees every request and nothing else; hooks
    stay for the life of the process, so this one goes quiet at the end."""
    watching = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event == "urllib.Request":
            on_progress(
                Progress(step="model", note=f"downloading the weights of {name}: {arguments[0]}", line=True)
            )

    sys.addaudithook(hook)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        yield
    finally:
        watching = False
        socket.setdefaulttimeout(before)
