"""Tests of training.devices: which options fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import UsageError
from resnet_edge.training.devices import (
    ONE,
    Count,
    Devices,
    check_one_machine,
    devices_environment,
    devices_grant,
    devices_of,
    output_of,
    written_note,
)

SECOND = Devices(coordinator="10.0.0.1:8476", processes=2, index=1)


@pytest.mark.parametrize(
    ("count", "coordinator", "processes", "index", "message"),
    [
        (1, "here:1", 1, 0, "--coordinator is for a training of several processes: give --processes"),
        (2, None, 1, 1, "--process-index is for a training of several processes"),
        (1, None, 2, 0, "--processes needs --coordinator HOST:PORT"),
        ("all", "here", 2, 0, "--coordinator here: give HOST:PORT, as in 10.0.0.1:8476"),
        (1, ":8476", 2, 0, "give HOST:PORT"),
        (1, "here:0", 2, 0, "give HOST:PORT"),
        (1, "here:65536", 2, 0, "give HOST:PORT"),
        (1, "here:²", 2, 0, "give HOST:PORT"),
        (1, "here:8476", 2, 2, "--process-index 2: of 2 processes the last is number 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    count: Count, coordinator: str | None, processes: int, index: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        devices_of(count, coordinator, processes, index)


@pytest.mark.parametrize("said", ["", "two", "0", "-1", "²"])
def test_a_cpu_is_split_by_a_number(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", said)
    with pytest.raises(UsageError, match=f"JAX_NUM_CPU_DEVICES is '{said}': give a number of devices"):
        devices_of(2, None, 1, 0)
    assert devices_of(1, None, 1, 0) == ONE


def test_nothing_said_is_one_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices_of(1, None, 1, 0) == ONE
    assert not ONE.several
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert (devices_environment(ONE), devices_grant(ONE).network) == ({}, False)


def test_several_are_for_jax_and_only_processes_get_sockets() -> None:
    for devices, network in ((Devices(count=2), False), (Devices(count="all"), False), (SECOND, True)):
        assert devices.several
        assert devices_environment(devices) == {"KERAS_BACKEND": "jax"}
        assert devices_grant(devices).network is network


@pytest.mark.parametrize("coordinator", ["10.0.0.1:8476", "[::1]:8476"])
def test_the_address_is_that_of_process_0(coordinator: str) -> None:
    devices = devices_of(1, coordinator, 2, 1)
    assert devices.address == (coordinator[:-5].strip("[]"), 8476)
    assert devices.process == "process 1 of 2"


def test_process_0_alone_writes_where_it_was_told_to(tmp_path: Path) -> None:
    with output_of(ONE, tmp_path / "net.keras") as out:
        assert (out, written_note(ONE)) == (tmp_path / "net.keras", ())
    with output_of(SECOND, tmp_path / "net.keras") as out:
        assert out.name == "net.keras"
        assert out.parent.is_dir()
        assert tmp_path not in out.parents
    assert not out.parent.exists()
    assert "nothing of it is here" in written_note(SECOND)[0]


def test_what_knows_one_machine_says_why() -> None:
    check_one_machine(Devices(count=4), "qat", "it is so")
    with pytest.raises(UsageError, match="--processes 2: qat computes on one machine, as it is so"):
        check_one_machine(SECOND, "qat", "it is so")
