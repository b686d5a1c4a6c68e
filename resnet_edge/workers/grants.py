"""Runs in the parent. What the workers of a run may do, by what they are given to work on."""

from __future__ import annotations

from collections.abc import Iterable

from resnet_edge.core import registry
from resnet_edge.core.backend_name import runtime_of
from resnet_edge.workers.environment import share_keras_cache
from resnet_edge.workers.grant import FREE, NOTHING, Grant


def backends_grant(names: Iterable[str]) -> Grant:
    """For a worker that runs artifacts on all of these backends (`name` or `name:device`)."""
    browser = any(registry.constant("backends", runtime_of(name), "IN_BROWSER", False) for name in names)
    return FREE if browser else NOTHING


def training_data_grant(data: str) -> Grant:
    """For a worker that trains on DATA: the training images of a data set that has a name may have to be
    downloaded. Its test images come with this package."""
    if data != "fashion-mnist":
        return NOTHING
    return Grant(network=True, writes=(str(share_keras_cache("datasets")),))
