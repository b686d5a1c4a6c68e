"""A network of the zoo by name, with fresh seeded weights: to try a pipeline, or to measure speed."""

from __future__ import annotations

from resnet_edge import zoo
from resnet_edge.models import ModelRequest, OpenedModel
from resnet_edge.workers.progress import OnProgress

SEED = 0


def check(request: ModelRequest) -> None:
    """Raises UnknownName."""
    zoo.architecture(request.source)


def open_model(request: ModelRequest, on_progress: OnProgress) -> OpenedModel:
    """Build it. Raises UsageError where --input-shape does not suit."""
    import keras

    from resnet_edge.core.errors import UsageError, first_line
    from resnet_edge.models import _opened

    keras.utils.set_random_seed(SEED)
    try:
        model = zoo.build(request.source, request.input_shape)
    except ValueError as error:
        raise UsageError(
            f"{request.source} does not take --input-shape {request.input_shape}: {first_line(error)}"
        ) from error
    return _opened.opened(model, request, _opened.Origin(name=request.source))
