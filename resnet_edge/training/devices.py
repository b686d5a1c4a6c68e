"""Runs in the parent. Which devices a training computes on: of this machine, or of several that compute one
training together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from resnet_edge.core.errors import UsageError
from resnet_edge.core.files.scratch import scratch_folder
from resnet_edge.workers.environment import engine
from resnet_edge.workers.grant import NOTHING, Grant

Count: TypeAlias = int | Literal["all"]
SPLIT_CPU = "JAX_NUM_CPU_DEVICES"
"""JAX's variable for how many devices a CPU is; those of TensorFlow are made of it as well
(compression.tfmot.mirrored)."""


@dataclass(frozen=True, kw_only=True)
class Devices:
    """`count` devices of each of `processes`, of which this one is number `index` (from 0). Process 0 is at
    `coordinator` (HOST:PORT), and writes the files.

    They are no part of a recipe: what is trained is the same on any of them."""

    count: Count = 1
    coordinator: str | None = None
    processes: int = 1
    index: int = 0

    @property
    def several(self) -> bool:
        """Whether there may be more than one."""
        return self.count != 1 or self.processes > 1

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of process 0."""
        host, _, port = (self.coordinator or "").rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def process(self) -> str:
        """What this one is called."""
        return process_name(self.index, self.processes)


ONE = Devices()


def process_name(index: int, processes: int) -> str:
    """For people; its number is that of --process-index."""
    return f"process {index} of {processes}"


def devices_of(count: Count, coordinator: str | None, processes: int, index: int) -> Devices:
    """From the options of a command. Raises UsageError where they do not fit together, and what `cpu_devices`
    raises."""
    if count != 1 or processes > 1:
        cpu_devices()
    if processes == 1:
        for option, given in (("--coordinator", coordinator), ("--process-index", index)):
            if given:
                raise UsageError(f"{option} is for a training of several processes: give --processes, too")
        return Devices(count=count)
    if coordinator is None:
        raise UsageError("--processes needs --coordinator HOST:PORT: where process 0 can be reached")
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise UsageError(f"--coordinator {coordinator}: give HOST:PORT, as in 10.0.0.1:8476")
    if index >= processes:
        raise UsageError(
            f"--process-index {index}: of {processes} processes the last is number {processes - 1}"
        )
    return Devices(count=count, coordinator=coordinator, processes=processes, index=index)


def cpu_devices() -> int:
    """How many the CPU is split into, as SPLIT_CPU says. Raises UsageError where that says no number: JAX
    would break when it is imported."""
    wanted = os.environ.get(SPLIT_CPU, "1")
    if not wanted.isascii() or not wanted.isdigit() or not int(wanted):
        raise UsageError(f"{SPLIT_CPU} is {wanted!r}: give a number of devices, 1 or more, or unset it")
    return int(wanted)


def check_one_machine(devices: Devices, what: str, why: str) -> None:
    """For what computes on the devices of one machine only. Raises UsageError."""
    if devices.processes > 1:
        raise UsageError(f"--processes {devices.processes}: {what} computes on one machine, as {why}")


def devices_environment(devices: Devices) -> dict[str, str]:
    """The environment of a worker that trains with Keras 3: several devices are for JAX alone, as Keras'
    distribution is of nothing else (keras/src/backend/tensorflow/distribution_lib.py)."""
    return {"KERAS_BACKEND": "jax"} if devices.several else engine()


def devices_grant(devices: Devices) -> Grant:
    """The processes of one training speak with each other through sockets, at ports that the system chooses;
    the devices of one machine need none."""
    return Grant(network=True) if devices.processes > 1 else NOTHING


@contextmanager
def output_of(devices: Devices, out: Path) -> Iterator[Path]:
    """Where this process writes: process 0 to `out`. The others compute the same, and what they write goes
    away: their machines need no place for it. Raises OutputError."""
    if devices.index == 0:
        yield out
    else:
        with scratch_folder() as folder:
            yield folder / out.name


def written_note(devices: Devices) -> tuple[str, ...]:
    """What to say where the file is not here."""
    if devices.index == 0:
        return ()
    return (f"{devices.process}: the file is where process 0 runs, and nothing of it is here",)
