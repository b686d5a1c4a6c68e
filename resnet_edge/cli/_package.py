"""What `package` prints."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.cli.terminal import say
from resnet_edge.core.results.bundle import Bundle, RuntimeProof
from resnet_edge.report.words import size


def print_bundle(bundle: Bundle, folder: Path) -> None:
    """Every file, and what each runtime says of it."""
    for why in bundle.unproved:
        say(f"NOT PROVED: {why}")
    for note in bundle.notes:
        say(f"note: {note}")
    for file in bundle.facts.files:
        say(f"{file.path}  ({size(file.size_bytes)})")
        for proof in bundle.proofs:
            if proof.file == file.path:
                say(f"  {proof.backend:<17} {_said(proof)}")
        if names := bundle.oldest.get(file.path):
            say(f"  oldest runtime that is right: {', '.join(names)}")
    for reason in bundle.left:
        say(f"left out: {reason}")
    say(f"\nbundle: {folder}")


def _said(proof: RuntimeProof) -> str:
    if not proof.n:
        return f"{proof.status}: {proof.reason}"
    labels = {None: "", True: ", labels right", False: ", LABELS WRONG"}[proof.labels]
    exact = f", {100 * proof.identical / proof.values:.2f} % bit for bit"
    exact = "" if proof.backend == proof.counterpart else exact
    why = f" ({proof.reason})" if proof.reason else ""
    return f"{proof.status} on {proof.same_top1:,} of {proof.n:,}{exact}{labels}{why}"
