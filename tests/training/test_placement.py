"""Tests of training.placement without devices. Whole runs on several: tests/cli/test_train_devices.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from resnet_edge.core.errors import PeerLost, UsageError
from resnet_edge.training.devices import Devices
from resnet_edge.training.placement import ONE, Placement, connected, described, severed
from resnet_edge.workers.progress import silent


@pytest.mark.parametrize(
    ("devices", "size", "images", "message"),
    [
        (3, 128, 1000, "--batch-size 128 does not divide among 3 devices: give 126 or 129$"),
        (4, 50, 50, "does not divide among 4 devices: there are 50 images to train on: give 48$"),
        (8, 5, 1000, "--batch-size 5 does not divide among 8 devices: give 8$"),
        (8, 5, 5, "there are 5 images to train on: give fewer --devices$"),
    ],
)
def test_a_batch_that_does_not_divide_is_refused(devices: int, size: int, images: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Placement(devices=devices).check_batch(size, images)


def test_a_batch_that_divides_is_shared() -> None:
    for index in range(3):
        placement = Placement(devices=6, processes=3, index=index)
        placement.check_batch(12, 100)
        assert placement.share(12) == slice(4 * index, 4 * index + 4)
        assert placement.writes == (index == 0)


def test_one_device_is_the_frameworks_own_choice() -> None:
    assert connected(Devices(), silent) is ONE
    ONE.check_batch(7, 8)
    ONE.agree(lambda: pytest.fail("there is nobody to agree with"))
    ONE.leave()
    (value,) = ONE.as_in_first([np.arange(3)])
    assert value.tolist() == [0, 1, 2]
    with ONE.scope(0):
        pass


def test_a_lost_connection_has_a_name_of_its_own() -> None:
    gloo = "UNKNOWN: Gloo AllGather failed: [pair.cc:547] Connection closed by peer [127.0.0.1]:21170"
    with pytest.raises(PeerLost, match=r"does not answer any more \(UNKNOWN: Gloo.*start all of them again"):
        raise_in(2, ValueError(gloo))
    with pytest.raises(ValueError, match="Gloo"):  # there is no other process
        raise_in(1, ValueError(gloo))
    with pytest.raises(ZeroDivisionError):
        raise_in(2, ZeroDivisionError("x"))


def raise_in(processes: int, error: Exception) -> None:
    with severed(processes):
        raise error


def test_it_says_what_it_is() -> None:
    assert described(Placement(devices=2, kind="JAX, cpu")) == "2 devices (JAX, cpu)"
    assert described(Placement(devices=4, processes=2, kind="JAX, gpu")) == (
        "4 devices of 2 processes (JAX, gpu)"
    )


@pytest.mark.slow
def test_in_float64_several_devices_train_what_one_trains() -> None:
    """Whatever is not rounding would stay: a row that is filled in and counted, a weight of a batch, noise
    or statistics of a part of it. In float32 a ReLU whose input is zero but for the last bit passes a
    gradient or does not, and then the weights of one number of devices leave those of another by far more
    than roundings.

    The bound: each of 9 steps adds up 24 images of 12 x 12 pixels at most, n values that are at most n u off
    (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2), with u = 2^-53. The history has
    five decimals."""
    pytest.importorskip("jax", reason="several devices are JAX's: pip install 'resnet-edge[jax]'")
    environment = {"KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1", "JAX_NUM_CPU_DEVICES": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.double_precision"],
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
    )
    cases = json.loads(done.stdout)
    assert len(cases) == 3
    for name, apart in cases.items():
        for count, (weights, history) in apart.items():
            assert weights <= 9 * 24 * 12 * 12 * 2.0**-53, (name, count)
            assert history <= 1.1e-5, (name, count)
