"""Runs in a worker. The one place where a model that was opened is held against another loader."""

from __future__ import annotations

from resnet_edge.core.results.reader_check import ReaderCheck
from resnet_edge.data.encoded import ImageRows
from resnet_edge.data.pixels import preprocessed
from resnet_edge.data.rows import evenly
from resnet_edge.models import ModelRequest, OpenedModel
from resnet_edge.models.witness import IMAGES, check_reader


def checked_reader(opened: OpenedModel, request: ModelRequest, images: ImageRows) -> ReaderCheck:
    """On a few of `images` (N, H, W, C), as they are. Raises ModelError where the reader is wrong."""
    few = images[evenly(len(images), IMAGES)]
    return check_reader(opened, request, preprocessed(few, opened.facts.preprocessing))


def witness_note(check: ReaderCheck) -> tuple[str, ...]:
    """What to say of it beside the result."""
    return (check.note,) if check.note else ()
