"""Microcontrollers with TFLite Micro: int8 at both ends, and the file as an array in C."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.core.head import Head
from resnet_edge.core.literals import c_identifier
from resnet_edge.graph.app_border import Border
from resnet_edge.profiles import Variant

TITLE = "TFLite Micro, on microcontrollers"
FORMAT = "tflite"
SCHEMES = ("int8",)
METADATA = False
PINNED = ("tflite_micro",)

PER_LINE = 12
ALIGNMENT = 16
"""Bytes: what TFLite Micro wants of the start of a model (its generate_cc_arrays.py writes the same)."""


def runtimes(scheme: str) -> tuple[str, ...]:
    """The same for all."""
    return ("litert", "litert_reference", "tflite_micro")


def border(scheme: str, head: Head) -> Border:
    """int8 at both ends: a microcontroller has no float for them."""
    return Border("int8", "int8")


def variants(model: Path) -> tuple[Variant, ...]:
    """None."""
    return ()


def companions(model: Path, name: str) -> dict[str, str]:
    """`<name>.h` and `<name>.cc`, which hold the bytes of `model` as an array."""
    symbol = c_identifier(name)
    content = model.read_bytes()
    lines = [
        "  " + ", ".join(f"0x{byte:02x}" for byte in content[start : start + PER_LINE]) + ","
        for start in range(0, len(content), PER_LINE)
    ]
    guard = f"{symbol.upper()}_H_"
    header = (
        f"#ifndef {guard}\n#define {guard}\n\n#include <cstddef>\n\n"
        f"extern const unsigned char {symbol}[];\nextern const std::size_t {symbol}_size;\n\n"
        f"#endif  // {guard}\n"
    )
    source = (
        f'#include "{name}.h"\n\nalignas({ALIGNMENT}) const unsigned char {symbol}[] = {{\n'
        + "\n".join(lines)
        + f"\n}};\nconst std::size_t {symbol}_size = {len(content)};\n"
    )
    return {f"{name}.h": header, f"{name}.cc": source}


def delegates(scheme: str) -> tuple[str, ...]:
    """What stands beside a microcontroller."""
    return ("ethos_u",)
