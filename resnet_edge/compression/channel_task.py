"""What the parent asks of the worker that prunes channels, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.compression.pruning import ImportanceName, PruningSummary, PruningTarget, Rules
from resnet_edge.compression.step_latency import TimedAs
from resnet_edge.core.sidecar import StepLatency
from resnet_edge.models import ModelRequest
from resnet_edge.training.devices import ONE, Devices
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_task import TrainingTask
from resnet_edge.workers.task import Task


@dataclass(frozen=True, kw_only=True)
class ChannelRequest:
    """Prune the channels of `model` and fine-tune what is left.

    One of `target` and `target_latency` is given; the latter is a share of the latency (p50)
    that the network has now, `timed` as that says. With `sparse_epochs` the network is first trained on
    with a group penalty of strength `sparsity`, which makes channels smaller that it can do
    without. `recipe.epochs` 0: no fine-tuning.

    `rules.blocks` lets whole residual blocks go as well, as many as the target takes;
    `remove_blocks` says how many, and then both targets may be None: no channel goes.
    `devices`, `resume`, `overwrite` and `command` as in Train.
    """

    model: ModelRequest
    recipe: Recipe
    target: PruningTarget | None
    target_latency: float | None
    timed: TimedAs
    rules: Rules
    importance: ImportanceName
    sparse_epochs: int
    sparsity: float
    out: str
    devices: Devices = ONE
    resume: bool = False
    command: str = ""
    remove_blocks: int | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Candidate:
    """A smaller network, not yet fine-tuned, in `file` (.keras).

    `loss`: its mean cross-entropy on training images, once its batch normalizations have the
    statistics of these; None where it was not asked for.
    """

    file: str
    summary: PruningSummary
    loss: float | None = None


@dataclass(frozen=True)
class Chosen:
    """The network that is fine-tuned, and how its latency compares with that of the base."""

    candidate: Candidate
    latency: tuple[StepLatency, ...]


@dataclass(frozen=True)
class Prepared:
    """The base, ready to be pruned. `chosen`: what an interrupted run had settled on. `blocks`: how
    many residual blocks the rules let go."""

    folder: str
    chosen: Chosen | None
    blocks: int = 0


@dataclass(frozen=True, kw_only=True)
class PrepareChannels(
    Task[Prepared],
    runs="resnet_edge.compression.channels:prepare",
    reads=("wanted.model.source", "wanted.recipe.data"),
    writes=("wanted.out",),
):
    """Open the network and rank its channels; both stay in the worker."""

    wanted: ChannelRequest


@dataclass(frozen=True, kw_only=True)
class MakeCandidate(
    Task[Candidate],
    runs="resnet_edge.compression.channels:candidate",
    reads=(
        "wanted.model.source",
        "wanted.recipe.data",
    ),
    writes=("out",),
):
    """The smaller network for `target` (None: no channel goes), written to `out` (.keras).

    `blocks` is how many residual blocks go first; None: as many as the rules let go before
    the target is met. `judged`: with its loss.
    """

    wanted: ChannelRequest
    target: PruningTarget | None
    out: str
    blocks: int | None = None
    judged: bool = False


@dataclass(frozen=True, kw_only=True)
class FinishChannels(
    TrainingTask,
    runs="resnet_edge.compression.channels:finish",
    reads=("wanted.model.source", "wanted.model.preprocess", "wanted.recipe.data", "chosen.candidate.file"),
    writes=("wanted.out",),
):
    """Fine-tune the chosen network and save it."""

    wanted: ChannelRequest
    chosen: Chosen


@dataclass(frozen=True, kw_only=True)
class FineTuneChosen(
    TrainingTask,
    runs="resnet_edge.compression.channels:fine_tune_chosen",
    reads=("wanted.model.source", "wanted.model.preprocess", "wanted.recipe.data", "chosen.candidate.file"),
    writes=("wanted.out",),
):
    """PrepareChannels and FinishChannels in one: for a worker that did neither before."""

    wanted: ChannelRequest
    chosen: Chosen
