"""Runs in the parent. Pruning of channels and blocks to a share of the cost, or to a measured latency.

  pruning worker                                     latency worker
model ─► importance ─► candidate ─┬─► fine-tuning ─► FILE.keras
                          ▲       └──────────────►  ratio to the base
                          └─ other blocks or share ─────┘
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec

from resnet_edge.compression.channel_task import (
    Candidate,
    ChannelRequest,
    Chosen,
    FinishChannels,
    MakeCandidate,
    PrepareChannels,
    Prepared,
)
from resnet_edge.compression.pruning import PruningTarget
from resnet_edge.compression.step_latency import Race
from resnet_edge.core.errors import OutOfReach, ResnetEdgeError
from resnet_edge.core.files.scratch import scratch_folder
from resnet_edge.training.devices import devices_environment, devices_grant
from resnet_edge.training.peers import Peers
from resnet_edge.training.recipe import Compressed, fitted_to_data, training_grant
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import Worker, WorkerPool
from resnet_edge.workers.process import log_folder
from resnet_edge.workers.progress import OnProgress, Progress

TRIES = 7
"""Candidates that are measured at most; each halves the interval in which the share must lie."""
TRIES_FOR_BLOCK = 2
"""The same where channels would have to save as much time as one block does."""
NEAR = 0.05
"""A candidate this much below the wanted latency, relatively, is near enough."""


def prune(request: ChannelRequest, peers: Peers, on_progress: OnProgress) -> Compressed:
    """Prune, fine-tune and save. Raises ResnetEdgeError where a target is out of reach, and what
    opening the model and the data raises; PeerLost; an interrupted run can be resumed.

    Of several processes the first one chooses, as it alone can time: the others get the network from it."""
    request = replace(request, model=fitted_to_data(request.model, request.recipe))
    with (
        log_folder() as logs,
        scratch_folder() as scratch,
        WorkerPool(logs, env={"TMPDIR": str(scratch)}, grant=Grant(writes=(str(scratch),))) as workers,
    ):
        worker = workers.worker(
            "pruning",
            on_progress,
            training_grant(request.recipe, request.out, request.model) | devices_grant(request.devices),
            env=devices_environment(request.devices),
        )
        peers.watch(workers.close)
        prepared = worker.run(PrepareChannels(wanted=request))
        chosen = prepared.chosen
        if request.devices.index:
            chosen = _received(peers.share(None), scratch)
        elif chosen is None:
            chosen = _searched(request, prepared, worker, workers, scratch, on_progress)
        if request.devices.processes > 1 and not request.devices.index:
            peers.share(_sent(chosen))
        finishing = FinishChannels(wanted=request, chosen=chosen)
        return worker.run(finishing)


def _sent(chosen: Chosen) -> bytes:
    """The choice on a line, and the network."""
    return msgspec.json.encode(chosen) + b"\n" + Path(chosen.candidate.file).read_bytes()


def _received(content: bytes, scratch: Path) -> Chosen:
    """What `_sent` gave in process 0, with a file of this one."""
    choice, _, network = content.partition(b"\n")
    chosen = msgspec.json.decode(choice, type=Chosen)
    file = scratch / "chosen.keras"
    file.write_bytes(network)
    return replace(chosen, candidate=replace(chosen.candidate, file=str(file)))


def _searched(
    request: ChannelRequest,
    prepared: Prepared,
    worker: Worker,
    workers: WorkerPool,
    scratch: Path,
    on_progress: OnProgress,
) -> Chosen:
    try:
        with Race(workers, scratch, request.model, request.timed, on_progress) as race:
            return _Search(request, prepared.blocks, worker, race, scratch, on_progress).chosen()
    except ResnetEdgeError:
        shutil.rmtree(prepared.folder, ignore_errors=True)  # to resume it would end here once more
        raise


class _Search:
    """Looks for the candidate that meets the target. `blocks` is how many may be removed."""

    def __init__(
        self,
        request: ChannelRequest,
        blocks: int,
        worker: Worker,
        race: Race,
        scratch: Path,
        on_progress: OnProgress,
    ) -> None:
        self._request, self._blocks, self._worker, self._race = request, blocks, worker, race
        self._scratch, self._on_progress = scratch, on_progress
        self._count = 0
        self._timed_so_far: list[Chosen] = []

    def chosen(self) -> Chosen:
        """The candidate for the target, timed against the base."""
        request = self._request
        if request.target_latency is None:
            return self._timed(self._candidate(request.target, request.remove_blocks))
        self._search(request.target_latency)
        return self._best(request.target_latency)

    def _search(self, wanted: float) -> None:
        """Whole blocks first: where a runtime is bound by the number of operations, only they save
        time. Then one block less, and channels instead."""
        if self._request.remove_blocks is not None:
            fixed = self._tried(None, self._request.remove_blocks)
            if fixed is not None and _ratio(fixed) > wanted:
                self._from(fixed, wanted)
        elif not self._blocks:
            self._by_share(wanted, 0, wanted)
        elif (enough := self._fewest_blocks(wanted)) is not None:
            count, fewest = enough
            self._by_share(wanted, count - 1, _left(fewest), TRIES_FOR_BLOCK)
        else:
            self._from(self._timed_so_far[-1], wanted)  # the bisection ended with all of them

    def _from(self, start: Chosen, wanted: float) -> None:
        """Channels, in addition to the blocks that are gone from `start`."""
        share = _left(start) * wanted / _ratio(start)
        self._by_share(wanted, len(start.candidate.summary.blocks), share)

    def _fewest_blocks(self, wanted: float) -> tuple[int, Chosen] | None:
        """Bisect how many blocks have to go if no channel does; None: more than there are."""
        low, high = 0, self._blocks + 1
        enough: tuple[int, Chosen] | None = None
        while high - low > 1:
            count = (low + high) // 2
            tried = self._tried(None, count)
            if tried is not None and _ratio(tried) <= wanted:
                enough, high = (count, tried), count
            else:
                low = count
        return enough

    def _by_share(self, wanted: float, blocks: int, share: float, tries: int = TRIES) -> None:
        """Bisect the share of MACs that channels go down to, beginning with `share`."""
        whole = [t for t in self._timed_so_far if len(t.candidate.summary.blocks) == blocks]
        low, high = 0.0, min([1.0, *map(_left, whole)])
        for _ in range(tries):
            tried = self._tried(PruningTarget("macs", share), blocks)
            if tried is None:  # no network is that small
                low = share
            elif _ratio(tried) <= wanted:
                low = share
                if _ratio(tried) >= (1 - NEAR) * wanted:
                    break
            else:
                high = share
            share = (low + high) / 2

    def _best(self, wanted: float) -> Chosen:
        """Of those that are fast enough, the one that loses least."""
        fast_enough = [tried for tried in self._timed_so_far if _ratio(tried) <= wanted]
        if not fast_enough:
            fastest = min([1.0, *map(_ratio, self._timed_so_far)])
            raise OutOfReach(
                f"--target-latency {wanted:g}x is out of reach: the fastest network that was found takes "
                f"{fastest:.2f}x; raise the target, allow smaller multiples, or exclude fewer layers"
            )
        return min(fast_enough, key=_worth)

    def _tried(self, target: PruningTarget | None, blocks: int) -> Chosen | None:
        try:
            candidate = self._candidate(target, blocks, judged=self._blocks > 0)
        except OutOfReach:
            return None
        timed = self._timed(candidate)
        self._timed_so_far.append(timed)
        gone = f"{count} block{'s' * (count > 1)} less, " if (count := len(candidate.summary.blocks)) else ""
        loss = "" if candidate.loss is None else f", loss {candidate.loss:.3f} before fine-tuning"
        note = f"{gone}{_left(timed):.2f}x of the MACs: {_ratio(timed):.2f}x of the latency{loss}"
        self._on_progress(Progress(step="search", note=note, line=True))
        return timed

    def _timed(self, candidate: Candidate) -> Chosen:
        return Chosen(candidate, (self._race.against(candidate.file),))

    def _candidate(self, target: PruningTarget | None, blocks: int | None, judged: bool = False) -> Candidate:
        self._count += 1
        out = str(self._scratch / f"candidate-{self._count}.keras")
        request = MakeCandidate(wanted=self._request, target=target, out=out, blocks=blocks, judged=judged)
        return self._worker.run(request)


def _ratio(chosen: Chosen) -> float:
    return chosen.latency[0].ratio


def _left(chosen: Chosen) -> float:
    """The share of the MACs."""
    return chosen.candidate.summary.after.macs / chosen.candidate.summary.before.macs


def _worth(chosen: Chosen) -> tuple[float, float]:
    """For sorting: the loss where it is known, else the most MACs first."""
    loss = chosen.candidate.loss
    return (0.0 if loss is None else loss), -_left(chosen)
