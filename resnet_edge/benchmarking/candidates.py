"""Runs in the parent. Which artifact is timed where: on the backends that were named, else where the folder's
report proved it, else on all."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from resnet_edge.benchmarking.files import BenchFile
from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.benchmarking.task import Offers
from resnet_edge.core import registry
from resnet_edge.core.errors import MissingDependency, UsageError
from resnet_edge.core.results.bench import Unopened

Ask = Callable[[str], Offers]
Place = tuple[str, str]
"""A backend, and its device."""


@dataclass(frozen=True)
class Candidates:
    """What to open. `named`: the user asked for these places, so that one which does not open is a
    failure; otherwise it is `unopened`, as is what is not installed. `notes` tell what is left out."""

    targets: tuple[LatencyTarget, ...]
    named: bool
    unopened: tuple[Unopened, ...] = ()
    notes: tuple[str, ...] = ()


def candidates(
    files: Sequence[BenchFile], words: tuple[str, ...], ask: Ask, proved: Set[Place] = frozenset()
) -> Candidates:
    """Every file on every place that opens its format; `ask` tells what a backend offers.

    `words` are `backend` or `backend:device`; none means those of `proved` that are here, or where that is
    none all that are installed, on all their devices. The model itself is timed on the same devices. Raises
    UsageError where none of those named opens a file, MissingDependency.
    """
    if words:
        named = _on_named(files, words, ask)
        notes = left_out(files, {target.file for target in named}, words)
        return Candidates(tuple(named), True, notes=notes)
    if proved and (here := _all_here(files, ask, proved)).targets:
        return here
    return _all_here(files, ask)


def _all_here(files: Sequence[BenchFile], ask: Ask, proved: Set[Place] = frozenset()) -> Candidates:
    """Without `proved`: wherever they open."""
    names = {backend for backend, _ in proved}
    kinds = {device for _, device in proved}
    models = _first_for_models() if any(file.is_keras for file in files) else set()
    targets: list[LatencyTarget] = []
    missing: list[Unopened] = []
    pinned = registry.declared("backends")  # all of them for parity only
    for name in registry.names("backends"):
        if name in pinned or (proved and name not in names | models):
            continue
        try:
            offers = ask(name)
        except MissingDependency as error:
            missing.append(Unopened("", name, "", str(error)))
            continue
        if offers.for_parity_only:
            continue
        targets += [
            _target(file, name, device)
            for device in offers.devices
            for file in files
            if file.format in offers.formats
            and (not proved or (name, device) in proved or (file.is_keras and device in kinds))
        ]
    order = {str(file.path): number for number, file in enumerate(files)}
    targets.sort(key=lambda target: order[target.path])
    return Candidates(tuple(targets), False, tuple(missing))


def _first_for_models() -> set[str]:
    names = registry.names("backends")
    return {name for name in names if registry.constant("backends", name, "FIRST_FOR_MODELS", False)}


def _on_named(files: Sequence[BenchFile], words: tuple[str, ...], ask: Ask) -> list[LatencyTarget]:
    offers = {word: ask(word.partition(":")[0]) for word in words}
    targets = []
    for file in files:
        for word in words:
            if file.format in offers[word].formats:
                name, _, device = word.partition(":")
                targets.append(_target(file, name, device or "cpu"))
    return targets


def left_out(files: Sequence[BenchFile], tried: Set[str], words: Sequence[str]) -> tuple[str, ...]:
    """What is to be told of files of a folder that no backend of `words` opens: all whose names are not in
    `tried`. Raises UsageError for a file that was named itself, and where none of a folder was tried."""
    untried = [file for file in files if not file.brought and file.name not in tried]
    whole = not any(file.name in tried for file in files)
    named = next((file for file in untried if whole or not file.in_folder), None)
    if named is not None:
        raise UsageError(f"none of --backends {','.join(words)} opens {named.name}: add one that does")
    names = ", ".join(file.name for file in untried)
    return (f"none of --backends {','.join(words)} opens {names}: not timed",) if untried else ()


def _target(file: BenchFile, backend: str, device: str) -> LatencyTarget:
    return LatencyTarget(
        path=str(file.path),
        file=file.name,
        format=file.format,
        scheme=file.scheme or "",
        backend=backend,
        device=device,
    )
