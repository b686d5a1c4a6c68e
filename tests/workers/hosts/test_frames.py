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
    "text", [b"{", b"no json\n", b'{"order":"dance"}\n', b'{"order":"ping","bytes":5}\nabc', b"x" * 99]
)
def test_what_is_no_frame(text: bytes) -> None:
    with pytest.raises(Broken):
        frames.read(io.BytesIO(text), HostRequest)


def test_an_answer_has_its_reply() -> None:
    stream = io.BytesIO()
    frames.write(stream, HostReply(reply={"n": 1}))
    stream.seek(0)
    frame = frames.read(stream, HostReply)
    assert frame is not None
    assert frame[0].reply == {"n": 1}
