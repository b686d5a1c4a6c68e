"""What goes between the parent and its driver, a line of JSON each, and from the driver to a machine of the
cluster and back."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class NodeCall(msgspec.Struct, frozen=True, kw_only=True):
    """A task, for any machine of the cluster. Its paths lie below `token`, which no other text holds: each
    machine puts its own folder there. `reads` are digests by path, `writes` files that come back, and
    `folders` those of them that are folders. `run` is the run that it is of, and `identity` who asks.
    `alone`: in a process that does nothing else, before or after."""

    run: str
    token: str
    identity: Identity
    name: str
    function: str
    request: Any
    reads: dict[str, str]
    writes: list[str]
    folders: list[str]
    env: dict[str, str]
    free: bool
    network: bool
    alone: bool = False


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What must be the same at both ends: the version of this package and the digest of its code
    (`hosts.identity`), and `versions` by distribution."""

    resnet_edge: str
    digest: str
    versions: dict[str, str]


class DriverRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """From the parent: `join` the cluster at `address`; `call` on it, with `cpus` of one machine and the
    `files` here by digest, and what comes back to the paths here `to`; `cancel` a call; `leave`. `id` is that
    of a call."""

    order: Literal["join", "call", "cancel", "leave"]
    id: int = 0
    address: str = ""
    run: str = ""
    identity: Identity | None = None
    call: NodeCall | None = None
    files: dict[str, str] = {}
    to: dict[str, str] = {}
    cpus: int = 1


class NodeReply(msgspec.Struct, kw_only=True, omit_defaults=True):
    """From a machine, for one call: `reply`, or the kind of an `error` with its `text` and, of a worker that
    failed, the end of its `log`. `node` is its address, `placed_bytes` what it had to fetch for the call,
    and `seconds` how long it was at work, of which `placing` for that. `machine` and `versions` are those of
    `ClusterNode`."""

    error: str | None = None
    text: str = ""
    log: str = ""
    reply: Any = None
    node: str = ""
    peak_bytes: int = 0
    cpu_seconds: float = 0.0
    placed_bytes: int = 0
    seconds: float = 0.0
    placing: float = 0.0
    machine: dict[str, Any] = {}
    versions: dict[str, str] = {}


class ClusterNode(msgspec.Struct, frozen=True, kw_only=True):
    """A machine of the cluster: its address, the CPUs that Ray gives there, what it is
    (core.machine.machine), the versions there by distribution, and its boot_id (core.machine), empty where
    nobody knows."""

    node: str
    cpus: int
    machine: dict[str, Any]
    versions: dict[str, str]
    boot: str = ""


class DriverReply(msgspec.Struct, kw_only=True, omit_defaults=True):
    """To the parent, for the call `id`, or 0 for `join`: the `nodes`, or how a call ended (`ended`), with
    `nodes` that it ran on and nobody knew of; `error` and `text` where the cluster failed it."""

    id: int = 0
    nodes: list[ClusterNode] | None = None
    ended: NodeReply | None = None
    error: str | None = None
    text: str = ""
    seconds: float = 0.0
