"""What is said of a cluster that cannot be joined, and of its machines."""

from __future__ import annotations

import re
import socket

import pytest

from resnet_edge.core.errors import ClusterUnavailable
from resnet_edge.workers.cluster.address import ClusterAddress

pytest.importorskip("ray", reason="the extra [cluster] is not installed")

from ray._private.utils import check_version_info  # after the skip, as Ray is an extra

from resnet_edge.workers.cluster import join  # it imports Ray


def test_other_releases_are_said_in_a_line() -> None:
    """Of the text that Ray itself makes."""
    with pytest.raises(RuntimeError) as mismatch:
        check_version_info({"ray_version": "2.9.0", "python_version": "3.9.1"}, "here")
    text = join.reason(mismatch.value)
    assert text.startswith("it has another release of Ray or Python (Ray 2.9.0, Python 3.9.1 there, Ray ")
    assert text.endswith(" here): install the same on both")


def test_no_cluster_here_is_said() -> None:
    error = ConnectionError("Could not find any running Ray instance. Please specify the one to connect to")
    assert "`ray start --head`" in join.reason(error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ray client connection timeout", r"goes as ray:HOST:PORT$"),
        ("Failed to connect to Ray cluster at 192.0.2.2:10001", r"ray://HOST:PORT where it is the port of"),
        (
            "Traceback:\npsutil.ZombieProcess: PID still exists but it's a zombie (pid=16576)",
            r"^the process that Ray starts there for each client ended at once, 3 times: ray_client_server_",
        ),
        (
            "RAY_AUTH_TOKEN_PATH is set but file cannot be opened or is empty: /t. Ensure that\nthe token",
            r"^it has no token to show .*empty: /t\): put that of the cluster into ~/.ray/auth_token",
        ),
    ],
)
def test_what_is_the_matter_is_said_with_what_to_do(text: str, says: str) -> None:
    assert re.search(says, join.reason(ConnectionError(text)))


def test_of_a_traceback_of_the_other_end_the_last_line_is_said() -> None:
    text = "Failure from server:\nTraceback (most recent call last):\n  File x\nRuntimeError: no\n"
    said = "it cannot be joined (RuntimeError: no): see that `ray status` answers there"
    assert join.reason(ConnectionAbortedError(text)) == said


def test_a_port_without_an_answer_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        word = f"ray:127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ClusterUnavailable, match=rf"^{word}: nothing answers there .Connection refused"):
            join.connect(ClusterAddress.parse(word))


def test_machines_that_share_an_address_are_told_apart() -> None:
    machines = [
        {"NodeID": id, "NodeManagerAddress": address}
        for id, address in (("aaaaaaaa", "10.0.0.1"), ("bbbbbbbb", "10.0.0.2"), ("cccccccc", "10.0.0.1"))
    ]
    assert join.names_of(machines) == {
        "aaaaaaaa": "10.0.0.1 (aaaaaa)",
        "bbbbbbbb": "10.0.0.2",
        "cccccccc": "10.0.0.1 (cccccc)",
    }


def test_a_machine_that_comes_later_takes_no_name_of_another() -> None:
    names = {"aaaaaaaa": "10.0.0.1", "bbbbbbbb": "10.0.0.2 (bbbbbb)"}
    for address, name in (
        ("10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "10.0.0.1 (cccccc)"),
        ("10.0.0.2", "10.0.0.2 (cccccc)"),
    ):
        later = {"NodeID": "cccccccc", "NodeManagerAddress": address}
        assert join.name_beside(names, later) == name
