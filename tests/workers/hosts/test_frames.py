"""Lines of JSON with bytes behind."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.workers.hosts import frames
from resnet_edge.workers.hosts.frames import Broken, HostReply, HostRequest


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_what_is_written_is_read(payloads: list[bytes]) -> None:
    stream = io.BytesIO()
    for payload in payloads:
        frames.write(stream, HostRequest(order="file", digests=["x"], last=not payload), payload)
    stream.seek(0)
    for payload in payloads:
        frame = frames.read(stream, HostRequest)
        assert frame is not None
        assert (frame[0].digests, frame[1]) == (["x"], payload)
    assert frames.read(stream, HostRequest) is None


@pytest.mark.parametrize(
    "text",
    [
        b"no json\n",
        b'{"order":"dance"}\n',
        b'{"order":"ping","name":"\xff"}\n',
        b'{"order":"ping","bytes":-1}\n',
        b'{"order":"ping","bytes":1000000000000000}\n',
        b'{"order":"ping","bytes":1' + b"0" * 30 + b"}\n",
        b'{"order":"ping","request":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    ],
)
def test_what_is_no_frame(text: bytes) -> None:
    with pytest.raises(Broken):
        frames.read(io.BytesIO(text), HostRequest)


@pytest.mark.parametrize("text", [b"", b"{", b'{"order":"ping"', b'{"order":"ping","bytes":5}\nabc'])
def test_the_end_may_come_in_the_middle(text: bytes) -> None:
    assert frames.read(io.BytesIO(text), HostRequest) is None


def test_a_line_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LONGEST_LINE", 99)
    with pytest.raises(Broken, match="more than 99 bytes"):
        frames.read(io.BytesIO(b"x" * 200), HostRequest)


def test_an_answer_has_its_reply() -> None:
    stream = io.BytesIO()
    frames.write(stream, HostReply(reply={"n": 1}))
    stream.seek(0)
    frame = frames.read(stream, HostReply)
    assert frame is not None
    assert frame[0].reply == {"n": 1}


@pytest.mark.parametrize("size", [0, 1, frames.BLOCK, frames.BLOCK + 1, 3 * frames.BLOCK])
def test_the_parts_of_a_file_end_with_the_last(size: int) -> None:
    sent = [*frames.parts(io.BytesIO(bytes(size)))]
    assert sum(len(block) for block, _ in sent) == size
    assert [last for _, last in sent] == [False] * (len(sent) - 1) + [True]
    assert all(len(block) <= frames.BLOCK for block, _ in sent)
