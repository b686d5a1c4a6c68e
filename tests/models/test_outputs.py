"""Models with several outputs, of which one is taken."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.models._outputs import named_outputs
from resnet_edge.models.functional.flat import flat_graph
from tests.models import nets
from tests.models.test_opened import _opened

pytestmark = nets.KERAS_WARNINGS


def _parts() -> tuple[Any, Any, Any]:
    image = keras.Input(nets.SHAPE)
    features = layers.GlobalAveragePooling2D(name="pooled")(layers.Conv2D(5, 3, activation="relu")(image))
    return image, features, layers.Dense(3, activation="softmax", name="scores")(features)


def in_a_list() -> keras.Model:
    image, features, scores = _parts()
    return keras.Model(image, [features, scores])


def in_a_dict() -> keras.Model:
    image, features, scores = _parts()
    return keras.Model(image, {"feature": features, "class": scores})


@keras.saving.register_keras_serializable()
class Subclassed(keras.Model):
    """Gives a dict, of which nothing is known before it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.pooled, self.scores = layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")

    def call(self, images: Any) -> Any:
        features = self.pooled(images)
        return {"feature": features, "class": self.scores(features)}


@pytest.mark.parametrize(
    ("build", "names"),
    [(in_a_list, "pooled, scores"), (in_a_dict, "feature, class"), (Subclassed, "feature, class")],
)
def test_without_a_name_they_are_listed_and_the_option_is_named(build: Any, names: str) -> None:
    with pytest.raises(ModelError, match=rf"has 2 outputs \({names}\).*--output NAME"):
        _opened(build(), input_shape=nets.SHAPE)


@pytest.mark.parametrize("build", [in_a_list, in_a_dict, Subclassed])
def test_a_name_that_is_none_is_refused_with_those_there_are(build: Any) -> None:
    with pytest.raises(UsageError, match=r"--output logits: .* has no output of that name; it has "):
        _opened(build(), input_shape=nets.SHAPE, output="logits")


@pytest.mark.parametrize(
    ("build", "features", "scores"),
    [
        (in_a_list, "pooled", "scores"),
        (in_a_dict, "feature", "class"),
        (Subclassed, "feature", "class"),
    ],
)
def test_the_one_that_is_named_is_all_there_is(build: Any, features: str, scores: str) -> None:
    model = build()
    images = np.random.default_rng(0).random((2, *nets.SHAPE), np.float32)
    for name, kind in ((features, "embedding"), (scores, "classes")):
        opened = _opened(model, input_shape=nets.SHAPE, output=name)
        assert opened.facts.head.kind == kind
        wanted = named_outputs(model, model(images))[name]
        np.testing.assert_allclose(opened.network(images), wanted, rtol=1e-6)
        assert f"of its outputs {name} is taken (--output)" in opened.facts.read_as
        flat = flat_graph(opened.trackable, nets.SHAPE)  # what pruning and QAT go by
        assert flat.calls[-1].shape == (None, opened.facts.head.outputs)


def test_the_only_output_may_be_named() -> None:
    assert _opened(nets.classifier(classes=3)).facts.head.classes == 3
    with pytest.raises(UsageError, match="it has "):
        _opened(nets.classifier(classes=3), output="other")


def test_outputs_without_names_of_their_own_are_numbered() -> None:
    assert [*named_outputs(None, ("a", "b"))] == ["0", "1"]
    assert [*named_outputs(None, {"x": 1, "y": 2})] == ["x", "y"]
