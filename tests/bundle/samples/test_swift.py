"""The samples in Swift: parsed, not compiled. No compiler of Swift is in a package that can be had here, and
so nothing tells that the calls of LiteRT, ONNX Runtime, ImageIO and XCTest are right.

The arithmetic of Preprocess.swift runs all the same: swift_to_kotlin.py puts its words into Kotlin's. That
holds for the numbers, and tells nothing about what Swift's compiler says to the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet_edge.bundle.samples import swift
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.image_contract import contract
from resnet_edge.data.resize import apply
from resnet_edge.evaluation.predict import stored
from tests.bundle.samples import bundles
from tests.bundle.samples.kotlin_compiler import Kotlin
from tests.bundle.samples.photos import cases
from tests.bundle.samples.swift_to_kotlin import kotlin_of
from tests.data.photos import noise

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


GRIDS = (
    ("float32", None),
    ("int8", (0.7, -3)),
    ("uint8", (1.3, 5)),
    ("uint8", (0.5, 0)),
    ("int8", (2.0, -128)),
)
"""The last two with ties, and beyond the ends."""


@pytest.mark.slow
def test_the_arithmetic_word_by_word_in_kotlin_is_that_of_the_reference(
    texts: dict[str, str], tmp_path: Path
) -> None:
    compiler = Kotlin()
    (tmp_path / "Preprocess.kt").write_text(kotlin_of(parsed(texts["samples/swift/Preprocess.swift"])))
    sources = [tmp_path / "Preprocess.kt", Path(__file__).parent / "stubs/SwiftHarness.kt"]
    code, said = compiler.compile(sources, tmp_path / "out", strict=False)
    assert code == 0, said

    runs = [(how, photo, *GRIDS[0]) for how, photo in cases()]
    for channels in (1, 3):
        grey = contract("pillow", 16, 16, channels)
        runs += [(grey, noise(16, 16, seed=3), *grid) for grid in GRIDS]
    lines, wanted = [], []
    for number, (how, photo, dtype, grid) in enumerate(runs):
        path, (height, width) = tmp_path / str(number), photo.shape[:2]
        rgba = np.dstack([photo, np.full((height, width), 255, np.uint8)])
        path.with_suffix(".rgba").write_bytes(rgba.tobytes())
        scale, point = grid or (None, None)
        fields = " ".join(
            str(field).lower() if field in (True, False) else str(field) for field in astuple(how)[1:-1]
        )
        lines.append(f"{path} {width} {height} {fields} {dtype} 3 {scale} {point}")
        pixels = apply(how, Image.fromarray(photo))
        spec = TensorSpec("image", (1, *pixels.shape[:2], 3), dtype, None)
        if grid is not None:
            spec = replace(spec, quantization=Quantization((grid[0],), (grid[1],), None))
        wide = np.repeat(pixels, 3 // pixels.shape[2], axis=2)
        wanted.append(pixels.tobytes() + stored(wide[None], spec).tobytes())
    (tmp_path / "cases").write_text("\n".join(lines))
    code, said = compiler.run(tmp_path / "out", "transliterated.SwiftHarnessKt", str(tmp_path / "cases"))
    assert code == 0, said
    for number, content in enumerate(wanted):
        assert (tmp_path / f"{number}.out").read_bytes() == content, lines[number]


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
