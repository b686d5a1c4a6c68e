"""Literals of each language, read by a compiler or parser of that language where one is here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.core import literals
from tests.bundle.samples.kotlin_compiler import Kotlin

HOSTILE = (
    "plain.tflite",
    "",
    'a"; evil(); "',
    "a\\",
    "a\\\"b'c`d",
    "$x ${y} $",
    "\\(z)",
    "line\nbreak\r\t\x00\x1b[2J\x7f\u2028\u2029\u202e",
    "</script><!-- ]]>",
    "é 東京 🎉 ??/ */ // /*",
    "@FILE@ %s {0}",
)


def test_javascript() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    listed = ",\n".join(map(literals.javascript, HOSTILE))
    assert "</script" not in listed
    program = f'"use strict"; console.log(JSON.stringify([{listed}]))'
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == list(HOSTILE)


@pytest.mark.slow
def test_kotlin(tmp_path: Path) -> None:
    kotlin = Kotlin()
    listed = ",\n".join(map(literals.kotlin, HOSTILE))
    source = tmp_path / "Main.kt"
    source.write_text(
        "package resnetedge\n\nfun main() {\n  val all = listOf(\n" + listed + "\n  )\n"
        '  for (each in all) println(each.map { it.code.toString() }.joinToString(","))\n}\n',
        "utf-8",
    )
    compiled, why = kotlin.compile([source], tmp_path / "out")
    assert compiled == 0, why
    code, said = kotlin.run(tmp_path / "out", "resnetedge.MainKt")
    assert code == 0, said
    units = [memoryview(text.encode("utf-16-le")).cast("H") for text in HOSTILE]
    assert said.split("\n")[: len(HOSTILE)] == [",".join(map(str, each)) for each in units]


def test_swift() -> None:
    """Parsed: the string is one literal without an interpolation, and its parts spell the text."""
    tree_sitter: Any = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
    grammar: Any = pytest.importorskip("tree_sitter_swift", reason="tree-sitter-swift is not installed")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    for text in HOSTILE:
        root = parser.parse(f"let a = {literals.swift(text)}\n".encode()).root_node
        assert not root.has_error, text
        (declared,) = root.children
        (literal,) = (node for node in declared.children if node.type == "line_string_literal")
        parts = literal.children[1:-1]
        assert {part.type for part in parts} <= {"line_str_text", "str_escaped_char"}, text
        assert "".join(_swift(part.text.decode()) for part in parts) == text


def _swift(part: str) -> str:
    match = re.fullmatch(r"\\u\{([0-9a-f]+)\}", part)
    if match:
        return chr(int(match[1], 16))
    return part[1:] if part.startswith("\\") else part


def test_c(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("a compiler of C is not installed")
    names = [*map(literals.c_identifier, HOSTILE), *map(literals.c_identifier, ("int", "linux", "9", "é"))]
    assert literals.c_identifier("resnet20.fp32-v1") == "model_resnet20_fp32_v1"
    for number, name in enumerate(names):
        source = tmp_path / f"{number}.c"
        source.write_text(f"extern const unsigned char {name}[]; const unsigned char {name}[] = {{1}};\n")
        subprocess.run(
            [compiler, "-std=c17", "-Wall", "-Werror", "-fsyntax-only", str(source)],
            check=True,
            capture_output=True,
        )


@pytest.mark.parametrize("literal", [literals.javascript, literals.kotlin, literals.swift])
def test_what_no_source_can_hold_is_refused(literal: Any) -> None:
    with pytest.raises(UnicodeEncodeError):
        literal("\udc80")
