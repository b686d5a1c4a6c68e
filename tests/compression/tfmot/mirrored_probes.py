"""Runs in a worker whose CPU is split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from resnet_edge.compression.tfmot.bridge import to_tf_keras
from resnet_edge.compression.tfmot.mirrored import mirrored, noise_note
from resnet_edge.compression.tfmot.quantize_layers import ActivationQuantizer
from resnet_edge.compression.tfmot.synchronized import SynchronizedBatchNormalization
from resnet_edge.core.errors import ModelError
from resnet_edge.models.functional.flat import flat_graph
from resnet_edge.training.devices import Count, Devices
from resnet_edge.training.placement import ONE
from resnet_edge.workers.progress import OnProgress, silent


@dataclass(frozen=True)
class Wanted:
    count: Count
    shape: tuple[int, ...] = ()


def devices(wanted: Wanted, on_progress: OnProgress) -> int:
    return mirrored(Devices(count=wanted.count), on_progress).devices


def ranges(wanted: Wanted, on_progress: OnProgress) -> dict[str, Any]:
    """What a quantizer has seen after two batches, on one device and on several."""
    placement = mirrored(Devices(count=wanted.count), on_progress)
    batches = np.random.default_rng(0).normal(size=(2, 12, 5)).astype(np.float32) * [[[3]], [[8]]]
    batches = batches.astype(np.float32)

    def built() -> tuple[ActivationQuantizer, Any]:
        quantizer = ActivationQuantizer()
        layer = tf_keras.layers.Layer()
        return quantizer, quantizer.build((None, 5), "range", layer)

    one, variables = built()
    begun = one.range
    for batch in batches:
        one(tf.constant(batch), True, variables)
    with placement.scope(0):
        several, mirrored_variables = built()

    def step(parts: Any) -> Any:
        return placement.strategy.run(lambda part: several(part, True, mirrored_variables), args=(parts,))

    traced = tf.function(step)
    for batch in batches:
        parts = np.split(batch, placement.devices)
        traced(
            placement.strategy.experimental_distribute_values_from_function(
                lambda context, parts=parts: tf.constant(parts[context.replica_id_in_sync_group])
            )
        )
    return {"one": one.range, "several": several.range, "begun": begun, "devices": placement.devices}


def normalized(wanted: Wanted, on_progress: OnProgress) -> dict[str, dict[str, Any]]:
    """What a batch normalization gives of two batches, on one device and on several."""
    placement = mirrored(Devices(count=wanted.count), silent)
    random = np.random.default_rng(0)
    shape = wanted.shape
    spread = np.linspace(0.5, 3, shape[-1])
    batches = (random.normal(size=(2, *shape)) * spread + 2 * spread).astype(np.float32)
    weights = random.normal(size=shape).astype(np.float32)

    def run(layer: Any, values: Any, weighted: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = layer(values, training=True)
            loss = tf.reduce_sum(outputs * weighted)
        gradients = tape.gradient(loss, [values, layer.gamma, layer.beta])
        replica = tf.distribute.get_replica_context()
        if replica.num_replicas_in_sync > 1:
            gradients[1:] = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients[1:])
        return outputs, *gradients

    def results(layer: Any, outputs: Any, images: Any, gamma: Any, beta: Any) -> dict[str, Any]:
        named = {"outputs": outputs, "to images": images, "to gamma": gamma, "to beta": beta}
        named |= {"moving mean": layer.moving_mean, "moving variance": layer.moving_variance}
        return {name: np.asarray(value.numpy()).tolist() for name, value in named.items()}

    one = tf_keras.layers.BatchNormalization(momentum=0.6)
    for batch in batches:
        of_one = tf.function(run)(one, tf.constant(batch), tf.constant(weights))
    strategy, count = placement.strategy, placement.devices
    with placement.scope(0):
        several = SynchronizedBatchNormalization(momentum=0.6)
        several.build((None, *shape[1:]))

    def parts(values: Any) -> Any:
        divided = np.split(values, count)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(divided[context.replica_id_in_sync_group])
        )

    traced = tf.function(lambda values, weighted: strategy.run(run, args=(several, values, weighted)))
    for batch in batches:
        of_each = [strategy.experimental_local_results(each) for each in traced(parts(batch), parts(weights))]
    joined = [tf.concat(each, axis=0) for each in of_each[:2]]
    return {
        "one": results(one, *of_one),
        "several": results(several, *joined, *(each[0] for each in of_each[2:])),
    }


def noise(wanted: Wanted, on_progress: OnProgress) -> list[Any]:
    """What is said of a network with dropout on one device and on several, and of one with renorm."""
    placement = mirrored(Devices(count=wanted.count), silent)
    inputs = keras.Input((4, 4, 1))
    outputs = keras.layers.Dropout(0.5, name="drop")(keras.layers.Conv2D(2, 3, name="conv")(inputs))
    network = to_tf_keras(flat_graph(keras.Model(inputs, outputs), (4, 4, 1)))
    renormalized = keras.layers.BatchNormalization(renorm=True, name="bn")(inputs)
    refused = ""
    with placement.scope(0):
        try:
            to_tf_keras(flat_graph(keras.Model(inputs, renormalized), (4, 4, 1)))
        except ModelError as error:
            refused = str(error)
    return [[*noise_note(network, ONE)], [*noise_note(network, placement)], refused]
