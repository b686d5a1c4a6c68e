"""What the parent asks of golden.save and golden.vectors, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.head import Head
from resnet_edge.core.results.golden_vectors import GoldenRow, GoldenVectors
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class MeasuredRun:
    """Outputs .npy (N, classes) of an artifact on a backend and device, for all images of the run. The
    device is as it was asked for, so that a replay that asks for the same finds it."""

    backend: str
    device: str
    outputs: str


@dataclass(frozen=True, kw_only=True)
class MeasuredArtifact:
    """An artifact and its runs; the first is the one that every other backend is held against. `step` is
    the scale of its quantized outputs where the file tells it; else it is found in the outputs. `format` is
    what backends know it by: "onnx" for an .ort file."""

    path: str
    format: str
    scheme: str
    runs: tuple[MeasuredRun, ...]
    step: tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Saved:
    """The file, how many images and artifacts are in it; `notes` tell, in sentences, what was left out and
    which measurement is beyond its tolerance."""

    path: str
    images: int
    artifacts: int
    size_bytes: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SaveGoldenVectors(
    Task[Saved],
    runs="resnet_edge.golden.save:save",
    reads=(
        "images",
        "labels",
        "reference",
        "artifacts.path",
        "artifacts.runs.outputs",
    ),
    writes=("out",),
):
    """golden.save:save: write `count` of the images, and what the artifacts give for them, to
    `out`. `images` .npy (N, H, W, C), `labels` .npy (N,) or None, `reference` .npy (N, classes); the rest
    as in GoldenVectors."""

    out: str
    count: int
    images: str
    labels: str | None
    reference: str
    artifacts: tuple[MeasuredArtifact, ...]
    model: str
    model_sha256: str
    data: str
    data_sha256: str
    head: Head
    class_names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UnpackGoldenVectors(
    Task[GoldenVectors], runs="resnet_edge.golden.vectors:unpack", reads=("path",), writes=("images",)
):
    """golden.vectors:unpack: check `path` and write its images to `images` (.npy)."""

    path: str
    images: str


@dataclass(frozen=True, kw_only=True)
class ReplayGoldenVectors(
    Task[GoldenRow],
    runs="resnet_edge.golden.vectors:replay",
    reads=(
        "golden",
        "path",
        "images",
    ),
    writes=("out",),
):
    """golden.vectors:replay: the artifact number `artifact` of the file `golden`, which is at
    `path`, on a backend and device. `images` is what `unpack` wrote; `out` takes the outputs (.npy)."""

    golden: str
    artifact: int
    path: str
    backend: str
    device: str
    threads: int
    images: str
    out: str
