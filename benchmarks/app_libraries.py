"""Holds the table of libraries for apps (core/app_libraries.py) against the artifacts: native code for which
processors, the alignment of its segments, and the oldest Android.

    python -m benchmarks.app_libraries [AAR ...]

An AAR is named as its registry names it, ARTIFACT-VERSION.aar. Without one, those are looked into that Gradle
or Maven have fetched on this machine, and the one of ONNX Runtime that a package of npm carries. Exit code 1
where the table says something else; what is not here is told, and no failure.
"""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.app_libraries import ANDROID, PAGE, AppLibrary

CACHES = (
    ".gradle/caches/modules-2/files-2.1/{group}/{artifact}/{version}/*",
    ".m2/repository/{path}/{version}",
)
ORT_PACKAGE, ORT_AAR = "com.github.asus4.onnxruntime@0.4.9", "package/Plugins/Android/onnxruntime.aar"
_LOAD = 1


@dataclass(frozen=True, kw_only=True)
class Aar:
    """What an AAR holds: by ABI, the smallest alignment of a segment that is loaded; the least API level,
    None where it names none; and whether a library in it has the version in its text."""

    alignment: dict[str, int]
    least_api: int | None
    has_version: bool


def alignments(content: bytes) -> list[int]:
    """`p_align` of every segment of a shared library that is loaded (elf(5)). Raises ValueError for what is
    no ELF file of little endian."""
    if content[:4] != b"\x7fELF" or content[5] != 1:
        raise ValueError("no ELF file of little endian")
    wide = content[4] == 2
    (start,) = struct.unpack_from("<Q" if wide else "<I", content, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", content, 54 if wide else 42)
    aligns = []
    for offset in range(start, start + size * count, size):
        if struct.unpack_from("<I", content, offset)[0] == _LOAD:
            place, form = (offset + 48, "<Q") if wide else (offset + 28, "<I")
            aligns.append(int(struct.unpack_from(form, content, place)[0]))
    return aligns


def read(path: Path, version: str) -> Aar:
    """The facts of an AAR. Raises ValueError for a library in it that is none."""
    alignment: dict[str, int] = {}
    has_version = False
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            parts = name.split("/")
            if parts[0] == "jni" and name.endswith(".so"):
                content = archive.read(name)
                least = min(alignments(content))
                alignment[parts[1]] = min(alignment.get(parts[1], least), least)
                has_version |= version.encode() in content
        manifest = archive.read("AndroidManifest.xml").decode("utf-8", "replace")
    api = re.search(r'android:minSdkVersion="(\d+)"', manifest)
    return Aar(alignment=alignment, least_api=int(api[1]) if api else None, has_version=has_version)


def differences(library: AppLibrary, aar: Aar) -> Iterator[str]:
    """What the table says otherwise, or does not say."""
    abis = tuple(sorted(aar.alignment))
    if library.abis != abis:
        yield f"native code for {', '.join(abis) or 'nothing'}, and the table says {', '.join(library.abis)}"
    if aar.least_api is not None and library.since != f"API {aar.least_api}":
        yield f"from API {aar.least_api}, and the table says {library.since or 'nothing'}"
    wide = [least for abi, least in aar.alignment.items() if "64" in abi]
    pages = min(wide) >= PAGE if wide else None
    if pages != library.pages:
        yield f"aligned to 16 KB: {pages}, and the table says {library.pages}"


def fetched(library: AppLibrary) -> Iterator[Path]:
    """Where Gradle or Maven have put it."""
    group, _, artifact = library.name.partition(":")
    values = {"group": group, "artifact": artifact, "version": library.version}
    values["path"] = f"{group.replace('.', '/')}/{artifact}"
    for cache in CACHES:
        yield from Path.home().glob(f"{cache.format(**values)}/{artifact}-{library.version}.aar")


def from_npm(folder: Path) -> Path | None:
    """The AAR of ONNX Runtime, out of a package for Unity; None where npm or the package is not to be had."""
    try:
        subprocess.run(["npm", "pack", "--silent", ORT_PACKAGE], cwd=folder, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extract(ORT_AAR, folder, filter="data")
    return folder / ORT_AAR


def main(names: list[str]) -> int:
    given = {Path(name).name: Path(name) for name in names}
    wrong = False
    with tempfile.TemporaryDirectory() as folder:
        for word, library in ANDROID.items():
            path = given.get(f"{library.name.partition(':')[2]}-{library.version}.aar")
            if path is None and not given:
                path = next(fetched(library), None)
            if path is None and not given and word == "ORT":
                path = from_npm(Path(folder))
            if path is None:
                print(
                    f"{library.name}:{library.version}: not here; let Gradle or Maven fetch it, and run again"
                )
                continue
            aar = read(path, library.version)
            lines = [*differences(library, aar)]
            wrong |= bool(lines)
            aligned = ", ".join(f"{abi} {least:#x}" for abi, least in sorted(aar.alignment.items()))
            named = "its version is in its code" if aar.has_version else "its version is not in its code"
            whole = f"API {aar.least_api}; {aligned or 'no native code'}; {named}"
            print(f"{library.name}:{library.version}: {whole}")
            for line in lines:
                print(f"  DIFFERS: {line}")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
