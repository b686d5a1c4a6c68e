"""Examples and a self-test in Swift, for iOS: LiteRT's Interpreter and ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.samples._marked import filled, for_bundle
from resnet_edge.core import literals
from resnet_edge.core.app_libraries import lines
from resnet_edge.core.results.bundle import BundleFacts

TITLE = "Swift, on iOS"

_TEMPLATES = Path(__file__).parent / "_templates/swift"
_PROFILES = {"litert": "tflite", "android_tasks": "tflite", "onnx": "onnx"}
"""The profiles for phones, the better one first, and what their files end in."""
_CLASSES = {"tflite": "LiteRtModel.swift", "onnx": "OrtModel.swift"}
_FOR_ALL = ("Preprocess.swift", "Golden.swift", "Photo.swift")


def render(facts: BundleFacts) -> dict[str, str]:
    """Preprocessing, and one class for each runtime that opens a file of this bundle. Nothing where it holds
    no file for phones."""
    first: dict[str, str] = {}
    for profile, suffix in _PROFILES.items():
        for file in facts.files:
            if file.profile == profile:
                first.setdefault(suffix, file.path)
    if not first:
        return {}
    texts = {name: _text(name) for name in _FOR_ALL}
    texts |= {
        _CLASSES[suffix]: filled(_text(_CLASSES[suffix]), {**lines(), "FILE": literals.swift(path)})
        for suffix, path in first.items()
    }
    files = {f"samples/swift/{name}": text for name, text in texts.items()}
    return {**files, "selftest/ios/GoldenTests.swift": for_bundle(_text("GoldenTests.swift"), {*first})}


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")
