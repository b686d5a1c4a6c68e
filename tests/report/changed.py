"""Answers that changed, for reports to show: of ten classes, and of a thousand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from resnet_edge.core.results.changes import ChangedImage, Changes, FileAnswers, ImageAnswer
from resnet_edge.core.results.report import Report
from resnet_edge.data.thumbnail import thumbnail
from tests.report.conftest import EVIL

N = 400


@cache
def of_classes(classes: int = 10) -> Changes:
    """The model is wrong on some images of each class; the last two files lose some of the first class."""
    each = N // classes if classes < N else 2
    images = (each,) * classes
    wrong = tuple((label, (label + 1) % classes, 1) for label in range(min(classes, 60)))
    right = tuple(each - 1 if label < 60 else each for label in range(classes))
    answered = [*right]
    for _, answer, n in wrong:
        answered[answer] += n
    files = ["resnet20.fp32.tflite", "resnet20.fp16.tflite", "resnet20.int8.tflite", "resnet20.int8.onnx"]
    runtimes = ["onnxruntime" if file.endswith("onnx") else "litert" for file in files]
    pairs = tuple((0, answer, 1) for answer in range(1, 3)) + ((3, 0, 1),)
    artifacts = tuple(
        FileAnswers(
            artifact=file,
            backend=runtime,
            device="cpu",
            changed=3 if "int8" in file else 0,
            pairs=pairs if "int8" in file else (),
            classes=((0, 2, 0), (3, 0, 1)) if "int8" in file else (),
        )
        for file, runtime in zip(files, runtimes, strict=True)
    )
    noise = np.random.default_rng(0)
    worst = tuple(
        ChangedImage(
            name=f"{a}/{EVIL}{number}.png",
            label=0,
            reference=a,
            margin=0.9 - 0.3 * number,
            answers=tuple(
                ImageAnswer(artifact=x.artifact, backend=x.backend, device=x.device, answer=b)
                for x in artifacts[2:]
            ),
            picture=thumbnail(noise.integers(0, 256, size, np.uint8)),
        )
        for number, ((a, b, _), size) in enumerate(
            zip(pairs, [(28, 28, 1), (64, 224, 3), (300, 40, 3)], strict=True)
        )
    )
    return Changes(
        n=sum(images),
        images=images,
        right=right,
        answered=tuple(answered),
        pairs=wrong,
        artifacts=artifacts,
        changed=len(worst),
        worst=worst,
    )


def changed(report: Report, classes: int = 10) -> Report:
    """The same report with these, and with names of classes that are hard to show."""
    names = ("T-shirt/top", EVIL, "a_class_of_a_very_long_name_without_any_pause_in_it", "日本")
    rest = tuple(f"class {number}" for number in range(len(names), classes))
    return replace(report, changes=of_classes(classes), class_names=(*names, *rest))
