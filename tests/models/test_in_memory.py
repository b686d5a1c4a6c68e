"""Models in memory of classes that no file can hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.api.values import ValueFiles
from resnet_edge.core.errors import ModelError
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models.in_memory import as_file_holds
from resnet_edge.workers.progress import silent
from tests.models import nets, subclassed

pytestmark = nets.KERAS_WARNINGS


def test_a_model_of_a_users_class_is_written_as_one_that_opens(tmp_path: Path) -> None:
    model = subclassed.built(subclassed.Net)
    opened = open_model(ModelRequest(ValueFiles(tmp_path).model(model)), silent)
    batch = subclassed.images()
    expected = np.asarray(model(batch))
    np.testing.assert_allclose(np.asarray(opened.network(batch)), expected, rtol=1e-4, atol=1e-5)


def test_a_model_of_keras_is_itself() -> None:
    model = nets.classifier()
    assert as_file_holds(model) is model


def test_the_line_that_no_file_holds_is_named(tmp_path: Path) -> None:
    model = subclassed.Branching()
    with pytest.raises(ModelError, match="or call it once on a batch of images"):
        ValueFiles(tmp_path).model(model)
    model = subclassed.built(subclassed.Derived)
    with pytest.raises(ModelError, match="computes with weights of its own, kernel"):
        ValueFiles(tmp_path).model(model)
