"""OpenSSH's own client: keys, jump hosts, known hosts and names are the user's, as on the command line.

Host keys are checked as the user's configuration says; nothing here makes that any weaker."""

from __future__ import annotations

import base64
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

from resnet_edge.core.errors import HostUnavailable
from resnet_edge.hosts.address import Host

VARIABLE = "RESNET_EDGE_SSH"
"""The command that is started in place of `ssh`, as git's GIT_SSH_COMMAND: `ssh -F FILE -i KEY`."""
ENVIRONMENT = PurePosixPath(".local/share/resnet-edge/host")
"""The virtual environment that `host prepare` makes, in the home of the user there."""
FAILED = 255
"""What ssh ends with where it failed itself (ssh(1))."""
OPTIONS = (
    "-T",
    *("-o", "BatchMode=yes"),  # nobody is there to type a password
    *("-o", "ConnectTimeout=15"),
    # A machine that went away says nothing: after three answers that did not come, ssh ends.
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
    *("-o", "EscapeChar=none"),
)

_REASONS = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its key is not the one that you know: find out why; if the machine was set up anew, "
        "`ssh-keygen -R {machine}` forgets the old key",
    ),
    (
        r"Host key verification failed",
        "its key is not known here: run `{ssh} {destination}` once and compare it",
    ),
    (
        r"Permission denied|Too many authentication failures",
        "it lets you in with no key that ssh offers here: see that `{ssh} {destination}` works without a "
        "password (ssh-copy-id, or ssh-add)",
    ),
    (
        r"Could not resolve hostname|Name or service not known",
        "no machine has that name: give one of your ssh configuration, or user@address[:port]",
    ),
    (r"Connection refused", "no ssh server listens there: start it, or name its port (user@address:port)"),
    (r"timed out|No route to host|Network is unreachable", "it is not reached: see that it is on"),
    (
        r"not responding|closed by remote host|Connection closed|Connection reset|Broken pipe",
        "the connection ended: see that the machine is still on and answers, and run the same again",
    ),
)
"""What ssh says on its stderr, and what to do about it."""


def command(host: Host, remote: Sequence[str] | str) -> list[str]:
    """What starts `remote` on the host: words, or the text of a script for the POSIX shell there."""
    script = remote if isinstance(remote, str) else shlex.join(remote)
    encoded = base64.b64encode(script.encode()).decode()
    port = ("-p", host.port) if host.port else ()
    # Whatever the login shell is: sh alone reads the script. In csh a quoted text ends with its line and ! is
    # for history, so it must see nothing of it. base64 is of coreutils.
    return [
        *_client(),
        *OPTIONS,
        *port,
        *("--", host.destination, f"exec sh -c 'eval \"$(echo {encoded} | base64 -d)\"'"),
    ]


def _client() -> list[str]:
    return shlex.split(os.environ.get(VARIABLE) or "ssh")


def no_client() -> str:
    """What to say where there is no ssh on this machine."""
    return f"{_client()[0]} is not on this machine: install OpenSSH's client, or name one with {VARIABLE}"


def unreachable(host: Host, said: str) -> HostUnavailable:
    """Why ssh did not come through, by what it said."""
    said_once = [line.strip() for line in said.splitlines() if line.strip()]
    for pattern, advice in _REASONS:
        if re.search(pattern, said):
            changed = re.search(r"Host key for (\S+) has changed", said)  # as known_hosts has it
            words = {
                "machine": changed[1] if changed else host.destination.rpartition("@")[2],
                "destination": " ".join((*(("-p", host.port) if host.port else ()), host.destination)),
                "ssh": "ssh",
            }
            return HostUnavailable(f"{host.name}: {advice.format(**words)}")
    last = said_once[-1] if said_once else "it said nothing"
    return HostUnavailable(
        f"{host.name} is not reached ({last.rstrip('.')}): see that `ssh {host.name}` works"
    )
