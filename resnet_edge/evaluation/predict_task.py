"""What the parent asks of whoever runs an artifact on images, and what it gets back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.artifact import Quantization
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.workers.task import Task

Ends = tuple[Quantization | None, Quantization | None]


@dataclass(frozen=True, kw_only=True)
class PredictResult:
    """Where the outputs are, how many; `device` as the runtime reports it; seconds in all. `labels`: the
    class names by output as the runtime tells them; none where it does not."""

    out: str
    n: int
    seconds: float
    device: str
    input_dtype: str
    classes: int
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Predict(
    Task[PredictResult],
    runs="resnet_edge.evaluation.predict:predict",
    reads=(
        "path",
        "beside",
        "images",
    ),
    writes=("out",),
):
    """An artifact, with the files `beside` it that hold its weights, where to run it, and two .npy files:
    `images` (N, H, W, C), uint8 or float32, as the user gave them; `out`, to be written: (N, classes),
    float32. `preprocessing` is for an artifact that does not take pixels. `ends`: the quantization of input
    and output, for a runtime that does not tell that of integer ones."""

    path: str
    format: str
    backend: str
    device: str
    threads: int
    images: str
    out: str
    preprocessing: Preprocessing | None = None
    ends: Ends = (None, None)
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PredictShard(
    Task[PredictResult],
    runs="resnet_edge.evaluation.shards:run",
    reads=(
        "whole.path",
        "whole.beside",
        "whole.images",
    ),
    writes=("out", "result"),
):
    """The images from `start` to `stop` of a Predict, to `out` (.npy), and what it gave to `result` (.json),
    which is written last. What is there already, from a run that was ended, is taken as it is."""

    whole: Predict
    start: int
    stop: int
    out: str
    result: str

    @classmethod
    def of(cls, whole: Predict, start: int, stop: int, out: str) -> PredictShard:
        """With the result beside the outputs."""
        result = str(Path(out).with_suffix(".json"))
        return cls(whole=whole, start=start, stop=stop, out=out, result=result)

    @property
    def is_done(self) -> bool:
        """Whether a run before left both here."""
        return os.path.isfile(self.out) and os.path.isfile(self.result)


@dataclass(frozen=True, kw_only=True)
class JoinShards(
    Task[PredictResult],
    runs="resnet_edge.evaluation.shards:join",
    reads=(
        "shards",
        "results",
    ),
    writes=("out",),
):
    """evaluation.shards: the outputs of all shards, in order, as those of one run on `n` images."""

    n: int
    shards: tuple[str, ...]
    results: tuple[str, ...]
    out: str

    @classmethod
    def of(cls, shards: Sequence[PredictShard], out: str) -> JoinShards:
        """All of them, in this order."""
        return cls(
            n=sum(shard.stop - shard.start for shard in shards),
            shards=tuple(shard.out for shard in shards),
            results=tuple(shard.result for shard in shards),
            out=out,
        )
