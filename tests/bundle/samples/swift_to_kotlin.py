"""Preprocess.swift, word by word in Kotlin: so that its arithmetic can run where no compiler of Swift is.

The two languages are near enough for rules about words; they cover what stands in that one file. Integers,
their division, Float and Double are the same in both; Swift's Int is wider, and no number here needs that.
What Swift alone would refuse (a mix of types, say) is not found.
"""

from __future__ import annotations

import re
from typing import Any

PRELUDE = """package transliterated

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min

private fun Int(x: Double): Int = x.toInt()
private fun Int(x: Float): Int = x.toInt()
private fun Int(x: UByte): Int = x.toInt()
private fun Double(x: Int): Double = x.toDouble()
private fun Double(x: UByte): Double = x.toDouble()
private fun Float(x: UByte): Float = x.toFloat()
private fun UInt8(x: Int): UByte = x.also { check(it in 0..255) }.toUByte()
private fun Int8(x: Int): Byte = x.also { check(it in -128..127) }.toByte()
private fun Double.roundedDown(): Double = kotlin.math.floor(this)
private fun Double.roundedToEven(): Double = kotlin.math.round(this)
private fun Float.roundedToEven(): Float = kotlin.math.round(this)
"""
"""Swift's conversions, which stop the program where a number does not fit."""

RULES = (
    (r"^import .*$", ""),
    (r" *//.*$", ""),
    (r"struct (\w+)(?:: Decodable)? \{\n((?: +(?:let|var) .*\n)+)\}", r"class \1(\n\2)"),
    (r"^( +)(let|var) (\w+: [\w\[\]?]+)$", r"\1\2 \3,"),  # a field of such a class
    (r"\bfunc (\w+)\(", r"fun \1("),
    (r"\b_ (\w+: )", r"\1"),
    (r"\) -> ([\w\[\]]+) \{", r"): \1 {"),
    (r"\[UInt8\]\(repeating: 0, count: (.*)\)$", r"MutableList<UByte>(\1) { 0u }"),
    (r": \[(\w+)\] = \[\]$", r" = mutableListOf<\1>()"),
    (r"\[(UInt8|Double|Int|Taps)\]", r"List<\1>"),
    (r"\bUInt8\b(?!\()", "UByte"),
    (r"\bBool\b", "Boolean"),
    (r"guard let (\w+) = (.*) else \{ return (\w+) \}", r"val \1 = \2 ?: return \3"),
    (r"\blet\b", "val"),
    (r"\bfor _ in (.*?) \{", r"repeat((\1).count()) {"),
    (r"in \[(.*?)\] \{", r"in listOf(\1) {"),
    (r"\bfor (\w+) in (.*?) \{", r"for (\1 in \2) {"),
    (r"\bif (.*?) \{", r"if (\1) {"),
    (r"\.\.<", " until "),
    (r"\?\?", "?:"),
    (r"<<", "shl"),
    (r">>", "shr"),
    (r" & ", " and "),
    (r"\.rounded\(\.down\)", ".roundedDown()"),
    (r"\.rounded\(\.toNearestOrEven\)", ".roundedToEven()"),
    (r"\.reduce\(0\.0, \+\)", ".sum()"),
    (r"\.append\(", ".add("),
    (r"\.count\b(?!\()", ".size"),
    (r"\$0", "it"),
    (r"\b(width|height|channels|data|first|weights|fixed): (?!Int\b|List)", r"\1 = "),
    (r"UInt8\(bitPattern: (Int8\(.*\))\) \}$", r"\1.toUByte() }"),
    (r"\.bitPattern\b", ".toRawBits()"),
    (r"UInt32\((\w+)\)", r"\1"),
)


def kotlin_of(tree: Any) -> str:
    """The file of that tree, up to the reading of outputs."""
    text = _without_ternaries(tree.text, tree).partition("/// The bytes of an output tensor")[0]
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return PRELUDE + text


def _without_ternaries(source: bytes, node: Any) -> str:
    """The text of a node with `c ? a : b` as Kotlin has it."""
    if node.type == "ternary_expression":
        parts = [node.child_by_field_name(name) for name in ("condition", "if_true", "if_false")]
        condition, yes, no = (_without_ternaries(source, part) for part in parts)
        return f"(if ({condition}) {yes} else {no})"
    text, at = b"", node.start_byte
    for child in node.children:
        text += source[at : child.start_byte] + _without_ternaries(source, child).encode()
        at = child.end_byte
    return (text + source[at : node.end_byte]).decode()
