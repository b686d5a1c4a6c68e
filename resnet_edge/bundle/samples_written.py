"""Runs in a worker. Self-tests and examples for a bundle, by every sample that there is."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.task import WriteSamples
from resnet_edge.core import registry
from resnet_edge.core.files.written_file import WrittenFile
from resnet_edge.workers.progress import OnProgress


def write(request: WriteSamples, on_progress: OnProgress) -> WrittenFile:
    """Write what all samples render into the bundle."""
    for name in registry.names("bundle.samples"):
        for path, text in registry.load("bundle.samples", name).render(request.facts).items():
            out = Path(request.folder) / path
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(text.encode())  # with line feeds, whatever the system ends lines with
    return WrittenFile(request.folder)
