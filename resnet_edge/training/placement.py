"""Runs in a worker. Where a fit computes: one device, or the same batch divided among several.

The images of a batch are divided, and all else is the same on every device. On JAX (keras.distribution) one
program computes the whole batch, so that the statistics of batch normalization are those of all its images,
as on one device. Which images a batch has, and how they are augmented, does not depend on the devices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
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

    def scope(self, seed: int) -> AbstractContextManager[Any]:
        """Within, the variables of a model are made for these devices, and what it begins with is drawn from
        `seed` alone, as are the seeds of its dropout: a process may have drawn more numbers before than
        another one, or than one that computes alone. JAX wants the same values of all processes."""
        keras.utils.set_random_seed(seed)
        scope: AbstractContextManager[Any] = nullcontext() if self.strategy is None else self.strategy.scope()
        return scope

    def check_batch(self, size: int, images: int) -> None:
        """Raises UsageError where a batch cannot be divided among the devices: images that are left out, or
        counted twice, would make another training of it."""
        if not size % self.devices:
            return
        below = size // self.devices * self.devices
        fitting = [str(each) for each in (below, below + self.devices) if 0 < each <= images]
        few = f": there are {images:,} images to train on" if size == images else ""
        raise UsageError(
            f"--batch-size {size} does not divide among {self.devices} devices{few}: "
            f"give {' or '.join(fitting) if fitting else 'fewer --devices'}"
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

    def agree(self, described: Callable[[], Mapping[str, Any]]) -> None:
        """`described` gives what is trained, and how, by what it is called for people. Raises UsageError, in
        every process, where one of them has something else than process 0."""
        if self.processes == 1:
            return
        run = described()
        from jax.experimental import multihost_utils

        digests = np.stack([_digest(value) for value in (*run.values(), self.devices)])
        every = np.asarray(multihost_utils.process_allgather(digests))
        for index, theirs in enumerate(every):
            same = (theirs == every[0]).all(axis=1)
            other = [name for name, equal in zip((*run, "--devices"), same, strict=True) if not equal]
            if other:
                raise UsageError(
                    f"{process_name(index, self.processes)} has another {', another '.join(other)} than "
                    "process 0: give all processes the same command, but for --process-index"
                )
        _exchange(list(self.strategy.device_mesh.devices.flat))  # connects them, as in `connected`

    def leave(self) -> None:
        """From now on this process computes for itself: the others may end."""
        if self.processes > 1:
            import jax
            from jax.experimental import multihost_utils

            with severed(self.processes):
                multihost_utils.sync_global_devices("leave")
                jax.distributed.shutdown()


ONE = Placement()


def connected(devices: Devices, on_progress: OnProgress) -> Placement:
    """The devices that are asked for; before JAX has computed anything in this process, which then counts as
    alone. The parents have seen all processes come (`training.peers`).

    Raises DeviceUnavailable where there are fewer devices, UsageError where the processes have not as many
    each, PeerLost.
    """
    if not devices.several:
        return ONE
    import jax

    if devices.processes > 1:
        with severed(devices.processes):
            keras.distribution.initialize(devices.coordinator, devices.processes, devices.index)
    local = jax.local_devices()
    count = len(local) if devices.count == "all" else devices.count
    if count > len(local):
        raise DeviceUnavailable(_too_few(devices, len(local), local[0].platform))
    of_each: dict[int, list[Any]] = {}
    for device in jax.devices():
        of_each.setdefault(device.process_index, []).append(device)
    _check_alike([len(of_each[process]) for process in sorted(of_each)], local[0].platform)
    used = [device for process in sorted(of_each) for device in of_each[process][:count]]
    placement = Placement(
        devices=count * devices.processes,
        processes=devices.processes,
        index=devices.index,
        strategy=_data_parallel(used),
        kind=f"keras.distribution on JAX, {local[0].platform}",
    )
    if devices.processes > 1:
        from jax.experimental import multihost_utils

        # The first exchange among CPUs connects them, and fails unless all come to it within 30 seconds: now,
        # when they have just told each other which devices they have. Later ones wait for 30 minutes (XLA,
        # backends/cpu/runtime/collective_thunk.cc), as one may take longer to load its images. GPUs wait as
        # long as it takes. That a process is gone is what the parents see (`training.peers`).
        with severed(devices.processes):
            multihost_utils.sync_global_devices("connected")
    on_progress(Progress(step="devices", note=described(placement), line=True))
    return placement


def _check_alike(counts: list[int], platform: str) -> None:
    """Whether each process has as many devices there, used or not: what JAX's processes tell each other takes
    that for granted (jax/experimental/multihost_utils.py). Raises UsageError, in every process."""
    for index, count in enumerate(counts):
        if count != counts[0]:
            way = (
                f"set {SPLIT_CPU} to the same number for all"
                if platform == "cpu"
                else "let all see as many, as by CUDA_VISIBLE_DEVICES"
            )
            raise UsageError(
                f"{process_name(index, len(counts))} has {count} {platform} device{'s' * (count > 1)}, and "
                f"process 0 has {counts[0]}: {way}"
            )


def _exchange(devices: list[Any]) -> None:
    """The sum of a number of each, as gradients are summed, while all processes are here."""
    import jax
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    mesh = Mesh(np.array(devices), ("batch",))
    divided, same = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("batch",), ()))
    ones = jax.make_array_from_callback((len(devices),), divided, np.ones(len(devices)).__getitem__)
    jax.jit(jax.numpy.sum, out_shardings=same)(ones).block_until_ready()


def _data_parallel(devices: list[Any]) -> Any:
    return keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)


def described(placement: Placement) -> str:
    """For people."""
    each = f" of {placement.processes} processes" if placement.processes > 1 else ""
    return f"{placement.devices} device{'s' * (placement.devices > 1)}{each} ({placement.kind})"


def _too_few(devices: Devices, count: int, platform: str) -> str:
    here = f"{count} {platform} device{'s' * (count > 1)}"
    if platform != "cpu":
        return f"--devices {devices.count}: there are {here} here: give fewer, or all"
    return (
        f"--devices {devices.count}: JAX has {here} here, which computes with all cores already: leave it "
        f"out. For GPUs: pip install 'jax[cuda13]'. For a trial {SPLIT_CPU}={devices.count} makes so many "
        "devices of the CPU"
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
            raise PeerLost(
                f"another process does not answer any more ({first_line(error)}): start all of them again, "
                "which go on behind the last whole epoch"
            ) from error
        raise
