"""What the parent asks of data.images, and the images it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.core.head import HeadKind
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.workers.task import Task

ENCODED = ".photos"
"""The suffix of a file that tells where photos are (data/encoded.py), in place of an array of them."""


@dataclass(frozen=True)
class PreparedImages:
    """The images to prove on, and those held out of them for calibration (if asked for)."""

    evaluation: Images
    held_out: Images | None


@dataclass(frozen=True, kw_only=True)
class PrepareImages(
    Task[PreparedImages], runs="resnet_edge.data.images:prepare", reads=("data",), writes=("folder",)
):
    """data.images: DATA as arrays for a model that takes `shape` (H, W, C) and has so many `classes`, as its
    head `kind` says. `hold_out` sets so many apart, at most a fifth; `limit` keeps at most so many of the
    others, spread evenly over the classes. `for_calibration`: the labels do not matter. `seed`: of a random
    order, in which the first of them are as good as any; None leaves them as they come. Photos to
    prove on are decoded when they are asked for; those for calibration, or `as_array`, are few, and an
    array."""

    data: str
    shape: tuple[int, int, int]
    classes: int
    preprocessing: Preprocessing
    folder: str
    limit: int | None = None
    hold_out: int = 0
    for_calibration: bool = False
    kind: HeadKind = "classes"
    seed: int | None = None
    as_array: bool = False


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images on disk: `images` .npy (N, H, W, C), or ENCODED: where the photos are; `labels` .npy (N,), or
    (N, labels) of several, or None. `names` (JSON) lists the file of each in its folder, or its row in an
    array; None where nobody asks."""

    images: str
    labels: str | None
    n: int
    class_names: tuple[str, ...]
    source: str
    sha256: str
    names: str | None = None

    @property
    def encoded(self) -> bool:
        """Whether they are photos, which are decoded where they are read: on this machine alone."""
        return self.images.endswith(ENCODED)


@dataclass(frozen=True, kw_only=True)
class TakeFirstImages(
    Task[Images],
    runs="resnet_edge.data.images:first",
    reads=(
        "images.images",
        "images.labels",
        "images.names",
    ),
    writes=("folder",),
):
    """data.images: the first `n` of `images`, with their labels, as files in `folder`."""

    images: Images
    n: int
    folder: str


@dataclass(frozen=True, kw_only=True)
class DecodeImages(
    Task[WrittenFile], runs="resnet_edge.data.images:decode", reads=("images",), writes=("out",)
):
    """data.images: those from `start` to `stop` of `images` as an array, to `out` (.npy): for another
    machine, which has no photos, or needs no others."""

    images: str
    start: int
    stop: int
    out: str
