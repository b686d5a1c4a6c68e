"""What goes through the connection to a host, both ways: a line of JSON, whose `bytes` says how many bytes
follow it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, TypeVar

import msgspec

from resnet_edge.workers.progress import Progress

LONGEST_LINE = 64 << 20
"""Bytes: a reply with the layers of a large network has some of them. What is longer is none of ours."""
BLOCK = 1 << 17
"""Bytes of a file in a frame, and at most in any: so few that on a slow line, too, a frame comes often."""
GREETING = "resnet-edge host:"
"""Before it comes whatever the login shell of a machine says, and after it nothing but frames."""


class Greeting(msgspec.Struct, frozen=True, kw_only=True):
    """What a host says of itself: its code (`identity`), and the `folder` in which the files of tasks are."""

    resnet_edge: str
    digest: str
    folder: str


class HostRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """From here to the host. `have` asks which of `digests` are not there; `file` brings a part of the first
    of them, the last one if so said; `call` is a task, with the `reads` by their digests and what it
    `writes`, all by their paths there; `ping` says that this end is there."""

    order: Literal["have", "file", "call", "ping"]
    bytes: int = 0
    digests: list[str] = []
    last: bool = False
    name: str = ""
    function: str = ""
    request: Any = None
    reads: dict[str, str] = {}
    writes: list[str] = []
    free: bool = False
    network: bool = False


class HostReply(msgspec.Struct, kw_only=True, omit_defaults=True):
    """From the host to here: what is `missing`, `progress`, a part of a file that was `written` (the last one
    if so said), or the end of an order: `reply`, or the kind of an `error` with its `text` and, of a worker
    that failed, the end of its `log`."""

    bytes: int = 0
    missing: list[str] | None = None
    progress: Progress | None = None
    written: str | None = None
    last: bool = False
    error: str | None = None
    text: str = ""
    log: str = ""
    reply: Any = None
    peak_bytes: int = 0
    cpu_seconds: float = 0.0


T = TypeVar("T", HostRequest, HostReply)


def parts(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """What a file is sent in, and whether it is the last: an empty file is one part. Raises OSError."""
    block = stream.read(BLOCK)
    while following := stream.read(BLOCK):
        yield block, False
        block = following
    yield block, True


class Broken(Exception):
    """What came is no frame."""


def write(stream: BinaryIO, frame: HostRequest | HostReply, payload: bytes = b"") -> None:
    """Raises OSError where the other end is gone."""
    frame.bytes = len(payload)
    stream.write(msgspec.json.encode(frame) + b"\n" + payload)
    stream.flush()


def read(stream: BinaryIO, kind: type[T]) -> tuple[T, bytes] | None:
    """The next frame and its bytes; None at the end, also where that is in the middle of one. Raises Broken,
    OSError."""
    line = stream.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        if len(line) == LONGEST_LINE:
            raise Broken(f"a line of more than {len(line):,} bytes")
        return None
    try:
        frame = msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(f"{error}: {line[:80]!r}") from error
    if not 0 <= frame.bytes <= BLOCK:
        raise Broken(f"{frame.bytes:,} bytes of a file at once")
    payload = stream.read(frame.bytes)
    return (frame, payload) if len(payload) == frame.bytes else None
