"""Runs in the parent. Channel pruning to a share of the cost, or to a latency that is measured.

  pruning worker                                     latency worker
model ─► importance ─► candidate ─┬─► fine-tuning ─► FILE.keras
                          ▲       └──────────────►  ratio to the base
                          └───────── another share ─────┘
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from resnet_edge.core.errors import OutOfReach, ResnetEdgeError
from resnet_edge.core.progress import Progress, Report
from resnet_edge.core.worker import log_folder
from resnet_edge.pruning import Target
from resnet_edge.stages.channel_request import (
    Candidate,
    CandidateRequest,
    ChannelRequest,
    Chosen,
    FinishRequest,
    Prepared,
)
from resnet_edge.stages.crew import Crew, Member
from resnet_edge.stages.recipe import Compressed
from resnet_edge.stages.step_latency import Race

TRIES = 7
"""Candidates that are measured at most; each halves the interval in which the share must lie."""
NEAR = 0.05
"""A candidate this much below the wanted latency, relatively, is near enough."""


def prune(request: ChannelRequest, tell: Report) -> Compressed:
    """Prune, fine-tune and save. Raises ResnetEdgeError where a target is out of reach, and what
    opening the model and the data raises; an interrupted run can be resumed."""
    with (
        log_folder() as logs,
        tempfile.TemporaryDirectory(prefix="resnet-edge-") as scratch,
        Crew(logs, env={"TMPDIR": scratch}) as crew,
    ):
        worker = crew.member("pruning", tell)
        prepared = worker.call("resnet_edge.stages.channels:prepare", request, Prepared)
        chosen = prepared.chosen
        if chosen is None:
            chosen = _searched(request, prepared, worker, crew, Path(scratch), tell)
        finishing = FinishRequest(request, chosen)
        return worker.call("resnet_edge.stages.channels:finish", finishing, Compressed)


def _searched(
    request: ChannelRequest, prepared: Prepared, worker: Member, crew: Crew, scratch: Path, tell: Report
) -> Chosen:
    try:
        with Race(crew, scratch, request.model, request.timed, tell) as race:
            return _Search(request, worker, race, scratch, tell).chosen()
    except ResnetEdgeError:
        shutil.rmtree(prepared.folder, ignore_errors=True)  # to resume it would end here once more
        raise


class _Search:
    """Looks for the candidate that meets the target."""

    def __init__(
        self, request: ChannelRequest, worker: Member, race: Race, scratch: Path, tell: Report
    ) -> None:
        self._request, self._worker, self._race = request, worker, race
        self._scratch, self._tell = scratch, tell
        self._count = 0

    def chosen(self) -> Chosen:
        """The candidate for the target, timed against the base."""
        request = self._request
        if request.target is not None:
            return self._timed(self._candidate(request.target))
        assert request.target_latency is not None
        return self._for_latency(request.target_latency)

    def _for_latency(self, wanted: float) -> Chosen:
        """Bisect the share of MACs, beginning where latency is proportional to them."""
        low, high, share = 0.0, 1.0, wanted
        best: Chosen | None = None
        fastest = 1.0
        for _ in range(TRIES):
            tried = self._tried(share)
            if tried is None:  # no network is that small
                low = share
            else:
                ratio = tried.latency[0].ratio
                fastest = min(fastest, ratio)
                if ratio <= wanted:
                    best, low = tried, share
                    if ratio >= (1 - NEAR) * wanted:
                        break
                else:
                    high = share
            share = (low + high) / 2
        if best is None:
            raise OutOfReach(
                f"--target-latency {wanted:g}x is out of reach: the fastest network that was found takes "
                f"{fastest:.2f}x; raise the target, allow smaller multiples, or exclude fewer layers"
            )
        return best

    def _tried(self, share: float) -> Chosen | None:
        try:
            found = self._candidate(Target("macs", share))
        except OutOfReach:
            return None
        timed = self._timed(found)
        left = found.summary.after.macs / found.summary.before.macs
        note = f"{left:.2f}x of the MACs: {timed.latency[0].ratio:.2f}x of the latency"
        self._tell(Progress("search", note=note, line=True))
        return timed

    def _timed(self, found: Candidate) -> Chosen:
        return Chosen(found, (self._race.against(found.file),))

    def _candidate(self, target: Target) -> Candidate:
        self._count += 1
        out = str(self._scratch / f"candidate-{self._count}.keras")
        request = CandidateRequest(self._request, target, out)
        return self._worker.call("resnet_edge.stages.channels:candidate", request, Candidate)
