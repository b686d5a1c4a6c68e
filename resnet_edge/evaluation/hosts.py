"""Runs in the parent. The backends that were asked for on other machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from resnet_edge.core import registry
from resnet_edge.core.backend_name import placed, runtime_of, split_host
from resnet_edge.core.errors import DeviceUnavailable
from resnet_edge.core.machine import boot_id
from resnet_edge.evaluation.job import Offer, Target
from resnet_edge.evaluation.offer_task import OfferBackend
from resnet_edge.workers.grants import backends_grant
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import OnProgress, Progress

_NO_PACKAGES: dict[str, str] = {}
MOST_WORKERS = 8
"""Each has a connection of its own, and sshd drops some where ten begin at once (its MaxStartups)."""


def offers(
    workers: WorkerPool, backends: Iterable[str], on_progress: OnProgress, *, here: bool = False
) -> tuple[Offer, ...]:
    """What those of `backends` (`litert:gpu@pi4`) that are on a host open there; those of this machine are
    left out, but with `here`. Raises HostUnavailable, MissingDependency, UsageError, DeviceUnavailable."""
    by_host: dict[str, list[str]] = {}
    for word in backends:
        if (host := split_host(word)[1]) or here:
            by_host.setdefault(host, []).append(word)
    return tuple(
        one for host, words in by_host.items() for one in _offers_of(workers, host, words, on_progress)
    )


def workers_of(offers: Iterable[Offer]) -> dict[str, int]:
    """How many workers each host has."""
    return {offer.target.host: offer.workers for offer in offers}


def hosts_of(offers: Iterable[Offer]) -> dict[str, Any]:
    """For `machine` of a report: `hosts`, what each is, with the versions of the runtimes that were asked for
    there; nothing where all is here."""
    machines: dict[str, dict[str, Any]] = {}
    for offer in (each for each in offers if each.target.host):
        host = machines.setdefault(offer.target.host, {**offer.machine, "runtimes": {}})
        host["runtimes"][offer.target.runtime] = offer.version
    return {"hosts": machines} if machines else {}


def same_machines(offers: Iterable[Offer]) -> tuple[str, ...]:
    """In a sentence each: the hosts that are one machine under another name, or this one."""
    return tuple(
        f"{host} is {first or 'this machine'} under another name: its rows are no second machine's"
        for host, first in aliases({offer.target.host: offer.boot for offer in offers}).items()
    )


def aliases(boots: Mapping[str, str]) -> dict[str, str]:
    """By each host that was named before under another name, that name; empty for this machine. `boots` has
    the boot_id of each."""
    firsts: dict[str, str] = {}
    same = {}
    for host, boot in boots.items():
        if host and boot and firsts.setdefault(boot, host) != host:
            same[host] = firsts[boot]
        elif host and boot == boot_id() != "":
            same[host] = ""
    return same


def _brought_by(runtime: str, device: str, host: str) -> str:
    """What brings a device's own distribution to a host, where it has one."""
    if not host or not registry.constant("backends", runtime, "DEVICE_PACKAGES", _NO_PACKAGES).get(device):
        return ""
    return (
        f"; where its package is what is missing, `resnet-edge host prepare {host} --backends "
        f"{runtime}:{device}` brings it"
    )


def _offers_of(workers: WorkerPool, host: str, words: list[str], on_progress: OnProgress) -> list[Offer]:
    step = f"host {host}" if host else "this machine"
    on_progress(Progress(step=step, done=0, total=len(words)))
    worker = workers.worker(f"offers of {step}", on_progress, backends_grant(words), host)
    offered_there = []
    try:
        for word in words:
            backend, device = placed(word)
            try:
                offered = worker.run(OfferBackend(backend=runtime_of(backend), device=device))
            except DeviceUnavailable as error:
                raise DeviceUnavailable(f"{error}{_brought_by(runtime_of(backend), device, host)}") from error
            target = Target(backend, device, offered.in_one)
            offered_there.append(
                Offer(
                    word=word,
                    target=target,
                    formats=offered.formats,
                    workers=max(1, min(offered.workers, MOST_WORKERS)),
                    version=offered.version,
                    machine=offered.machine,
                    boot=offered.boot,
                )
            )
    finally:
        worker.close()
    on_progress(Progress(step=step, done=len(words), total=len(words)))
    return offered_there
