"""What the parent asks of the worker that holds the study, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.results.search import Configuration
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.request import Training
from resnet_edge.searching.space import Space
from resnet_edge.workers.task import Task

NAME, RUNGS = "search", "rungs"
"""The studies in a journal: of the trials, and of what was known of each at every rung."""


@dataclass(frozen=True, kw_only=True)
class StudyStamp:
    """What a study is of: with anything else it cannot be gone on with. `training` is without its images,
    which are known by `training_sha256` wherever they are. What was nothing to the user, and on how many
    threads, decided which trials ended early."""

    resnet_edge: str
    model_sha256: str
    data_sha256: str
    training: Training | None
    training_sha256: str
    calibration: str
    objectives: tuple[str, ...]
    backend: str
    threads: int
    equal_within_pp: float
    equal_within_latency: float
    limits: dict[str, float]
    space: Space


@dataclass(frozen=True, kw_only=True)
class StudyPlace:
    """The journal, the seed of its sampler, and `owner`: a file that the asking process holds a lock of."""

    journal: str
    seed: int
    owner: str


@dataclass(frozen=True, kw_only=True)
class OpenedStudy:
    """How many trials have ended in the study so far, and how many that were begun by processes which are
    gone were given up."""

    ended: int
    given_up: int


@dataclass(frozen=True, kw_only=True)
class OpenStudy(
    Task[OpenedStudy],
    runs="resnet_edge.searching.study:open_study",
    reads=("place.journal",),
    writes=("place.journal",),
):
    """Open the study, or make it. Raises UsageError where it is of something else."""

    place: StudyPlace
    stamp: StudyStamp


@dataclass(frozen=True, kw_only=True)
class BegunTrial:
    """A trial that has begun, and its configuration."""

    number: int
    configuration: Configuration


@dataclass(frozen=True, kw_only=True)
class AskTrial(Task[BegunTrial], runs="resnet_edge.searching.study:ask"):
    """What to try next. `first`: try this."""

    place: StudyPlace
    space: Space
    first: Configuration | None = None


@dataclass(frozen=True, kw_only=True)
class ReportRung(Task[bool], runs="resnet_edge.searching.study:keeps"):
    """Whether a trial goes on, by Optuna's pruner: `against` is how many reasons beyond chance speak against
    it after the rung."""

    place: StudyPlace
    number: int
    rung: int
    against: int


@dataclass(frozen=True, kw_only=True)
class TellTrial(Task[bool], runs="resnet_edge.searching.study:tell"):
    """What came of it; whether it was still open, and no other process had given it up.

    `values` are those of the objectives, all to be small, and `violations` by how much it misses each limit,
    by its name (0 and less: met); None where it was not looked at so far."""

    place: StudyPlace
    outcome: Outcome
    values: tuple[float, ...] | None
    violations: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class EndedTrials:
    """What came of each."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, kw_only=True)
class ReadOutcomes(Task[EndedTrials], runs="resnet_edge.searching.study:outcomes"):
    """Of all trials that have ended, by whichever process."""

    place: StudyPlace
