"""Who is told to have failed, and who just not to have opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.benchmarking.contenders import Contenders
from resnet_edge.benchmarking.latency_task import LatencyTarget
from resnet_edge.benchmarking.wall_time import WallTime
from resnet_edge.core.errors import ArtifactError
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import silent


@pytest.mark.parametrize(
    ("named", "brought", "fails"), [(False, False, True), (False, True, False), (True, True, True)]
)
def test_a_model_that_a_folder_brought_along_is_no_failure(
    named: bool, brought: bool, fails: bool, tmp_path: Path
) -> None:
    """As one that does not say its input size, which `convert` took from the images."""
    target = LatencyTarget(
        path="net.keras", file="net.keras", format="keras", scheme="", backend="keras", device="cpu"
    )
    with WorkerPool(tmp_path) as workers:
        contenders = Contenders(workers, 1, 1, (0,), WallTime(9.0, silent), silent)
        error = ArtifactError("any size")
        contenders._sort_out([(target, error)], named, {target.path} if brought else set())
    assert (len(contenders.failures), len(contenders.unopened)) == (fails, not fails)
