"""Runs in a worker. The network that is pruned and the images that say what it can do without.

Everything stays open between the calls of compression.channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from resnet_edge.compression.channel_task import ChannelRequest
from resnet_edge.compression.pruning.block_choice import Batches
from resnet_edge.compression.pruning.cost import cost
from resnet_edge.compression.pruning.groups import ChannelMap, channel_map
from resnet_edge.core.affordable import images_within
from resnet_edge.core.errors import ModelError
from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.data.pixels import preprocessed
from resnet_edge.evaluation.reader_check import checked_reader
from resnet_edge.models import OpenedModel, open_model
from resnet_edge.models.functional.flat import FlatGraph, flat_graph
from resnet_edge.training.augment import AugmentedBatches
from resnet_edge.training.fit import Fit
from resnet_edge.training.losses import loss_of
from resnet_edge.training.placement import Placement, connected
from resnet_edge.training.training_data import TrainingData, training_data
from resnet_edge.workers.progress import silent

TAYLOR_IMAGES, TAYLOR_BATCH = 2048, 8
"""Training images that the Taylor score is taken over. The score sums squares of batch means, in
which the images of a large batch cancel each other: small batches rank better."""
JUDGED_IMAGES, JUDGED_FEWEST, JUDGED_MACS = 1000, 128, 50_000_000_000
"""Training images on which the loss without a block is measured: as many as JUDGED_MACS multiply-accumulates
allow, within these."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """The network to prune and the data that it is fitted to."""

    opened: OpenedModel
    graph: FlatGraph
    channels: ChannelMap
    data: TrainingData
    read: ReaderCheck
    placement: Placement

    def fed(self, images: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[Any, NDArray[Any]]:
        """What the network takes, and what losses.py holds its outputs against: the labels, or of an
        embedding what the network itself gives."""
        inputs = self.how("").inputs(images)
        if self.opened.facts.head.kind != "embedding":
            return inputs, labels
        own = self.opened.network(keras.ops.convert_to_tensor(inputs))
        return inputs, np.asarray(keras.ops.convert_to_numpy(own))

    def how(self, label: str, teacher: Any = None, penalised: Any = None) -> Fit:
        """What a fit or a test of it needs."""
        facts = self.opened.facts
        return Fit(
            head=facts.head,
            label=label,
            inputs=lambda images: preprocessed(images, facts.preprocessing),
            teacher=teacher,
            penalty=penalised,
            placement=self.placement,
        )


@lru_cache(maxsize=1)
def base_of(request: ChannelRequest) -> Base:
    """Opened once. Raises what opening the model and the data raises, and ModelError where nothing
    can be pruned; DeviceUnavailable, PeerLost."""
    model, placement = request.model, connected(request.devices, silent)
    opened = open_model(model, silent)
    if not isinstance(opened.trackable, keras.Model):
        raise ModelError(
            f"{model.source} is a SavedModel, which has no layers to prune: give the .keras file"
        )
    facts = opened.facts
    graph = flat_graph(opened.trackable, facts.input_shape)
    channels = channel_map(graph)
    data = training_data(request.recipe, facts.input_shape, facts.head, silent)
    read = checked_reader(opened, model, data.fitted.images)
    return Base(opened=opened, graph=graph, channels=channels, data=data, read=read, placement=placement)


def plain_loss(request: ChannelRequest) -> Any:
    """That of the training, without a teacher."""
    return loss_of(replace(request.recipe, teacher=None), base_of(request).opened.facts.head)


def plain_batches(request: ChannelRequest) -> Iterator[tuple[Any, NDArray[Any]]]:
    """Training images as they are, for the Taylor score: it is of the network as it will be used."""
    base = base_of(request)
    fitted = base.data.fitted
    batches = AugmentedBatches(fitted.images, fitted.labels, TAYLOR_BATCH, (), request.recipe.seed)
    count = min(len(batches), TAYLOR_IMAGES // TAYLOR_BATCH)
    for images, labels in islice(batches.epochs(0), count):
        inputs, targets = base.fed(images, labels)
        # What is at its own target has no slope. How near an image is to another has: neighbours go by it.
        yield inputs, np.roll(targets, 1, axis=0) if base.opened.facts.head.kind == "embedding" else targets


@lru_cache(maxsize=1)
def judging_images(request: ChannelRequest) -> Batches:
    """A seeded draw of training images as they are, on which losses are compared."""
    base = base_of(request)
    macs, fitted = max(1, cost(base.channels).macs), base.data.fitted
    count = min(len(fitted), images_within(JUDGED_MACS, macs, JUDGED_FEWEST, JUDGED_IMAGES))
    rows = np.sort(np.random.default_rng(request.recipe.seed).permutation(len(fitted))[:count])
    size = 100 if macs < 10**9 else 16
    return [
        base.fed(fitted.images[part].astype(np.float32), fitted.labels[part])
        for part in (rows[start : start + size] for start in range(0, count, size))
    ]
