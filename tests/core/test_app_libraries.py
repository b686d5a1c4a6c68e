"""The table of libraries for apps, and what reads artifacts to hold it against."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.app_libraries import alignments, differences, main, read
from resnet_edge.core.app_libraries import ANDROID, IOS, lines, named_in


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A shared library, by the alignment that it was linked with."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    folder, libraries = tmp_path_factory.mktemp("elf"), {}
    (folder / "a.c").write_text('const char *version(void) { return "9.8.7"; }\n')
    for size in (4096, 16384):
        libraries[size] = folder / f"{size}.so"
        options = ["-shared", "-fPIC", f"-Wl,-z,max-page-size={size}", "-o", str(libraries[size])]
        subprocess.run(["gcc", *options, "a.c"], cwd=folder, check=True)
    return libraries


def packed(path: Path, manifest: str, **libraries: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("AndroidManifest.xml", manifest)
        for abi, source in libraries.items():
            archive.write(source, f"jni/{abi}/libx.so")
    return path


def test_the_alignment_is_what_the_linker_was_told(library: dict[int, Path]) -> None:
    for size, path in library.items():
        sizes = alignments(path.read_bytes())
        assert len(sizes) >= 2
        assert set(sizes) == {size}
    with pytest.raises(ValueError, match="no ELF file"):
        alignments(b"MZ" + bytes(60))


def test_an_aar_is_held_against_the_table(
    library: dict[int, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = '<manifest><uses-sdk android:minSdkVersion="24" /></manifest>'
    path = packed(tmp_path / "a.aar", manifest, arm64_v8a=library[16384], x86=library[4096])
    shipped = read(path, "9.8.7")
    assert (shipped.alignment, shipped.least_api) == ({"arm64_v8a": 16384, "x86": 4096}, 24)
    assert shipped.has_version
    right = replace(ANDROID["ORT"], abis=("arm64_v8a", "x86"), since="API 24", pages=True)
    assert [*differences(right, shipped)] == []
    wrong = replace(right, abis=("x86",), since="API 21", pages=None)
    assert [line.split(",")[0] for line in differences(wrong, shipped)] == [
        "native code for arm64_v8a",
        "from API 24",
        "aligned to 16 KB: True",
    ]
    ort = ANDROID["ORT"]
    named = packed(tmp_path / f"onnxruntime-android-{ort.version}.aar", manifest, arm64_v8a=library[4096])
    assert main([str(named)]) == 1
    assert "DIFFERS: aligned to 16 KB: False, and the table says True" in capsys.readouterr().out


def test_a_sample_names_what_the_table_has() -> None:
    assert len(set(lines().values())) == len(ANDROID) + len(IOS)
    text = f"//   {ANDROID['ORT'].line}\n//   {IOS['ORTSWIFT'].line}\n"
    assert named_in(text) == (ANDROID["ORT"], IOS["ORTSWIFT"])
    for each in (*ANDROID.values(), *IOS.values()):
        assert each.version in each.line
        assert each.source
