"""Runs in the parent. The runtimes that a bundle is proved in beside those of its profiles: on machines that
`--backends` names, and here where it names another runtime."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from resnet_edge.benchmarking.latency_task import LatencyTarget, MeasureLatency
from resnet_edge.bundle.proofs import Proofs
from resnet_edge.bundle.task import MadeFile
from resnet_edge.core.backend_name import CPU, on_host, option_of
from resnet_edge.core.device import is_software
from resnet_edge.core.errors import ResnetEdgeError, UsageError
from resnet_edge.core.results.bundle import RuntimeProof
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.report import Failure
from resnet_edge.evaluation.job import Offer, Target
from resnet_edge.workers.grants import backends_grant

SECONDS = 8.0
"""Of timing the files of a profile on a machine, as `convert` takes for its own."""


def targets(file: MadeFile, offers: Iterable[Offer]) -> list[Target]:
    """Where a file is proved: in the runtimes of its profile here, then wherever else it opens."""
    own = [Target(backend, CPU) for backend in file.backends]
    names = {(target.backend, target.device) for target in own}
    return own + [
        offer.target
        for offer in offers
        if file.file.format in offer.formats and (offer.target.backend, offer.target.device) not in names
    ]


def check_opens(files: Sequence[MadeFile], offers: Iterable[Offer]) -> None:
    """Raise UsageError for a backend that was named and opens none of the files."""
    formats = {file.file.format for file in files}
    for offer in offers:
        if not formats & {*offer.formats}:
            raise UsageError(
                f"--backends: {offer.word} opens {' and '.join(offer.formats)}, and the bundle holds "
                f"{' and '.join(sorted(formats))}: leave it out, or name a profile with such a file"
            )


class HostLatency:
    """Times the files that agree, on each other machine. `latencies` have the name of the machine in their
    backend, and `failures` say what could not be timed."""

    def __init__(self, proofs: Proofs, files: Sequence[MadeFile], rows: Iterable[RuntimeProof]) -> None:
        self.latencies: list[Latency] = []
        self.failures: list[Failure] = []
        self._proofs, self._files = proofs, files
        # What a processor does in place of a GPU is no latency of anything.
        self._right = {
            (row.file, row.backend) for row in rows if row.status == "agrees" and not is_software(row.device)
        }

    def measure(self, offers: Sequence[Offer]) -> None:
        """All of them; only what could not be done is missing."""
        for host in dict.fromkeys(offer.target.host for offer in offers if offer.target.host):
            there = [offer.target for offer in offers if offer.target.host == host]
            for profile in dict.fromkeys(file.file.profile for file in self._files):
                self._measure(host, profile, there)

    def _measure(self, host: str, profile: str, there: Sequence[Target]) -> None:
        files = [each.file for each in self._files if each.file.profile == profile]
        artifacts = tuple(
            LatencyTarget(
                path=str(self._proofs.workspace.folder / file.path),
                file=file.path,
                format=file.format,
                scheme=file.scheme,
                backend=target.runtime,
                device=target.device,
            )
            for file in files
            for target in there
            if (file.path, option_of(target.backend, target.device)) in self._right
        )
        if not artifacts:
            return
        task = MeasureLatency(
            artifacts=artifacts,
            images=self._proofs.images_for(files[0]),
            threads=1,
            rounds=None,
            budget_seconds=SECONDS,
        )
        name = f"latency on {host}"
        grant = backends_grant(target.backend for target in there)
        worker = self._proofs.workers.worker(name, self._proofs.on_progress, grant, host)
        try:
            measured = worker.run(task)
        except ResnetEdgeError as error:  # the proofs stand without it
            self.failures.append(Failure(name, str(error)))
            return
        finally:
            worker.close()
        self.failures += measured.failures
        for row in measured.latencies:
            self.latencies.append(replace(row, backend=on_host(row.backend, host)))
