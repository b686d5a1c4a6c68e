"""The encodings against the assembler's, and the loops on this processor."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from resnet_edge.benchmarking import instructions
from resnet_edge.benchmarking.instructions import Compiled, encoded, fitting
from resnet_edge.core.machine import processor_flags

NAMES = {
    "vfmadd231ps": instructions.MULTIPLY_F32,
    "vpmaddubsw": instructions.MULTIPLY_U8_S8_INTO_16,
    "vpmaddwd": instructions.MULTIPLY_16,
    "vpaddd": instructions.ADD_32,
    "vpdpbusd": instructions.DOT_U8_S8,
    "vpxor": instructions.CLEAR,
}
WIDE = ("vfmadd231ps", "vpdpbusd")
REGISTERS = [(0, 14, 15), (13, 14, 15), (7, 7, 15), (3, 3, 10), (8, 9, 10), (15, 0, 1)]
LOOPS = instructions.FLOAT + instructions.INT8


@pytest.mark.parametrize("wide", [False, True])
def test_instructions_are_those_of_the_assembler(tmp_path: Path, wide: bool) -> None:
    if shutil.which("as") is None or platform.machine() != "x86_64":
        pytest.skip("there is no assembler for x86-64 here")
    kind, names = ("zmm", WIDE) if wide else ("ymm", tuple(NAMES))
    lines, ours = [".intel_syntax noprefix"], b""
    for name in names:
        for to, left, right in REGISTERS:
            # VEX: as prefers an encoding of two bytes, which says the same, and EVEX for vpdpbusd
            prefix = "" if wide else "{vex3} " if name != "vpdpbusd" else "{vex} "
            lines.append(f"{prefix}{name} {kind}{to}, {kind}{left}, {kind}{right}")
            ours += encoded(NAMES[name], to, left, right, wide)
    (tmp_path / "a.s").write_text("\n".join(lines) + "\n")
    subprocess.run(["as", "-o", tmp_path / "a.o", tmp_path / "a.s"], check=True)
    subprocess.run(
        ["objcopy", "-O", "binary", "-j", ".text", tmp_path / "a.o", tmp_path / "a.bin"], check=True
    )
    assert (tmp_path / "a.bin").read_bytes() == ours


def test_a_loop_goes_back_to_where_its_sums_are_clear() -> None:
    for loop in LOOPS:
        code = loop.code
        at = code.index(loop.body)
        jump = code.rindex(instructions.JUMP) + len(instructions.JUMP)
        assert jump + 4 + int.from_bytes(code[jump : jump + 4], "little", signed=True) == at
        assert code.endswith(instructions.LEAVE)


def test_what_this_processor_has_runs() -> None:
    loops = fitting(LOOPS, processor_flags())
    if not loops:
        pytest.skip("no loop is written for this processor")
    for loop in loops:
        Compiled(loop).run(1000)


def test_nothing_runs_that_the_processor_does_not_have() -> None:
    assert fitting(LOOPS, ()) == []
    assert {loop.name for loop in fitting(LOOPS, ("avx2",))} <= {"vpmaddubsw ymm", "vpmaddwd ymm"}
