"""The report of one `convert` run (contract: report.json)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.results.attribution import Attribution
from resnet_edge.core.results.calibration_lint import CalibrationLint
from resnet_edge.core.results.changes import Changes
from resnet_edge.core.results.doubt import Doubt, open_doubts
from resnet_edge.core.results.error_growth import ErrorGrowth
from resnet_edge.core.results.execution import Execution
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.core.results.int8_risk import Int8Risk
from resnet_edge.core.results.label_names import LabelNames
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.mixed_precision import MixedPrecision
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.core.scheme import DenseScales
from resnet_edge.core.sidecar import Step


@dataclass(frozen=True)
class StageCost:
    """What one worker cost: seconds of wall time in calls, the peak of its resident memory, and processor
    time of all its threads, its start included."""

    stage: str
    seconds: float
    peak_bytes: int
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    """Something that was asked for and could not be made or run; `message` is one line."""

    what: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a run found out. `machine`, `versions`, `data` and `calibration` are plain
    JSON objects.

    `history` is what was done to the model before this run (its sidecar), in order; `gzip_bytes`
    is the size of the gzip of an artifact by its file name, where that was worth finding out;
    `plan` is what was tried when plain int8 missed the budget; `error_growth` how the error of
    each quantized artifact grows from layer to layer; `calibration_lint` what is wrong with the
    calibration images; `executions` what the integers of artifacts were computed with, and `int8_risks` what
    they give on processors without VNNI; `attributions` which step loses how much;
    `witness` how the reader of the model was checked; `doubts` why the model itself may be the wrong one;
    `labels` what was written into labels.txt, whose names are `class_names` (empty: numbers); `dense_scales`
    are of the int8 weights of dense layers; `changes` which answers changed, None where the head tells no
    classes apart; `inputs` where model, data and calibration are, as seen from the
    folder (core/results/stored_report.py).
    """

    resnet_edge: str
    versions: dict[str, str]
    machine: dict[str, Any]
    model: ModelFacts
    data: dict[str, Any]
    calibration: dict[str, Any] | None
    max_drop_pp: float
    artifacts: tuple[Artifact, ...]
    parity: tuple[Parity, ...]
    latency: tuple[Latency, ...]
    costs: tuple[StageCost, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    history: tuple[Step, ...] = ()
    gzip_bytes: dict[str, int] = field(default_factory=dict)
    plan: MixedPrecision | None = None
    error_growth: tuple[ErrorGrowth, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    calibration_lint: CalibrationLint | None = None
    executions: tuple[Execution, ...] = ()
    int8_risks: tuple[Int8Risk, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    witness: ReaderCheck | None = None
    doubts: tuple[Doubt, ...] = ()
    labels: LabelNames | None = None
    class_names: tuple[str, ...] = ()
    dense_scales: DenseScales = "per-tensor"
    inputs: dict[str, str] = field(default_factory=dict)
    changes: Changes | None = None

    @property
    def passed(self) -> bool:
        """Every artifact has at least one proof, every proof passed, nothing failed, and nothing speaks
        against the model itself."""
        proved = {row.artifact for row in self.parity}
        return (
            bool(self.artifacts)
            and not self.failures
            and not open_doubts(self.doubts)
            and all(artifact.file in proved for artifact in self.artifacts)
            and all(row.verdict == "pass" for row in self.parity)
        )
