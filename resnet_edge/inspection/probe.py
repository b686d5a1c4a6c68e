"""Runs in a worker. Open one backend for real, with a network so small that its answer is known."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType

import numpy as np

from resnet_edge import backends
from resnet_edge.core import registry
from resnet_edge.core.errors import DeviceUnavailable, ResnetEdgeError
from resnet_edge.core.results.examination import BackendState, DeviceState
from resnet_edge.inspection.doctor import ProbeBackend
from resnet_edge.workers.progress import OnProgress

FOLDER = Path(backends.__file__).parent / "probe"
TOLERANCE = 1e-5  # the logits are below 8: four units in the last place of float32


def probe(request: ProbeBackend, on_progress: OnProgress) -> BackendState:
    """Open the backend on each of its devices. Raises UnknownName or MissingDependency."""
    module = registry.load("backends", request.backend)
    states = tuple(_on(module, device) for device in sorted(module.DEVICES))
    return BackendState(request.backend, module.version(), states)


def _on(module: ModuleType, device: str) -> DeviceState:
    stem, image = "probe", np.ones((1, 8, 8, 1), np.float32)
    if getattr(module, "RGB_ONLY", False):
        stem, image = "probe_rgb", np.ones((1, 8, 8, 3), np.uint8)
    formats = [name for name in sorted(module.FORMATS) if (FOLDER / f"{stem}.{name}").is_file()]
    if not formats:
        return DeviceState(
            device=device,
            status="broken",
            detail=f"no probe in {' or '.join(sorted(module.FORMATS))}: see {FOLDER}",
        )
    expected = np.loadtxt(FOLDER / "probe.txt", dtype=np.float32)
    try:
        with module.open_session(FOLDER / f"{stem}.{formats[0]}", device, 1) as session:
            began = time.perf_counter_ns()
            logits = session.run(image)[0]
            first_ms = (time.perf_counter_ns() - began) / 1e6
    except DeviceUnavailable as error:
        return DeviceState(device=device, status="not here", detail=str(error))
    except ResnetEdgeError as error:
        return DeviceState(device=device, status="broken", detail=str(error))
    if not np.allclose(logits, expected, rtol=0, atol=TOLERANCE):
        return DeviceState(
            device=device,
            status="broken",
            detail=f"it gives {logits.tolist()} where {expected.tolist()} is right",
        )
    return DeviceState(
        device=session.device, status="opens", detail="", logits=tuple(map(float, logits)), first_ms=first_ms
    )
