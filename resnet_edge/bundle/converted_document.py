"""Runs in the parent. What `package` reads of a report.json, with the type of each value.

A folder may come from anywhere. What is not of this form is refused before any work, and not found out by
whatever prints it at the end. Keys that are not here are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from resnet_edge.core.head import Output
from resnet_edge.core.results.label_names import LabelNames
from resnet_edge.core.results.parity import Parity

Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, kw_only=True)
class _Head:
    rule: str


@dataclass(frozen=True, kw_only=True)
class _Model:
    name: str
    source: str
    sha256: str
    parameters: Count
    macs: Count | None
    output: Output
    classes: Count
    head: _Head


@dataclass(frozen=True, kw_only=True)
class _Images:
    source: str
    n: Count
    sha256: str


@dataclass(frozen=True, kw_only=True)
class _Calibration(_Images):
    calibrator: str = ""
    repairs: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class _Row:
    artifact: str
    backend: str
    device: str
    threads: Count
    p50_ms: float
    p90_ms: float


@dataclass(frozen=True, kw_only=True)
class _Host:
    cpu: str
    usable_cores: Count
    architecture: str = ""


@dataclass(frozen=True, kw_only=True)
class _Machine:
    cpu: str
    usable_cores: Count
    command: str = ""
    hosts: dict[str, _Host] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Step:
    command: str


@dataclass(frozen=True, kw_only=True)
class _Entry:
    title: str
    n: Count | None
    top1: float | None
    artifact: str | None = None
    step: _Step | None = None


@dataclass(frozen=True, kw_only=True)
class _Image:
    shape: Annotated[tuple[int | None, ...], msgspec.Meta(min_length=4, max_length=4)]


@dataclass(frozen=True, kw_only=True)
class _Scores:
    shape: Annotated[tuple[int | None, ...], msgspec.Meta(min_length=2, max_length=2)]


@dataclass(frozen=True, kw_only=True)
class _Artifact:
    file: str
    format: str
    scheme: str
    sha256: str
    inputs: tuple[_Image]
    outputs: tuple[_Scores]


@dataclass(frozen=True, kw_only=True)
class ConvertedDocument:
    """A report.json as `report.contract` writes it, in as far as a bundle and its model card repeat it."""

    schema: Literal[1]
    model: _Model
    preprocessing: dict[str, Any]
    data: _Images
    calibration: _Calibration | None
    artifacts: tuple[_Artifact, ...]
    parity: tuple[Parity, ...]
    latency: tuple[_Row, ...]
    machine: _Machine
    history: tuple[_Entry, ...]
    versions: dict[str, str]
    labels: LabelNames | None = None
