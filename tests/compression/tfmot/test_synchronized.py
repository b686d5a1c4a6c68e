"""Tests of compression.tfmot.synchronized, in a process of its own whose CPU is split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.compression.tfmot_worker import tfmot_worker
from resnet_edge.workers.grant import NOTHING

ULP = 2.0**-24
"""Half a unit in the last place of float32: a sum of n of them in another order is another by n times that of
the sum of their magnitudes at most (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2)."""


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_it_computes_what_one_device_does(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With TensorFlow's fused kernel for images, and without it for vectors: outputs, gradients, and moving
    statistics, the variance with n / (n - 1) for images only. The statistics of a part would be others by a
    tenth, and the other variance by 1 / n."""
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", str(count))
    with tfmot_worker("devices", tmp_path / "log", NOTHING) as worker:
        for shape in ((12, 4, 4, 5), (12, 5)):
            both = worker.call(
                "tests.compression.tfmot.mirrored_probes:normalized", {"count": count, "shape": shape}, dict
            )
            images = int(np.prod(shape[:-1]))
            assert both["one"].keys() == both["several"].keys()
            for name, expected in both["one"].items():
                ours, theirs = np.asarray(both["several"][name]), np.asarray(expected)
                assert ours.shape == theirs.shape
                assert np.linalg.norm(ours - theirs) < images * ULP * np.linalg.norm(theirs), (shape, name)
