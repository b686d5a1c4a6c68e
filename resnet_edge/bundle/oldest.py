"""Runs in the parent. The oldest runtime of each kind on which a bundled file was run and was right."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_edge.core.results.bundle import BundledFile, RuntimeProof
from resnet_edge.core.results.parity import Parity

RIGHT = {"agrees": True, "differs": False, "does not open": False, "pass": True, "fail": False}
"""By a proof's status or a verdict; the others tell nothing."""


def oldest(
    file: BundledFile, proofs: Sequence[RuntimeProof], parity: Sequence[Parity], pinned: Sequence[str]
) -> tuple[str, ...]:
    """One for each kind of runtime, if any: every newer one that was tried is right, too.

    `pinned` are the names of all, from old to new; `parity` is of artifacts, and counts where the file has
    their bytes.
    """
    statuses: dict[str, str] = {row.backend: row.status for row in proofs if row.file == file.path}
    if not file.changes:
        statuses = {row.backend: row.verdict for row in parity if row.artifact == file.source} | statuses
    by_kind: dict[str, str] = {}
    closed = set()
    for name in reversed(pinned):
        kind, right = name.partition("@")[0], RIGHT.get(statuses.get(name, ""))
        if right and kind not in closed:
            by_kind[kind] = name
        elif right is False:
            closed.add(kind)
    return tuple(sorted(by_kind.values()))
