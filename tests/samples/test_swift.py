"""The samples in Swift: parsed, not compiled. No compiler of Swift is in a package that can be had here, and
so nothing tells that the calls of LiteRT, ONNX Runtime, ImageIO and XCTest are right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.samples import swift
from tests.samples import bundles

tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
grammar = pytest.importorskip("tree_sitter_swift", reason="tree-sitter-swift is not installed")

FILES = ("litert/fixed.tflite", "android-tasks/uint8.tflite", "onnx/fixed.onnx")


def parsed(source: str) -> Any:
    return tree_sitter.Parser(tree_sitter.Language(grammar.language())).parse(source.encode()).root_node


def wrong(node: Any) -> Iterator[str]:
    """What of a tree is no Swift."""
    if node.is_error or node.is_missing:
        yield f"{node.start_point}: {node.text.decode()[:60]}"
    for child in node.children:
        yield from wrong(child)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory, artifacts: Path) -> dict[str, str]:
    return swift.render(bundles.write(tmp_path_factory.mktemp("ios") / "bundle", artifacts, FILES))


def test_all_of_it_parses(texts: dict[str, str]) -> None:
    assert len(texts) == 6
    assert {path: [*wrong(parsed(text))] for path, text in texts.items()} == {path: [] for path in texts}


def test_what_is_no_swift_does_not_parse(texts: dict[str, str]) -> None:
    text = texts["samples/swift/Preprocess.swift"]
    assert [*wrong(parsed(text.replace("func crop(", "func crop((", 1)))]


@pytest.mark.parametrize(
    ("name", "without"), [("litert/fixed.tflite", "OrtModel"), ("onnx/fixed.onnx", "LiteRtModel")]
)
def test_a_bundle_has_what_opens_its_files(tmp_path: Path, artifacts: Path, name: str, without: str) -> None:
    texts = swift.render(bundles.write(tmp_path / "b", artifacts, (name,)))
    selftest = texts["selftest/ios/GoldenTests.swift"]
    assert "// @" not in selftest
    assert without not in selftest
    assert not [path for path in texts if without in path]
    assert [*wrong(parsed(selftest))] == []
    assert swift.render(bundles.write(tmp_path / "c", artifacts, ("mcu/int8.tflite",))) == {}
