"""A keras.Model in the memory of a program that calls us, as one that a file can hold."""

from __future__ import annotations

from typing import Any

from resnet_edge.core.errors import ModelError, UsageError


def as_file_holds(model: Any) -> Any:
    """`model` itself where all that it is made of is of Keras, else what was rebuilt of it, with the same
    weights. Imports Keras and TensorFlow.

    Raises ModelError where it was never called on images, gives other answers than what was rebuilt, or its
    graph depends on more than the shape of its image: that names the line.
    """
    from resnet_edge.models import ModelRequest, _opened
    from resnet_edge.models._graph import is_functional
    from resnet_edge.models._shape import input_shape

    if is_functional(model):
        return model
    name = f"the {type(model).__name__} in memory"
    try:
        shape = input_shape(model, ModelRequest(name))
    except UsageError as error:
        raise ModelError(f"{error}, or call it once on a batch of images") from error
    return _opened.rebuilt(model, shape, name)
