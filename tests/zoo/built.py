"""Networks of the zoo, each made once."""

from __future__ import annotations

import functools

import keras

from resnet_edge import zoo
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.workers.progress import silent


@functools.cache
def built(name: str) -> keras.Model:
    return zoo.build(name)


def trainable(name: str) -> int:
    return sum(int(keras.ops.size(weight)) for weight in built(name).trainable_weights)


def macs_of(name: str) -> int:
    macs = open_model(ModelRequest(name), silent).facts.macs
    assert macs is not None
    return macs
