"""The document of one `verify` run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.results.attribution import Attribution
from resnet_edge.core.results.calibration_lint import CalibrationLint
from resnet_edge.core.results.changes import Changes
from resnet_edge.core.results.doubt import Doubt, open_doubts
from resnet_edge.core.results.execution import Execution
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.core.results.int8_risk import Int8Risk
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.core.results.report import Failure, StageCost
from resnet_edge.core.sequential import Looks


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was verified against what, on which images, and what was found.

    `reference`, `data`, `machine` and `versions` are plain JSON objects. `explanations` tell of artifacts
    where they part from the reference, `executions` of what their integers were computed with, `int8_risks`
    of what they give on processors without VNNI, `attributions` of which step loses how much;
    `calibration_lint` of images that they were calibrated with; `failures` what could not be run;
    `witness` and `doubts` are of the reference, as in a Report. `sequential`: the looks at which artifacts
    stop once they are decided (None: all images were run). `class_names` are those of the images or of the
    reference, empty where neither has any; `changes` is as in a Report, of the images that all artifacts ran.
    """

    resnet_edge: str
    versions: dict[str, str]
    machine: dict[str, Any]
    reference: dict[str, Any]
    data: dict[str, Any]
    max_drop_pp: float
    artifacts: tuple[Artifact, ...]
    parity: tuple[Parity, ...]
    explanations: tuple[Explanation, ...] = ()
    executions: tuple[Execution, ...] = ()
    int8_risks: tuple[Int8Risk, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    calibration_lint: CalibrationLint | None = None
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    costs: tuple[StageCost, ...] = ()
    witness: ReaderCheck | None = None
    doubts: tuple[Doubt, ...] = ()
    sequential: Looks | None = None
    class_names: tuple[str, ...] = ()
    changes: Changes | None = None

    @property
    def passed(self) -> bool:
        """Every artifact has at least one proof, every proof passed, nothing failed, and nothing speaks
        against the reference itself."""
        proved = {row.artifact for row in self.parity}
        return (
            bool(self.artifacts)
            and not self.failures
            and not open_doubts(self.doubts)
            and len(proved) == len(self.artifacts)
            and all(row.verdict == "pass" for row in self.parity)
        )
