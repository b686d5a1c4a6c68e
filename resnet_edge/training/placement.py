"""Runs in a worker. Where a fit computes: one device, or the same batch divided among several.

The images of a batch are divided, and all else is the same on every device. On JAX (keras.distribution) one
program computes the whole batch, so that the statistics of batch normalization are those of all its images,
as on one device. Which images a batch has, and how they are augmented, does not depend on the devices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.errors import DeviceUnavailable, PeerLost, UsageError, first_line
from resnet_edge.training.devices import SPLIT_CPU, Devices, process_name
from resnet_edge.workers.progress import OnProgress, Progress

CONNECTING = 24 * 3600
"""Seconds in which all processes come this far: loading images may take one of them longer. That none of
them is gone meanwhile is what their parents watch (`training.peers`)."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """`devices` of all `processes` together; this process, number `index`, feeds its share of a batch.

    `strategy` divides batches: a keras.distribution.Distribution, or a tf.distribute.Strategy for tf_keras;
    None: there is one device. `kind` is what it is, for people."""

    devices: int = 1
    processes: int = 1
    index: int = 0
    strategy: Any = None
    kind: str = ""

    @property
    def writes(self) -> bool:
        """Whether this process writes files: one does."""
        return self.index == 0

    def scope(self) -> AbstractContextManager[Any]:
        """Within, the variables of a model are made for these devices."""
        scope: AbstractContextManager[Any] = nullcontext() if self.strategy is None else self.strategy.scope()
        return scope

    def check_batch(self, size: int, images: int) -> None:
        """Raises UsageError where a batch cannot be divided among the devices: images that are left out, or
        counted twice, would make another training of it."""
        if not size % self.devices:
            return
        fits = size // self.devices * self.devices
        few = f": there are {images:,} images to train on" if size == images else ""
        more = f"give {fits} or {fits + self.devices}" if fits and size < images else f"give {fits}"
        raise UsageError(
            f"--batch-size {size} does not divide among {self.devices} devices{few}: "
            f"{more if fits else 'give fewer --devices'}"
        )

    def share(self, size: int) -> slice:
        """The rows of a batch of that size that this process feeds."""
        each = size // self.processes
        return slice(self.index * each, (self.index + 1) * each)

    def as_in_first(self, values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """What process 0 has; the others give arrays of the same shapes and types."""
        if self.processes == 1:
            return list(values)
        from jax.experimental import multihost_utils

        return [np.asarray(each) for each in multihost_utils.broadcast_one_to_all(list(values))]

    def leave(self) -> None:
        """From now on this process computes for itself: the others may end."""
        if self.processes > 1:
            import jax

            with severed(self.processes):
                jax.distributed.shutdown()


ONE = Placement()


def placed(devices: Devices, run: Mapping[str, Any], on_progress: OnProgress) -> Placement:
    """The devices that are asked for; before anything is computed.

    `run`: what is trained, and how, by what it is called, which must be the same in all processes. Raises
    DeviceUnavailable where there are fewer devices; UsageError where another process does something else.
    """
    if not devices.several:
        return ONE
    import jax

    if devices.processes > 1:
        on_progress(Progress(step="processes", note=f"{devices.process} waits for the others to be ready"))
        # keras.distribution.initialize is this call without time limits.
        jax.distributed.initialize(
            devices.coordinator, devices.processes, devices.index, initialization_timeout=CONNECTING
        )
    local = jax.local_devices()
    count = len(local) if devices.count == "all" else devices.count
    _agree({**run, "the number of devices": count}, devices)
    if count > len(local):
        raise DeviceUnavailable(_too_few(devices, len(local), local[0].platform))
    of_each: dict[int, list[Any]] = {}
    for device in jax.devices():
        of_each.setdefault(device.process_index, []).append(device)
    used = [device for process in sorted(of_each) for device in of_each[process][:count]]
    placement = Placement(
        devices=len(used),
        processes=devices.processes,
        index=devices.index,
        strategy=keras.distribution.DataParallel(devices=used, auto_shard_dataset=False),
        kind=f"keras.distribution on JAX, {used[0].platform}",
    )
    on_progress(Progress(step="devices", note=described(placement), line=True))
    return placement


def described(placement: Placement) -> str:
    """For people."""
    each = f" of {placement.processes} processes" if placement.processes > 1 else ""
    return f"{placement.devices} device{'s' * (placement.devices > 1)}{each} ({placement.kind})"


def _too_few(devices: Devices, count: int, platform: str) -> str:
    here = f"{count} {platform} device{'s' * (count > 1)}"
    if platform != "cpu":
        return f"--devices {devices.count}: there are {here} here: give fewer, or all"
    return (
        f"--devices {devices.count}: JAX has {here} here, and one CPU computes with all its cores already: "
        f"leave it out. For GPUs: pip install 'jax[cuda13]'. For a trial {SPLIT_CPU}={devices.count} makes so "
        "many devices of the CPU"
    )


def _agree(run: Mapping[str, Any], devices: Devices) -> None:
    """Raises UsageError, in every process, where one of them has something else of `run` than process 0."""
    if devices.processes == 1:
        return
    from jax.experimental import multihost_utils

    digests = np.stack([_digest(value) for value in run.values()])
    with severed(devices.processes):
        every = np.asarray(multihost_utils.process_allgather(digests))
    for index, theirs in enumerate(every):
        other = [name for name, same in zip(run, (theirs == every[0]).all(axis=1), strict=True) if not same]
        if other:
            raise UsageError(
                f"{process_name(index, devices.processes)} does not do what process 0 does: "
                f"{' and '.join(other)} {'differs' if len(other) == 1 else 'differ'}; give all processes the "
                "same command, but for --process-index"
            )


def _digest(value: Any) -> NDArray[np.uint8]:
    return np.frombuffer(hashlib.sha256(msgspec.json.encode(value)).digest(), np.uint8)


_SEVERED = ("gloo", "nccl", "coordination", "connection", "deadline_exceeded", "unavailable", "socket closed")
"""What the libraries call it, in small letters: they have no class of their own for it."""


@contextmanager
def severed(processes: int) -> Iterator[None]:
    """Within, that another process does not answer any more is PeerLost."""
    try:
        yield
    except Exception as error:  # jaxlib raises ValueError, RuntimeError and JaxRuntimeError for it
        if processes > 1 and any(word in str(error).lower() for word in _SEVERED):
            raise PeerLost(f"another process does not answer any more ({first_line(error)})") from error
        raise
