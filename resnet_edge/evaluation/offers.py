"""Runs in a worker, on the machine that it tells of. What a backend opens here, tried on a tiny network where
the device is one that not every machine has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnet_edge import backends as room_of_backends
from resnet_edge.core import registry
from resnet_edge.core.errors import UsageError
from resnet_edge.core.machine import boot_id, machine
from resnet_edge.evaluation.offer_task import OfferBackend, OfferedBackend
from resnet_edge.workers.progress import OnProgress
from resnet_edge.workers.side_by_side import how_many


def offer(request: OfferBackend, on_progress: OnProgress) -> OfferedBackend:
    """Raises MissingDependency, UsageError for an unknown device, DeviceUnavailable."""
    module = backend_with(request.backend, request.device)
    for format_name in sorted(module.FORMATS):
        open_probe(module, format_name, request.device)
    return OfferedBackend(
        formats=tuple(sorted(module.FORMATS)),
        in_one=hasattr(module, "start"),
        version=module.version(),
        workers=how_many(),
        machine=machine(),
        boot=boot_id(),
    )


def backend_with(name: str, device: str) -> Any:
    """The module of a backend that knows the device. Raises MissingDependency, UsageError."""
    module = registry.load("backends", name)
    if device not in module.DEVICES:
        known = ", ".join(sorted(module.DEVICES))
        raise UsageError(f"backend {name} has no device {device!r}; choose from: {known}")
    return module


def open_probe(module: Any, format_name: str, device: str) -> None:
    """Open a tiny network on a device that not every machine has. Raises DeviceUnavailable."""
    probe = Path(room_of_backends.__file__).parent / "probe" / f"probe.{format_name}"
    if device != "cpu" and probe.is_file():
        with module.open_session(probe, device, 1):
            pass
