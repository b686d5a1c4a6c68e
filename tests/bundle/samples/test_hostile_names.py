"""Names of files in the samples: each is a literal of its language, whatever it holds."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.bundle.samples import javascript, kotlin, swift
from resnet_edge.core import literals
from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.image_contract import contract
from resnet_edge.core.results.bundle import BundledFile, BundleFacts, Golden

NASTY = 'a"); evil(`${b}` \\(c) $d @FLOAT@ */ \n\u2028 </script>'


def facts() -> BundleFacts:
    end = TensorSpec("x", (1, 8, 8, 1), "float32")
    file = BundledFile(
        path="",
        profile="litert",
        format="tflite",
        scheme="fp32",
        size_bytes=9,
        sha256="ab",
        input=end,
        output=end,
        scores="logits",
        source="a",
        source_sha256="ab",
    )
    files = (
        replace(file, path=f"litert/{NASTY}.tflite"),
        replace(file, path=f"android-tasks/{NASTY}.tflite", profile="android_tasks"),
        replace(file, path=f"onnx/{NASTY}.onnx", profile="onnx", format="onnx"),
    )
    return BundleFacts(
        name="a",
        title="a",
        labels=("x", "y"),
        image=contract("pillow", 8, 8, 1),
        files=files,
        golden=Golden((), ()),
    )


def test_javascript(tmp_path: Path) -> None:
    text = javascript.render(facts())["samples/javascript/classify.mjs"]
    assert literals.javascript(f"onnx/{NASTY}.onnx") in text
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    (tmp_path / "classify.mjs").write_text(text, "utf-8")
    subprocess.run([node, "--check", str(tmp_path / "classify.mjs")], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["LiteRtModel.kt", "TasksModel.kt", "OrtModel.kt"])
def test_kotlin(name: str) -> None:
    """They stand in comments: one line each, which a name cannot leave."""
    hostile = kotlin.render(facts())
    plain = kotlin.render(replace(facts(), files=tuple(_plain(file) for file in facts().files)))
    text, ordinary = (each[f"samples/kotlin/{name}"] for each in (hostile, plain))
    assert literals.kotlin(NASTY)[1:-1] in text
    assert len(text.splitlines()) == len(ordinary.splitlines())
    assert [line for line in text.splitlines() if not line.startswith("//")] == [
        line for line in ordinary.splitlines() if not line.startswith("//")
    ]


@pytest.mark.parametrize("name", ["LiteRtModel.swift", "OrtModel.swift"])
def test_swift(name: str) -> None:
    tree_sitter: Any = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
    grammar: Any = pytest.importorskip("tree_sitter_swift", reason="tree-sitter-swift is not installed")
    text = swift.render(facts())[f"samples/swift/{name}"]
    assert literals.swift(NASTY)[1:-1] in text
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    plain = swift.render(replace(facts(), files=tuple(_plain(file) for file in facts().files)))
    kinds = [
        [node.type for node in parser.parse(each.encode()).root_node.children]
        for each in (text, plain[f"samples/swift/{name}"])
    ]
    assert kinds[0] == kinds[1]


def _plain(file: BundledFile) -> BundledFile:
    return replace(file, path=file.path.replace(NASTY, "plain"))
