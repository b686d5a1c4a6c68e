"""The table of releases, against the runtimes that are installed here."""

from __future__ import annotations

import importlib.metadata

import pytest
from ai_edge_litert.interpreter import Interpreter

from resnet_edge.core.minimum import release_key
from resnet_edge.graph.versions.releases import latest, litert_with, tensorflow_lite_with
from tests.graph.versions.lists import MOST, builtins, only_lists


def highest_in_table(name: str, installed: tuple[int, ...], litert: bool) -> int:
    release_with = litert_with if litert else tensorflow_lite_with
    known = {v: release_with(name, v) for v in range(1, MOST + 1)}
    return max(
        [v for v, release in known.items() if release and release_key(release) <= installed], default=0
    )


def highest_taken(opened: type[Interpreter], name: str) -> int:
    taken = 0
    for version in range(1, MOST + 1):
        try:
            opened(model_content=only_lists(name, version))
        except ValueError:
            continue
        taken = version
    return taken


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
@pytest.mark.parametrize("runtime", ["ai-edge-litert", "tensorflow"])
def test_the_installed_runtime_takes_what_the_table_says(runtime: str) -> None:
    installed = release_key(".".join(importlib.metadata.version(runtime).split(".")[:2]))
    opened = Interpreter
    if runtime == "tensorflow":
        opened = pytest.importorskip("tensorflow").lite.Interpreter
    litert = runtime == "ai-edge-litert"
    table = {name: highest_in_table(name, installed, litert) for name in builtins()}
    assert {name: highest_taken(opened, name) for name in builtins()} == table


def test_releases_are_told_apart_as_numbers() -> None:
    assert latest(["2.9", "2.13", "1.15"]) == "2.13"
    assert tensorflow_lite_with("FULLY_CONNECTED", 10) == "2.13"
    assert (tensorflow_lite_with("ADD", 99), litert_with("NO_SUCH", 1)) == (None, None)
