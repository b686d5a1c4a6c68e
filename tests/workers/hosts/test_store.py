"""Files by their content, on a host."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.workers.hosts.store import KEPT_SECONDS, Store

CONTENT = b"what was brought"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def brought(store: Store, content: bytes = CONTENT, digest: str = DIGEST) -> None:
    arriving = store.arriving(digest)
    arriving.add(content[:4])
    arriving.add(content[4:])
    arriving.finish()


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    arriving = store.arriving(DIGEST)
    arriving.add(CONTENT)
    assert not store.has(DIGEST)
    arriving.finish()
    assert store.has(DIGEST)
    assert store.path(DIGEST).read_bytes() == CONTENT


def test_another_file_than_was_said_is_refused_and_gone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(DataError, match="was changed while it was copied"):
        brought(store, b"something else")
    assert not store.has(DIGEST)
    assert not [*tmp_path.glob("??/*")]


@pytest.mark.parametrize("digest", ["../../../etc/passwd", "", "A" * 64, DIGEST + "0"])
def test_what_is_no_digest_is_no_path(tmp_path: Path, digest: str) -> None:
    with pytest.raises(DataError, match="is no SHA-256"):
        Store(tmp_path).path(digest)


def test_what_nobody_asked_for_goes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    brought(store)
    other = hashlib.sha256(b"1").hexdigest()
    brought(store, b"1", other)
    long_ago = time.time() - KEPT_SECONDS - 10
    os.utime(store.path(DIGEST), (long_ago, long_ago))
    os.utime(store.path(other), (long_ago, long_ago))
    assert store.has(other)  # asked for: it stays
    store.sweep()
    assert [store.has(DIGEST), store.has(other)] == [False, True]


def test_what_a_file_server_dates_otherwise_than_this_machine_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    brought(store)
    arriving = store.arriving(hashlib.sha256(b"1").hexdigest())
    ahead = time.time() + 3 * 365 * 86400
    monkeypatch.setattr(time, "time", lambda: ahead)
    store.sweep()
    assert store.has(DIGEST)
    arriving.add(b"1")
    arriving.finish()
    assert store.make_room(), "one of the two, which are whole"


def test_the_oldest_makes_room(tmp_path: Path) -> None:
    store = Store(tmp_path)
    brought(store)
    other = hashlib.sha256(b"1").hexdigest()
    brought(store, b"1", other)
    os.utime(store.path(DIGEST), (1, 1))
    assert store.make_room()
    assert [store.has(DIGEST), store.has(other)] == [False, True]
    assert store.make_room()
    assert not store.make_room()


def test_what_arrives_now_makes_no_room(tmp_path: Path) -> None:
    store = Store(tmp_path)
    arriving = store.arriving(DIGEST)
    assert not store.make_room()
    (part,) = tmp_path.glob("??/*")
    os.utime(part, (1, 1))  # whoever sent it is long gone
    assert store.make_room()
    arriving.discard()


def test_a_file_for_which_others_made_room_is_the_one_that_came(tmp_path: Path) -> None:
    """Where the disk was full in the middle of a part, what had gone to it must not go there twice."""
    program = f"""
import hashlib, os
from pathlib import Path
from resnet_edge.workers.hosts.store import Store
store = Store(Path({str(tmp_path)!r}))
for content in (bytes(1_500_000), os.urandom(1 << 20)):
    arriving = store.arriving(hashlib.sha256(content).hexdigest())
    arriving.add(content)
    arriving.finish()
(kept,) = Path({str(tmp_path)!r}).glob("??/*")
print(kept.read_bytes() == content)
"""
    mounted = f"mount -t tmpfs -o size=2m tmpfs {shlex.quote(str(tmp_path))}"
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*apart, mounted], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system for a process alone (unshare)")
    words = [sys.executable, "-c", program]
    done = subprocess.run(
        [*apart, f"{mounted} && {shlex.join(words)}"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n", done.stderr
