"""How a worker finds probes.py, and what it says."""

from __future__ import annotations

import os
from pathlib import Path

from resnet_edge.workers.process import WorkerProcess

PROBES = Path(__file__).parent
ENV = {"PYTHONPATH": f"{PROBES}{os.pathsep}{PROBES.parent.parent}"}
Reply = dict[str, object]


def log_of(worker: WorkerProcess) -> str:
    return worker.log.read_text("utf-8")
