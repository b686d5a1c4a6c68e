"""What the parent of `verify` is asked for by its user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.core.head import HeadKind
from resnet_edge.diagnosis.attributions import IMAGES
from resnet_edge.models import ModelRequest

Feed = Literal["pixels", "preprocessed"]


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """What the user asks for. `reference` is a Keras model, or a path to an artifact. `takes_pixels`: what
    the artifacts are fed, raw pixels or what the Keras model takes. `expected` are the hashes of files that
    a report names. `golden`: where to save golden vectors, of so many images. `attributed`: images on which
    what is lost is split into causes; `unpruned`: the model before it was pruned; `calibration`: images
    that the artifacts were calibrated with; `hold_out`: how many of `data` these were, which then prove
    nothing; `accept_reference`: that the reference itself is poor is as it should be; `sequential`: artifacts
    stop at the look (core/sequential.py) that decides them; `thumbnails`: small pictures of images whose
    answer changed, for a page."""

    files: tuple[BenchFile, ...]
    reference: ModelRequest | Path
    data: str
    backends: tuple[str, ...]
    max_drop_pp: float
    takes_pixels: bool
    limit: int | None
    explain: bool
    expected: dict[Path, str]
    command: str
    golden: Path | None = None
    golden_count: int = 32
    attributed: int = IMAGES
    unpruned: ModelRequest | None = None
    calibration: str | None = None
    accept_reference: bool = False
    sequential: bool = False
    thumbnails: bool = False
    head: HeadKind | None = None
    hold_out: int = 0
