"""What the parent asks of conversion.plan, and what is then to be made, and proved where."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.runtime_floor import RuntimeFloor
from resnet_edge.core.scheme import DenseScales, Io
from resnet_edge.evaluation.job import Job, Offer
from resnet_edge.workers.task import Task


@dataclass(frozen=True)
class Plan:
    """Everything to make, in order; `notes` tell what was asked for and is not offered."""

    jobs: tuple[Job, ...]
    notes: tuple[str, ...]

    @property
    def needs_calibration(self) -> bool:
        """Whether any artifact needs calibration images."""
        return any(job.needs_calibration for job in self.jobs)

    def by_scheme(self) -> dict[str, list[Job]]:
        """The jobs, grouped by the portable graph that they share, in the order to make them."""
        groups: dict[str, list[Job]] = {}
        for job in sorted(self.jobs, key=lambda job: not job.slow):
            groups.setdefault(job.scheme, []).append(job)
        return groups


@dataclass(frozen=True, kw_only=True)
class PlanArtifacts(Task[Plan], runs="resnet_edge.conversion.plan:plan"):
    """Names as the user gave them; a backend may be followed by `:device`. `runtimes`: the oldest that files
    are to run on; a scheme that cannot is left out where `choose` says so, and an error else.
    `channels_first`: formats that can take images as (N, C, H, W) do. `dense_scales`: of the int8 weights of
    dense layers, in every file. `offers`: of backends on other machines."""

    formats: tuple[str, ...]
    schemes: tuple[str, ...]
    backends: tuple[str, ...]
    io: Io
    integer_scores: bool = False
    runtimes: tuple[RuntimeFloor, ...] = ()
    choose: bool = False
    channels_first: bool = False
    dense_scales: DenseScales = "per-tensor"
    offers: tuple[Offer, ...] = ()
