"""Tests of report.bundle.bundle_summary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from resnet_edge.core.results.bundle import Bundle, BundledFile, RuntimeProof
from resnet_edge.report.bundle.bundle_summary import bundle_summary
from tests.report.bundle.bundles import bundle

FOLDER = Path("bundle")


def file(profile: str, scheme: str) -> BundledFile:
    (original,) = bundle().facts.files
    path = f"{profile}/net.{scheme}.tflite"
    return replace(original, path=path, profile=profile, scheme=scheme, size_bytes=311_000)


def proof(of: BundledFile, backend: str, same: int = 200, **changes: Any) -> RuntimeProof:
    row = RuntimeProof(file=of.path, backend=backend, status="agrees", n=200, same_top1=same)
    return replace(row, **changes)


def summary(*files: BundledFile, proofs: tuple[RuntimeProof, ...], **changes: Any) -> list[str]:
    facts = replace(bundle().facts, name="net", files=files)
    plain = replace(bundle(), facts=facts, proofs=proofs, left=(), unproved=(), arenas={})
    changed: Bundle = replace(plain, **changes)
    return bundle_summary(changed, FOLDER)


def test_it_names_a_file_for_each_kind_of_app_and_what_to_do_first() -> None:
    files = (file("litert", "int8"), file("litert", "fp16"), file("mcu", "int8"))
    proofs = tuple(proof(each, "litert") for each in files)
    lines = summary(*files, proofs=proofs)
    assert lines[0] == "bundle: 3 model files of net for 2 kinds of apps. Begin with"
    assert lines[1:5] == [
        "  litert/net.int8.tflite  (311 kB)",
        "    LiteRT's Interpreter and CompiledModel, on Android, iOS, Linux and the web",
        "  mcu/net.int8.tflite  (311 kB)",
        "    TFLite Micro, on microcontrollers",
    ]
    assert (
        lines[5] == "Beside them: 1 other file, in README.md; for a phone's GPU take litert/net.fp16.tflite."
    )
    assert lines[6] == (
        "Proved on 200 images: every file gives its artifact's answers on all of them, in litert."
    )
    assert lines[-1].startswith("First: `python bundle/selftest/selftest.py`")
    assert len(lines) <= 12


def test_a_gpu_gets_floats_and_what_begins_with_floats_has_no_other_for_it() -> None:
    for first, second in (("dynamic", "int16x8"), ("fp16", "fp32")):
        lines = summary(file("litert", first), file("litert", second), proofs=())
        assert not any("GPU" in line for line in lines)


def test_the_number_of_files_makes_no_more_lines() -> None:
    files = tuple(replace(file("litert", "int8"), path=f"litert/{n}.tflite") for n in range(20))
    proofs = tuple(proof(each, f"backend{n}") for each in files for n in range(9))
    assert len(summary(*files, proofs=proofs)) < 12


def test_the_runtime_that_rounds_most_is_named() -> None:
    one = file("mcu", "int8")
    lines = summary(one, proofs=(proof(one, "litert"), proof(one, "tflite_micro", 198)))
    assert any("on 198 of 200 (net.int8.tflite in tflite_micro) at least" in line for line in lines)


def test_what_is_wrong_or_not_known_is_said() -> None:
    one = file("litert", "int8")
    proofs = (
        proof(one, "litert"),
        proof(one, "litert_js", 120, status="differs", reason="other answers"),
        proof(one, "mediapipe", status="does not open", n=0, reason="no metadata"),
        proof(one, "iree", status="not installed", n=0, reason="pip install"),
    )
    lines = summary(one, proofs=proofs, unproved=("it failed",), left=("no int16x8",))
    assert lines[0] == "NOT PROVED: it failed"
    assert "DIFFERS: litert/net.int8.tflite on litert_js, the same on 120 of 200: other answers" in lines
    assert "Does not open: litert/net.int8.tflite on mediapipe: no metadata" in lines
    assert "Not proved, since not installed here: iree (`resnet-edge doctor`)." in lines
    assert "left out: no int16x8" in lines
    assert any("all but what is below give" in line for line in lines)


def test_where_no_runtime_is_here_nothing_is_claimed() -> None:
    one = file("litert", "int8")
    lines = summary(one, proofs=(proof(one, "litert", status="not installed", n=0),))
    assert any(line.startswith("No runtime of apps is here") for line in lines)


def test_which_images_it_was_proved_on_is_said() -> None:
    one = file("litert", "int8")
    lines = summary(one, proofs=(proof(one, "litert"),), images="of the 9,800 on which `convert` proved")
    assert any(
        line.startswith("Proved on 200 images, of the 9,800 on which `convert` proved: ") for line in lines
    )
