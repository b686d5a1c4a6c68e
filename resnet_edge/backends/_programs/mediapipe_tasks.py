"""MediaPipe's ImageClassifier in the environment that it has to itself; for the calls see _program.py.

It imports nothing of resnet-edge, which is not installed there.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any, BinaryIO

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

MESSAGE = 300


class Classifier:
    """One model file; `count` images of `shape` (H, W, 3) in a call."""

    def __init__(self, path: str, shape: list[int]) -> None:
        base = BaseOptions(model_asset_path=path)
        options = vision.ImageClassifierOptions(base_options=base, max_results=-1)
        self._classifier = vision.ImageClassifier.create_from_options(options)
        self._shape = shape

    def labels(self) -> list[str]:
        """What it calls each class. A label file of the wrong length is found out here."""
        categories = self._classify(np.zeros(self._shape, np.uint8))
        return [category.category_name or "" for category in categories]

    def scores(self, pixels: bytes, count: int) -> bytes:
        """(count, classes) float32."""
        images = np.frombuffer(pixels, np.uint8).reshape(count, *self._shape)
        rows = [[category.score for category in self._classify(image)] for image in images]
        return np.array(rows, np.float32).tobytes()

    def _classify(self, image: Any) -> list[Any]:
        """The categories in the order of the outputs."""
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        heads = self._classifier.classify(picture).classifications
        categories = sorted(heads[0].categories, key=lambda category: category.index)
        if [category.index for category in categories] != list(range(len(categories))):
            raise ValueError("it leaves out classes: the metadata has a score threshold")
        return categories


def reason(error: Exception) -> str:
    """In one line, from where the message begins to say something: the path through its graph comes first."""
    words = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"^.*RET_CHECK failure \(\S*\) ", "", words)[:MESSAGE]


def main(calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer calls until there are no more."""
    classifier: Classifier | None = None
    for line in calls:
        request = json.loads(line)
        data = calls.read(request["bytes"])
        answer: dict[str, Any] = {}
        payload = b""
        try:
            if classifier is None:
                classifier = Classifier(request["path"], request["shape"])
                answer["labels"] = classifier.labels()
            else:
                payload = classifier.scores(data, request["count"])
        except Exception as error:  # the border: it is sent to the caller, not swallowed
            answer = {"error": reason(error)}
        answers.write(json.dumps({**answer, "bytes": len(payload)}).encode() + b"\n" + payload)
        answers.flush()


if __name__ == "__main__":
    with open(int(sys.argv[1]), "wb") as stream:
        main(sys.stdin.buffer, stream)
    os._exit(0)  # closing a classifier that failed can hang
