"""What the parent is asked for by `search`."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.results.search import Objective
from resnet_edge.models import ModelRequest
from resnet_edge.searching.space import Space


@dataclass(frozen=True, kw_only=True)
class SearchLimits:
    """What a point must meet; None: anything. `max_drop_pp` in percentage points against the model,
    `max_latency_ms` of one image on the backend, sizes in bytes of the file and of its gzip."""

    max_drop_pp: float | None = None
    max_latency_ms: float | None = None
    max_size: int | None = None
    max_download: int | None = None

    def given(self) -> dict[str, float]:
        """Those that there are, by name."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: float(value) for name, value in named.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Training:
    """How pruned networks are fine-tuned, on `data`, whose files have `sha256`, empty as long as nobody has
    looked; the epochs are choices of the search."""

    data: str
    sha256: str = ""
    batch_size: int = 128
    learning_rate: float = 0.02
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """What the user asks for. `trials` configurations at most, none begun after `budget_seconds` (None: no
    end). `calibration` None: held out of `data`. `study` is the journal of all trials, which an ended search
    goes on with and several processes share; files that trials share are beside it. `training` None: nothing
    is pruned. `equal_within_pp`, `equal_within_latency`: differences in accuracy (percentage points) and in
    latency (a share) that are none to the user. `seconds` of timing for each pair of files. `cluster`: where
    shards run and networks are trained, as many at once as it has machines. `command` is how it was asked
    for, and `source_name` what the report calls the model."""

    model: ModelRequest
    data: str
    calibration: str | None
    training: Training | None
    objectives: tuple[Objective, ...]
    backend: str
    limits: SearchLimits
    space: Space
    trials: int
    budget_seconds: float | None
    study: str
    seed: int = 0
    threads: int = 1
    equal_within_pp: float = 0.5
    equal_within_latency: float = 0.05
    latency_seconds: float = 2.0
    accept_reference: bool = False
    cluster: str | None = None
    command: str = ""
    source_name: str | None = None

    @property
    def times(self) -> bool:
        """Whether trials are timed."""
        return "latency" in self.objectives or self.limits.max_latency_ms is not None
