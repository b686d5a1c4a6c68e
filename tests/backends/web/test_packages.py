"""Where packages of npm are looked for, and what is told where one is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_edge.backends._web import packages
from resnet_edge.core.errors import MissingDependency


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one package is installed."""
    folder = tmp_path / "node_modules"
    (folder / "@litertjs/core").mkdir(parents=True)
    (folder / "@litertjs/core/package.json").write_text(json.dumps({"version": "2.5.3"}))
    monkeypatch.setenv(packages.VARIABLE, str(folder))
    return folder


def test_the_version_is_that_of_the_package(modules: Path) -> None:
    assert packages.require("litert_js", "@litertjs/core", browser=False) == "2.5.3"


@pytest.mark.parametrize(
    ("package", "file", "words"),
    [
        ("onnxruntime-web", "dist/ort.mjs", "the npm package onnxruntime-web is not installed: npm install"),
        ("@litertjs/core", "wasm/core.wasm", "the npm package @litertjs/core has no wasm/core.wasm: npm"),
    ],
)
def test_what_is_missing_is_told_with_the_command(modules: Path, package: str, file: str, words: str) -> None:
    with pytest.raises(MissingDependency, match=f"^litert_js: {words}"):
        packages.require("litert_js", package, file, browser=False)


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_damaged_package_is_to_be_installed_again(modules: Path, content: str) -> None:
    (modules / "@litertjs/core/package.json").write_text(content)
    with pytest.raises(MissingDependency, match="@litertjs/core is damaged: npm install"):
        packages.require("litert_js", "@litertjs/core", browser=False)


def test_the_command_installs_to_where_it_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(packages.VARIABLE, str(tmp_path / "my apps/node_modules"))
    command = packages.install_command()
    assert command.startswith(f"npm install --ignore-scripts --prefix '{tmp_path}/my apps' ")
    assert all(f"{name}@{version}" in command for name, version in packages.PACKAGES.items())
    monkeypatch.setenv(packages.VARIABLE, str(tmp_path / "link"))
    assert packages.install_command().endswith(f"and set {packages.VARIABLE} to its node_modules")


def test_without_a_browser_or_node_the_way_out_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependency, match="neither chromium nor .*: apt-get install chromium"):
        packages.chromium("litert_js")
    with pytest.raises(MissingDependency, match="node is not installed: apt-get install nodejs"):
        packages.node("onnxruntime_node")
