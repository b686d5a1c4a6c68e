"""The libraries that the samples for phones name: one table, of which the samples are written, and the README
of a bundle. `benchmarks/app_libraries.py` holds it against the artifacts themselves, where they can be had.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE = 16384
"""Bytes. What Google Play asks of apps for Android 15 and newer: native libraries for 64 bits whose segments
are aligned to pages of 16 KB (developer.android.com/guide/practices/page-sizes)."""


@dataclass(frozen=True, kw_only=True)
class AppLibrary:
    """A library at a version that exists.

    `name` as its registry has it: group:artifact on Android. `line` is how a project names it. `since`: the
    oldest system; empty where it is not known. `abis`: those it has native code for; empty where it has none,
    or they are not known. `pages`: whether that code is aligned to PAGE, None where it has none, or that is
    not known. `source`: where this comes from.
    """

    name: str
    version: str
    line: str
    since: str
    abis: tuple[str, ...] = ()
    pages: bool | None = None
    source: str


def _android(
    name: str, version: str, since: str, source: str, abis: tuple[str, ...] = (), pages: bool | None = None
) -> AppLibrary:
    """With the line of a build.gradle.kts."""
    line = f'implementation("{name}:{version}")'
    return AppLibrary(
        name=name, version=version, line=line, since=since, abis=abis, pages=pages, source=source
    )


READ = "read in the artifact"
_ALL = ("arm64-v8a", "armeabi-v7a", "x86", "x86_64")

ANDROID = {
    "LITERT": _android(
        name="com.google.ai.edge.litert:litert",
        version="2.3.0",
        since="API 24",
        abis=("arm64-v8a", "armeabi-v7a", "x86_64"),
        pages=True,
        source="Android's skill litert-runtime; google-ai-edge/LiteRT#43, of 2.0.1-alpha",
    ),
    "LITERTGPU": _android(
        name="com.google.ai.edge.litert:litert-gpu",
        version="2.3.0",
        since="API 24",
        abis=("arm64-v8a", "x86_64"),
        source="Android's skill litert-runtime; LiteRT's guide to the GPU",
    ),
    "TASKS": _android(
        name="com.google.mediapipe:tasks-vision",
        version="1.1.0",
        since="API 24",
        pages=True,
        source="MediaPipe's guide for Android; google-ai-edge/mediapipe#6165, of 1.0.0",
    ),
    "ORT": _android(
        name="com.microsoft.onnxruntime:onnxruntime-android",
        version="1.29.0",
        since="API 24",
        abis=_ALL,
        pages=True,
        source=READ,
    ),
    "ACCELERATION": _android(
        name="com.google.android.gms:play-services-tflite-acceleration-service",
        version="16.0.0-beta01",
        since="",
        source="LiteRT's guide to the Acceleration Service",
    ),
    "SERIALIZATION": _android(
        name="org.jetbrains.kotlinx:kotlinx-serialization-json",
        version="1.9.0",
        since="any",
        source="it is Kotlin alone, which the tests compile with",
    ),
}
"""By the word in the samples. Google Play asks for 64 bits beside armeabi-v7a."""

_ORT_FOR_SWIFT = "https://github.com/microsoft/onnxruntime-swift-package-manager"
IOS = {
    "TFLITESWIFT": AppLibrary(
        name="TensorFlowLiteSwift",
        version="2.17.0",
        line="pod 'TensorFlowLiteSwift', '2.17.0'",
        since="iOS 13",
        source="LiteRT's guide for iOS; the samples want iOS 13",
    ),
    "ORTSWIFT": AppLibrary(
        name="onnxruntime-swift-package-manager",
        version="1.24.2",
        line=f'.package(url: "{_ORT_FOR_SWIFT}", from: "1.24.2")',
        since="iOS 15",
        source="its Package.swift",
    ),
}
"""By the word in the samples."""


def lines() -> dict[str, str]:
    """What stands in samples in place of the words."""
    return {word: library.line for word, library in {**ANDROID, **IOS}.items()}


def named_in(text: str) -> tuple[AppLibrary, ...]:
    """The libraries that a rendered sample names, in the order of the table."""
    return tuple(library for library in (*ANDROID.values(), *IOS.values()) if library.line in text)
