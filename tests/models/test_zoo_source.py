"""Tests of zoo names as MODEL."""

from __future__ import annotations

import pytest

from resnet_edge.core.errors import UsageError
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def test_a_network_of_the_zoo_is_seeded() -> None:
    first = open_model(ModelRequest("resnet8"), silent).facts
    assert first == open_model(ModelRequest("resnet8"), silent).facts
    assert (first.name, first.input_shape, first.classes) == ("resnet8", (32, 32, 3), 10)
    assert (first.output, first.preprocessing.name) == ("logits", "model")


def test_it_takes_another_input_shape() -> None:
    assert open_model(ModelRequest("resnet8", input_shape=(28, 28, 1)), silent).facts.input_shape == (
        28,
        28,
        1,
    )


def test_the_preprocessing_of_the_user_wins() -> None:
    with pytest.raises(UsageError, match="is for 3 channels"):
        open_model(ModelRequest("resnet8", input_shape=(28, 28, 1), preprocess="caffe"), silent)
