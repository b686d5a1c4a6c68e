"""What is in a bundle, what was proved where, and what to do first: a dozen lines for the terminal."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core import registry
from resnet_edge.core.results.bundle import Bundle, BundledFile, RuntimeProof
from resnet_edge.report.markdown import code
from resnet_edge.report.words import count, size


def bundle_summary(bundle: Bundle, folder: Path) -> list[str]:
    """The lines, in the order in which an app developer needs them; what is wrong comes first."""
    files = bundle.facts.files
    return [
        *(f"NOT PROVED: {why}" for why in bundle.unproved),
        *(f"note: {note}" for note in bundle.notes),
        f"{folder}: {count(len(files), 'model file')} of {bundle.facts.name} for "
        f"{count(len(_firsts(files)), 'kind')} of apps. Begin with",
        *(line for file in _firsts(files) for line in _of_kind(file, bundle)),
        *_others(files),
        *_agreeing(bundle),
        *_differing(bundle),
        *_not_run(bundle),
        *(f"left out: {reason}" for reason in bundle.left),
        f"First: `python {folder / 'selftest' / 'selftest.py'}` runs the golden images; README.md is for the "
        "app.",
    ]


def _firsts(files: tuple[BundledFile, ...]) -> list[BundledFile]:
    """Of each profile the file to look at first."""
    firsts: dict[str, BundledFile] = {}
    for file in files:
        firsts.setdefault(file.profile, file)
    return list(firsts.values())


def which_file(files: tuple[BundledFile, ...]) -> list[str]:
    """The first file of each kind of app, as a list in Markdown."""
    lines = [f"- {_title(file)}: {code(file.path)}" for file in _firsts(files)]
    finer = _finer(files)
    gpu = [f"- a phone's GPU: {code(finer[0].path)}"] if finer else []
    return ["Begin with the file of your kind of app:", "", *lines, *gpu]


def _title(file: BundledFile) -> str:
    return registry.constant("bundle.targets", file.profile, "TITLE", file.profile)


def _of_kind(file: BundledFile, bundle: Bundle) -> list[str]:
    arena = bundle.arenas.get(file.path)
    memory = "" if arena is None else f", in {size(arena.smallest_bytes)} of memory"
    return [f"  {file.path}  ({size(file.size_bytes)}{memory})", f"    {_title(file)}"]


def _others(files: tuple[BundledFile, ...]) -> list[str]:
    """What stands beside those. The first file of a profile is the integer one, which GPUs compute wrongly or
    not at all (docs/bench.md)."""
    firsts = _firsts(files)
    rest = [file for file in files if file not in firsts]
    if not rest:
        return []
    finer = _finer(files)
    hint = f"; for a phone's GPU take {finer[0].path}" if finer else ""
    them = "them" if len(firsts) > 1 else "it"
    return [f"Beside {them}: {count(len(rest), 'other file')}, in README.md{hint}."]


def _finer(files: tuple[BundledFile, ...]) -> list[BundledFile]:
    """Files for a phone's GPU, where the first of their profile is none."""
    schemes = {file.profile: file.scheme for file in reversed(files)}
    return [file for file in files if _on_gpu(file, file.scheme) and not _on_gpu(file, schemes[file.profile])]


def _on_gpu(file: BundledFile, scheme: str) -> bool:
    schemes: tuple[str, ...] = registry.constant("bundle.targets", file.profile, "ON_GPU", ())
    return scheme in schemes


def _agreeing(bundle: Bundle) -> list[str]:
    """In one line if all agree, on how many images and where."""
    ran = [proof for proof in bundle.proofs if proof.n and proof.status == "agrees"]
    if not ran:
        return ["No runtime of apps is here, so nothing was proved in one: `resnet-edge doctor` names them."]
    numbers = sorted({proof.n for proof in ran})
    images = f"{numbers[0]:,} to " if len(numbers) > 1 else ""
    images += count(numbers[-1], "image")
    least = min(ran, key=lambda proof: proof.same_top1 / proof.n)
    share = "on all of them" if least.same_top1 == least.n else f"on {_worst(least)} at least"
    labels = ", with the right labels" if any(proof.labels for proof in ran) else ""
    places = ", ".join(dict.fromkeys(proof.backend for proof in ran))
    what = "every file gives" if not bundle.failed else "all but what is below give"
    which = f", {bundle.images}" if bundle.images else ""
    return [f"Proved on {images}{which}: {what} its artifact's answers {share}{labels}, in {places}."]


def _worst(proof: RuntimeProof) -> str:
    return f"{proof.same_top1:,} of {proof.n:,} ({Path(proof.file).name} in {proof.backend})"


def _differing(bundle: Bundle) -> list[str]:
    return [
        f"DIFFERS: {proof.file} on {proof.backend}, the same on {proof.same_top1:,} of {proof.n:,}: "
        f"{proof.reason}"
        for proof in bundle.failed
    ]


def _not_run(bundle: Bundle) -> list[str]:
    """What nothing is claimed of."""
    lines = [
        f"Does not open: {proof.file} on {proof.backend}: {proof.reason}"
        for proof in bundle.proofs
        if proof.status == "does not open"
    ]
    lines += [f"NOT RUN: {failure.what}: {failure.message}" for failure in bundle.failures]
    missing = dict.fromkeys(proof.backend for proof in bundle.proofs if proof.status == "not installed")
    if missing:
        lines.append(f"Not proved, since not installed here: {', '.join(missing)} (`resnet-edge doctor`).")
    return lines
