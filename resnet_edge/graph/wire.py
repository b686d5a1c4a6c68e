"""Fields of a protobuf message, where they lie in a file (protobuf.dev/programming-guides/encoding): what is
not asked for, such as weights, is stepped over and takes neither memory nor time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from resnet_edge.graph.flat import Content

VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = range(6)
LONGEST = 10
"""Bytes of a number."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field with a length, and where its content begins and ends."""

    number: int
    begin: int
    end: int


def fields(held: Content, begin: int, end: int) -> Iterator[Field]:
    """Those with a length, of the message between two places. What is in a group, which no longer exists in
    protobuf 3, is listed as if it stood beside it. Raises ValueError where the message is damaged."""
    at = begin
    while at < end:
        tag, at = _number(held, at)
        kind = tag & 7
        if kind == LENGTH:
            size, at = _number(held, at)
            if at + size > end:
                raise ValueError("a field is longer than its message")
            yield Field(tag >> 3, at, at + size)
            at += size
        elif kind == VARINT:
            _, at = _number(held, at)
        elif kind in (FIXED32, FIXED64):
            at += 4 if kind == FIXED32 else 8
        elif kind not in (GROUP, GROUP_END):
            raise ValueError(f"there is no kind {kind} of fields")


def content(held: Content, field: Field) -> bytes:
    """What a field holds."""
    return held[field.begin : field.end]


def _number(held: Content, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    value = shift = 0
    for place in range(at, min(at + LONGEST, len(held))):
        byte = held[place]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place + 1
        shift += 7
    raise ValueError("a number has no end")
