"""Runs beside the parent, where Ray may be imported. Joining a cluster, and what is said of it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import ray

from resnet_edge.core.errors import ClusterUnavailable, first_line
from resnet_edge.workers.cluster.address import ClusterAddress

KNOCK = 10.0
"""Seconds for a port to answer."""
STARTS = 3
"""How often a client is tried for which Ray's head could not start a process of its own."""
_NOT_STARTED = (
    "Starting Ray client server failed",
    "Proxy failed to Connect to backend",
    "psutil.ZombieProcess",
    "psutil.NoSuchProcess",
)
"""What Ray says where that process ends as it starts, which it does now and then on a busy head: it is forked
off beside threads (https://github.com/ray-project/ray/pull/63408). Goes, with STARTS, when Ray has that."""


def connect(address: ClusterAddress) -> None:
    """Raises ClusterUnavailable where there is none, or it has another release of Ray or Python, or another
    token."""
    if address.host:
        try:
            socket.create_connection((address.host, address.port), timeout=KNOCK).close()
        except OSError as error:
            raise ClusterUnavailable(
                f"{address.word}: nothing answers there ({error.strerror or error}): start one with "
                "`ray start --head`, and say the address that it prints"
            ) from error
    client = logging.getLogger("ray.util.client.worker")
    client.setLevel(logging.DEBUG)  # where alone it says that a token is wrong
    try:
        _init(address)
    except Exception as error:  # of any kind of Ray's, each with its own text
        raise ClusterUnavailable(f"{address.word}: {reason(error)}") from error
    finally:
        client.setLevel(logging.NOTSET)


def _init(address: ClusterAddress) -> None:
    for left in reversed(range(STARTS)):
        try:
            ray.init(address=address.address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # ConnectionError, RuntimeError and more: what is not known goes on
            if not left or not any(words in str(error) for words in _NOT_STARTED):
                raise
        else:
            return


def reason(error: Exception) -> str:
    """What Ray says, in a line, and what to do."""
    text = str(error)
    if "ersion mismatch" in text or "was started with" in text:
        return f"it has another release of Ray or Python ({versions_of(text)}): install the same on both"
    if "Could not find any running Ray instance" in text:
        return (
            "no cluster runs on this machine: start one with `ray start --head`, or name one with "
            "--cluster ray:HOST:PORT"
        )
    if "RAY_AUTH_TOKEN" in text:
        return (
            f"it has no token to show ({text.partition('. ')[0][:300]}): put that of the cluster into "
            "~/.ray/auth_token, or name its file with RAY_AUTH_TOKEN_PATH"
        )
    if "ray client connection timeout" in text:
        return (
            "no Ray Client answers there: ray:// takes its port, 10001 where nobody chose another, and the "
            "address that `ray start --head` prints goes as ray:HOST:PORT"
        )
    if any(words in text for words in _NOT_STARTED):
        return (
            f"the process that Ray starts there for each client ended at once, {STARTS} times: "
            "ray_client_server_*.err among the logs of its head says why; ray:HOST:PORT does without it"
        )
    if "Failed to connect to Ray cluster" in text:
        return (
            "no head of a cluster answers there: say the address that `ray start --head` prints, or "
            "ray://HOST:PORT where it is the port of Ray Client"
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # Ray Client hands a traceback of the other end on, whose last line says what it was.
    why = lines[-1][:300] if "Traceback" in text else first_line(error)
    return f"it cannot be joined ({why}): see that `ray status` answers there"


def versions_of(text: str) -> str:
    """Of Ray's text on two releases, both in a line."""
    pairs = [line.split(":", 1) for line in text.splitlines() if line.strip().startswith(("Ray:", "Python:"))]
    words = [f"{name.strip()} {value.strip()}" for name, value in pairs]
    return f"{', '.join(words[:2])} there, {', '.join(words[2:4])} here" if len(words) >= 4 else text[:200]


def names_of(machines: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What people call them, by their ids: by address, and by the id, too, where several share one."""
    addresses = [one["NodeManagerAddress"] for one in machines]
    return {
        one["NodeID"]: address if addresses.count(address) == 1 else f"{address} ({one['NodeID'][:6]})"
        for one, address in zip(machines, addresses, strict=True)
    }


def name_beside(names: Mapping[str, str], machine: dict[str, Any]) -> str:
    """What people call a machine that came later, beside the `names` of others, which stay."""
    address = str(machine["NodeManagerAddress"])
    others = {name.partition(" ")[0] for name in names.values()}
    return f"{address} ({machine['NodeID'][:6]})" if address in others else address
