"""Runs in a worker. Learned activation ranges placed on the tensors of the portable graph."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resnet_edge.calibrate.learned_task import Placed, PlaceLearnedRanges
from resnet_edge.graph.quantization.learned import learned_ranges, read_learned
from resnet_edge.workers.progress import OnProgress, Progress


def place(request: PlaceLearnedRanges, on_progress: OnProgress) -> Placed:
    """Write the ranges by tensor. Raises ArtifactError where a layer has no tensor."""
    learned = read_learned(Path(request.learned))
    ranges = learned_ranges(Path(request.portable), learned)
    Path(request.out).write_bytes(msgspec.json.encode(ranges))
    on_progress(Progress(step="learned ranges", done=1, total=1, note=f"of {len(learned.ranges)} layers"))
    return Placed(request.out, len(learned.ranges), len(ranges))
