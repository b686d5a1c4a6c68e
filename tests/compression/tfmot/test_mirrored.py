"""Tests of compression.tfmot.mirrored and of ranges over several devices, in a process of its own: TensorFlow
splits a CPU only before it has computed anything. Whole runs: tests/cli/test_train_devices.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.compression.tfmot_worker import tfmot_worker
from resnet_edge.core.errors import DeviceUnavailable
from resnet_edge.training.devices import Count
from resnet_edge.workers.grant import NOTHING

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("variable", "count", "message"),
    [
        ("1", 2, "--devices 2: TensorFlow has 1 CPU device here: leave it out; for a trial"),
        ("2", 3, "--devices 3: TensorFlow has 2 CPU devices here"),
    ],
)
def test_devices_that_are_not_there(
    variable: str, count: Count, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", variable)
    with (
        tfmot_worker("devices", tmp_path / "log", NOTHING) as worker,
        pytest.raises(DeviceUnavailable, match=message),
    ):
        worker.call("tests.compression.tfmot.mirrored_probes:devices", {"count": count}, int)


@pytest.mark.parametrize("count", [2, 3])
def test_ranges_are_those_of_the_whole_batch(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tfmot takes them on one device, to the bit; the mean of the parts' extremes would be others."""
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", str(count))
    with tfmot_worker("devices", tmp_path / "log", NOTHING) as worker:
        both = worker.call("tests.compression.tfmot.mirrored_probes:ranges", {"count": count}, dict)
    assert both["devices"] == count
    np.testing.assert_array_equal(both["several"], both["one"])
    assert both["one"] != both["begun"]


def test_what_several_devices_draw_or_cannot_train_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "2")
    with tfmot_worker("devices", tmp_path / "log", NOTHING) as worker:
        one, several, refused = worker.call(
            "tests.compression.tfmot.mirrored_probes:noise", {"count": 2}, list
        )
    assert one == []
    assert several == [
        "drop draws other noise on 2 devices than on one: the same recipe, but not the same weights"
    ]
    assert refused == "the layer bn has renorm=True, which trains on one device: no --devices"
