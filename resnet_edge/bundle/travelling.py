"""Runs in the parent. A bundle as it travels: with the command that makes it, and no path of here."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from resnet_edge.bundle.package import PackageRequest
from resnet_edge.core import registry
from resnet_edge.core.files import bundled
from resnet_edge.core.files.machine_paths import without_machine_paths, without_machine_paths_in_command
from resnet_edge.core.results.bundle import Bundle, RuntimeProof
from resnet_edge.core.results.outlook import FileOutlook
from resnet_edge.core.results.report import Failure


def reproduced(folder: Path, request: PackageRequest, intended_use: str) -> str:
    """The command that makes the same bundle, wherever it goes: places are left out, and so is what has
    its default."""
    words = ["resnet-edge", "package", folder.resolve().name, "--out", "BUNDLE"]
    words += ["--profiles", ",".join(map(registry.option_of, request.profiles))] if request.profiles else []
    words += ["--schemes", ",".join(request.schemes)] if request.schemes else []
    words += ["--backends", ",".join(request.backends)] if request.backends else []
    for locale, path in request.translations:
        words += ["--labels-in", f"{locale}={path.name}"]
    words += ["--images", str(request.images), "--golden", str(request.golden)]
    words += ["--resize", _name(request.resize)]
    words += ["--model-version", request.version]
    words += ["--license", request.license] if request.license else []
    words += ["--intended-use", intended_use] if intended_use else []
    words += ["--data", _name(request.data)] if request.data else []
    words += ["--unproved"] if request.unproved else []
    return shlex.join(words)


def _name(word: str) -> str:
    """A name as it is, and of a path its last part."""
    kind, colon, folder = word.partition(":")
    return f"{kind}{colon}{Path(folder).name}" if kind == bundled.DATA else Path(word).name


def without_machine_paths_in(bundle: Bundle, roots: tuple[Path, ...]) -> Bundle:
    """The bundle with no absolute path in what runtimes and compilers said; names of classes stay."""
    said = (bundle.proofs, bundle.left, bundle.unproved, bundle.outlooks, bundle.failures)
    kinds = (
        tuple[RuntimeProof, ...],
        tuple[str, ...],
        tuple[str, ...],
        tuple[FileOutlook, ...],
        tuple[Failure, ...],
    )
    proofs, left, unproved, outlooks, failures = (
        msgspec.convert(without_machine_paths(msgspec.to_builtins(each), roots), kind)
        for each, kind in zip(said, kinds, strict=True)
    )
    return replace(bundle, proofs=proofs, left=left, unproved=unproved, outlooks=outlooks, failures=failures)


def travelling_card(card: dict[str, Any], roots: tuple[Path, ...]) -> dict[str, Any]:
    """The model card with no absolute path, but for names of classes, which may look like one."""
    commands = [without_machine_paths_in_command(line) for line in card["commands"]]
    return {**without_machine_paths(card, roots), "classes": card["classes"], "commands": commands}
