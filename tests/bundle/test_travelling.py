"""Tests of bundle.travelling: the command that makes it again, and no path of here."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_edge.bundle.package import PackageRequest
from resnet_edge.bundle.travelling import reproduced, travelling_card, without_machine_paths_in
from resnet_edge.cli.package import command
from tests.report.bundle.bundles import bundle

REQUEST = PackageRequest(
    profiles=None,
    schemes=None,
    translations=(),
    data=None,
    resize="pillow",
    images=1000,
    golden=10,
    unproved=False,
    version="1",
    license="",
)
FULL = replace(
    REQUEST,
    profiles=("android_tasks", "litert"),
    schemes=("int8",),
    translations=(("de", Path("/somebody/s/labels de.txt")),),
    data="/somebody/s/photos",
    resize="/somebody/s/resize.json",
    unproved=True,
    license="MIT; see LICENSE",
)


def test_what_has_its_default_is_left_out() -> None:
    command_line = reproduced(Path("/somebody/s/dist"), REQUEST, "")
    assert command_line == (
        "resnet-edge package dist --out BUNDLE --images 1000 --golden 10 --resize pillow --model-version 1"
    )


def test_paths_are_names_and_the_command_line_takes_it(tmp_path: Path) -> None:
    command_line = reproduced(Path("/somebody/s/dist"), FULL, "Sorting 'shoes'")
    assert "/somebody" not in command_line
    words = shlex.split(command_line)[2:]
    context = command.make_context("package", [*words, "--quiet"], resilient_parsing=True)
    assert context.params["profiles"] is not None
    assert words[words.index("--profiles") + 1] == "android-tasks,litert"
    assert words[words.index("--labels-in") + 1] == "de=labels de.txt"
    assert words[words.index("--intended-use") + 1] == "Sorting 'shoes'"


@pytest.mark.parametrize(
    ("data", "word"),
    [("fashion-mnist", "fashion-mnist"), ("fashion-mnist:/somebody/s/cache", "fashion-mnist:cache")],
)
def test_a_name_of_data_stays_one(data: str, word: str) -> None:
    words = shlex.split(reproduced(Path("dist"), replace(REQUEST, data=data), ""))
    assert words[words.index("--data") + 1] == word


def test_no_path_of_here_is_in_what_runtimes_said() -> None:
    root = Path("/tmp/resnet-edge-x")
    original = bundle()
    said = replace(original.proofs[0], status="does not open", reason=f"{root}/a.tflite: no such operator")
    clean = without_machine_paths_in(
        replace(original, proofs=(said,), left=(f"no {root}/b.tflite",)), (root,)
    )
    assert str(root) not in clean.proofs[0].reason + clean.left[0]
    assert "no such operator" in clean.proofs[0].reason
    assert clean.facts == original.facts


def test_names_of_classes_may_look_like_paths() -> None:
    root = Path("/tmp/resnet-edge-x")
    card = {"classes": [{"label": f"{root}/cat"}], "commands": ["resnet-edge convert"], "data": f"{root}/d"}
    travelled = travelling_card(card, (root,))
    assert travelled["classes"] == card["classes"]
    assert str(root) not in travelled["data"]
