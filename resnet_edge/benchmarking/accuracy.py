"""Runs in the parent. What `convert` proved of the files that are timed, from the report beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.core.backend_name import split_host
from resnet_edge.core.results.bench import Accuracy
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.stored_report import Reported, reported


def accuracy_of(files: Sequence[BenchFile], sha256: Mapping[str, str]) -> Accuracy:
    """The proofs of `files`, whose hashes are given by name.

    A report speaks of a file only as long as the file is what it was: its SHA-256 tells. A folder
    without a report, or with one that is not ours, says nothing.
    """
    reports = [reported(folder) for folder in dict.fromkeys(file.path.parent for file in files)]
    proved = [(digest, proof) for report in reports for digest, proof in _proofs(report)]
    models = {report.model.sha256 for report in reports if report.model is not None}
    return Accuracy(
        tuple(
            replace(proof, artifact=file.name)
            for file in files
            for digest, proof in proved
            if digest == sha256[file.name]
        ),
        tuple(file.name for file in files if sha256[file.name] in models),
    )


def proved_places(files: Sequence[BenchFile], accuracy: Accuracy) -> frozenset[tuple[str, str]]:
    """The backends of this machine, each with its device, on which reports prove `files`; none where a file
    that was named has no proof, so that nothing is known of it."""
    proved = {proof.artifact for proof in accuracy.proofs}
    if any(file.name not in proved for file in files if not file.is_keras):
        return frozenset()
    return frozenset(
        (proof.backend, proof.device) for proof in accuracy.proofs if not split_host(proof.backend)[1]
    )


def _proofs(report: Reported) -> list[tuple[str, Parity]]:
    """Every proof of a report, with the SHA-256 of its artifact."""
    digests = report.sha256
    return [(digests[proof.artifact], proof) for proof in report.proofs if proof.artifact in digests]
