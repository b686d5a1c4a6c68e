"""Runs in the worker of tensorflow-model-optimization. The devices of one machine, for a tf_keras network.

Each has a copy of the network and a part of the batch (tf.distribute.MirroredStrategy). What depends on the
whole batch is taken over all parts: the statistics of batch normalization (`synchronized`) and the ranges of
activations (`quantize_layers`). What a copy draws, as for dropout, is its own.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from resnet_edge.core.errors import DeviceUnavailable
from resnet_edge.training.devices import SPLIT_CPU, Devices, cpu_devices
from resnet_edge.training.placement import ONE, Placement, described
from resnet_edge.workers.progress import OnProgress, Progress

_NOISE = (
    tf_keras.layers.Dropout,
    tf_keras.layers.SpatialDropout2D,
    tf_keras.layers.GaussianDropout,
    tf_keras.layers.GaussianNoise,
)


def mirrored(devices: Devices, on_progress: OnProgress) -> Placement:
    """The devices that are asked for; before TensorFlow has computed anything in this process. Raises
    DeviceUnavailable where there are fewer, UsageError."""
    if not devices.several:
        return ONE
    kind, there = "GPU", len(tf.config.list_physical_devices("GPU"))
    if not there:
        kind, there = "CPU", _split_cpu()
    count = there if devices.count == "all" else devices.count
    if count > there:
        here = f"{there} {kind} device{'s' * (there > 1)}"
        way = "give fewer, or all" if kind == "GPU" else f"leave it out; for a trial {SPLIT_CPU}={count}"
        raise DeviceUnavailable(f"--devices {devices.count}: TensorFlow has {here} here: {way}")
    placement = Placement(
        devices=count,
        strategy=tf.distribute.MirroredStrategy([f"{kind}:{number}" for number in range(count)]),
        kind=f"tf.distribute, {kind.lower()}",
    )
    on_progress(Progress(step="devices", note=described(placement), line=True))
    return placement


def _split_cpu() -> int:
    """Make as many devices of the CPU as JAX would, and tell how many that is. Raises UsageError."""
    count = cpu_devices()
    (cpu, *_) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
    )
    return count


def noise_note(network: Any, placement: Placement) -> tuple[str, ...]:
    """What to say where a training on one device would have drawn other noise. `network` is tf_keras'."""
    names = [layer.name for layer in network.layers if isinstance(getattr(layer, "layer", layer), _NOISE)]
    if placement.devices == 1 or not names:
        return ()
    draw = "draws" if len(names) == 1 else "draw"
    return (
        f"{', '.join(names)} {draw} other noise on {placement.devices} devices than on one: the same recipe, "
        "but not the same weights",
    )


def replicas() -> int:
    """How many copies of a network that is made now there will be."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)
