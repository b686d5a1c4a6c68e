"""What `package` prints, and the command line that a bundle repeats."""

from __future__ import annotations

import shlex
from pathlib import Path

from resnet_edge.cli.terminal import say
from resnet_edge.core import registry
from resnet_edge.core.bundle import Bundle, RuntimeProof
from resnet_edge.report.words import size
from resnet_edge.stages.package import PackageRequest


def reproduced(folder: Path, request: PackageRequest, intended_use: str) -> str:
    """The command that makes the same bundle, wherever it goes: places are left out, and so is what has
    its default."""
    words = ["resnet-edge", "package", folder.resolve().name, "--out", "BUNDLE"]
    words += ["--profiles", ",".join(map(registry.option_of, request.profiles))]
    words += ["--schemes", ",".join(request.schemes)] if request.schemes else []
    for locale, path in request.translations:
        words += ["--labels-in", f"{locale}={path.name}"]
    words += ["--images", str(request.images), "--golden", str(request.golden), "--resize", request.resize]
    words += ["--model-version", request.version]
    words += ["--license", request.license] if request.license else []
    words += ["--intended-use", intended_use] if intended_use else []
    words += ["--data", request.data] if request.data else []
    words += ["--unproved"] if request.unproved else []
    return shlex.join(words)


def print_bundle(bundle: Bundle, folder: Path) -> None:
    """Every file, and what each runtime says of it."""
    for why in bundle.unproved:
        say(f"NOT PROVED: {why}")
    for file in bundle.facts.files:
        say(f"{file.path}  ({size(file.size_bytes)})")
        for proof in bundle.proofs:
            if proof.file == file.path:
                say(f"  {proof.backend:<17} {_said(proof)}")
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
