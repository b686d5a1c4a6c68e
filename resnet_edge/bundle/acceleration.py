"""Runs in a worker. Golden vectors in the form that Android's Acceleration Service takes: raw tensors.

CustomValidationConfig.Builder (play-services-tflite-acceleration-service 16.0.0-beta01) takes one buffer for
each input and output of the model, in which the tensors of `setBatchSize` images lie back to back: the
mini-benchmark behind it gives such a buffer the shape (images, ...) (google-ai-edge/LiteRT, f674577,
tflite/experimental/acceleration/mini_benchmark/model_modifier/custom_validation_embedder.cc).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from resnet_edge.core.results.bundle import BundledFile
from resnet_edge.core.tensors import quantize

LIMIT = 2 << 20
"""Bytes of inputs for one file: a phone runs them all, within a time-out of 5 s, and an app carries them."""


def write(golden: Path, file: BundledFile, tensors: NDArray[Any], scores: NDArray[Any]) -> None:
    """The first golden images that fit into LIMIT, one at least, as inputs.bin and outputs.bin in a folder of
    the file: `tensors` as it stores them, `scores` as it gives them."""
    count = max(1, min(len(tensors), LIMIT // tensors[0].nbytes))
    folder = golden / "acceleration" / Path(file.path).with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    outputs = quantize(scores[:count], file.output)
    for name, array in (("inputs.bin", tensors[:count]), ("outputs.bin", outputs)):
        # Little-endian, as every Android device stores numbers.
        (folder / name).write_bytes(array.astype(array.dtype.newbyteorder("<")).tobytes())
