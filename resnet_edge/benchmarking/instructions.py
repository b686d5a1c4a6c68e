"""Runs in a worker. Loops of one arithmetic instruction, as machine code: how fast a core can multiply.

No library reaches what the processor can do, and so none can say how far an artifact is from it. These
loops do nothing but multiply and add in registers, in chains that do not wait for each other. Encodings:
Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, 2.3 (VEX) and 2.7 (EVEX);
`tests/benchmarking/test_instructions.py` holds them against the assembler. x86-64 only.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
from collections.abc import Collection
from dataclasses import dataclass

MAP_0F, MAP_0F38 = 1, 2
MULTIPLY_F32 = MAP_0F38, 0xB8  # vfmadd231ps
MULTIPLY_U8_S8_INTO_16 = MAP_0F38, 0x04  # vpmaddubsw
MULTIPLY_16 = MAP_0F, 0xF5  # vpmaddwd
ADD_32 = MAP_0F, 0xFE  # vpaddd
DOT_U8_S8 = MAP_0F38, 0x50  # vpdpbusd
CLEAR = MAP_0F, 0xEF  # vpxor
DECREMENT, JUMP, LEAVE = bytes.fromhex("48ffcf"), bytes.fromhex("0f85"), bytes.fromhex("c5f877c3")
"""dec rdi; jnz; vzeroupper, ret."""
A, B = 14, 15
"""Registers that are multiplied; the ones below take sums."""

Operation = tuple[int, int]


@dataclass(frozen=True)
class Loop:
    """Instructions that a loop repeats, and the multiply-accumulates of one round of it. `flags`: what
    /proc/cpuinfo must say for it to run."""

    name: str
    flags: frozenset[str]
    body: bytes
    macs: int

    @property
    def code(self) -> bytes:
        """A function of one argument, the number of rounds (System V calling convention)."""
        clear = b"".join(encoded(CLEAR, register, register, register) for register in range(16))
        back = -(len(self.body) + len(DECREMENT) + len(JUMP) + 4)
        return clear + self.body + DECREMENT + JUMP + back.to_bytes(4, "little", signed=True) + LEAVE


def encoded(operation: Operation, to: int, left: int, right: int, wide: bool = False) -> bytes:
    """One instruction on registers 0 to 15: ymm, or zmm where it is `wide`. All have the prefix 66."""
    page, opcode = operation
    operands = 0xC0 | (to & 7) << 3 | right & 7
    high = (~to & 8) << 4 | (~right & 8) << 2  # inverted, as all of the fields of registers here
    if wide:
        return bytes([0x62, high | 0x50 | page, (~left & 15) << 3 | 5, 0x48, opcode, operands])
    return bytes([0xC4, high | 0x40 | page, (~left & 15) << 3 | 5, opcode, operands])


def _chains(*operations: Operation, lanes: int, wide: bool = False) -> tuple[bytes, int]:
    """Fourteen sums of one instruction, or of a sequence seven, which then have a register each for
    what lies between. `lanes`: multiply-accumulates of one sequence."""
    if len(operations) == 1:
        body = [encoded(operations[0], register, A, B, wide) for register in range(A)]
        return b"".join(body), lanes * A
    parts = []
    for register in range(A // 2):
        between = register + A // 2
        first, *more, last = operations
        parts += [encoded(first, between, A, B, wide)]
        parts += [encoded(operation, between, between, B, wide) for operation in more]
        parts += [encoded(last, register, register, between, wide)]
    return b"".join(parts), lanes * (A // 2)


def _loop(name: str, flags: str, *operations: Operation, lanes: int, wide: bool = False) -> Loop:
    return Loop(name, frozenset(flags.split()), *_chains(*operations, lanes=lanes, wide=wide))


FLOAT = (
    _loop("vfmadd231ps zmm", "avx512f", MULTIPLY_F32, lanes=16, wide=True),
    _loop("vfmadd231ps ymm", "avx2 fma", MULTIPLY_F32, lanes=8),
)
INT8 = (
    _loop("vpdpbusd zmm", "avx512_vnni", DOT_U8_S8, lanes=64, wide=True),
    _loop("vpdpbusd ymm", "avx_vnni", DOT_U8_S8, lanes=32),
    _loop("vpmaddubsw ymm", "avx2", MULTIPLY_U8_S8_INTO_16, MULTIPLY_16, ADD_32, lanes=32),
    _loop("vpmaddwd ymm", "avx2", MULTIPLY_16, ADD_32, lanes=16),
)


def fitting(loops: Collection[Loop], flags: Collection[str]) -> list[Loop]:
    """Those that this processor runs."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return []
    return [loop for loop in loops if loop.flags <= set(flags)]


class Compiled:
    """A loop in memory that may be executed. Raises OSError where the system forbids that."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self._memory.write(loop.code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._function = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(address)

    def run(self, rounds: int) -> None:
        """Run so many rounds; other threads go on meanwhile."""
        self._function(rounds)
