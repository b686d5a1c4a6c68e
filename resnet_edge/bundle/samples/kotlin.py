"""Examples and an instrumented self-test in Kotlin, for Android: LiteRT, MediaPipe Tasks and ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.samples._marked import filled, for_bundle
from resnet_edge.core import literals
from resnet_edge.core.app_libraries import lines
from resnet_edge.core.printable import printable
from resnet_edge.core.results.bundle import BundleFacts
from resnet_edge.schemes import scheme_of

TITLE = "Kotlin, on Android"

_TEMPLATES = Path(__file__).parent / "_templates/kotlin"
_PROFILES = ("litert", "android_tasks", "onnx")
"""The profiles for phones."""
_FOR_ALL = ("Preprocess.kt", "Golden.kt", "Photo.kt")


def render(facts: BundleFacts) -> dict[str, str]:
    """Preprocessing, and one class for each runtime that opens a file of this bundle. Nothing where it holds
    no file for phones."""
    first = {file.profile: file.path for file in reversed(facts.files) if file.profile in _PROFILES}
    if not first:
        return {}
    tflite = first.get("litert") or first.get("android_tasks")
    texts = {name: filled(_text(name), lines()) for name in _FOR_ALL}
    if tflite:
        texts["LiteRtModel.kt"] = _litert(facts, tflite)
        texts["Acceleration.kt"] = filled(_text("Acceleration.kt"), lines())
    if "android_tasks" in first:
        texts["TasksModel.kt"] = filled(_text("TasksModel.kt"), _file(first["android_tasks"]))
    if "onnx" in first:
        texts["OrtModel.kt"] = filled(_text("OrtModel.kt"), _file(first["onnx"]))
    here = {*first, "tflite"} if tflite else {*first}
    folders = sorted(path.partition("/")[0] for path in first.values())
    named = {"FOLDERS": printable(", ".join(folders))}
    selftest = filled(for_bundle(_text("GoldenTest.kt"), here), named)
    files = {f"samples/kotlin/{name}": text for name, text in texts.items()}
    return {**files, "selftest/android/GoldenTest.kt": selftest}


def _litert(facts: BundleFacts, path: str) -> str:
    """With an example for the GPU where the bundle holds a file of floats: integers go wrong there."""
    mobile = [file for file in facts.files if file.profile in _PROFILES and file.format == "tflite"]
    floats = [file.path for file in mobile if scheme_of(file.scheme).weights != "int8"]
    text = for_bundle(_text("LiteRtModel.kt"), {"float"} if floats else set())
    return filled(text, {**_file(path), "FLOAT": literals.kotlin(floats[0]) if floats else ""})


def _file(path: str) -> dict[str, str]:
    return {**lines(), "FILE": literals.kotlin(path)}


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")
