"""Runs in a worker. The user's model with other weights, as a file that opens again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.models import ModelRequest


def as_saved(request: ModelRequest, facts: ModelFacts, out: Path) -> ModelRequest:
    """How to open the file: it does not know the preprocessing that a name such as app:ResNet50
    stood for. Of several outputs it has the one that was named."""
    return replace(
        request, source=str(out), preprocess=request.preprocess or facts.preprocessing.name, output=None
    )


def preprocessing_note(facts: ModelFacts) -> tuple[str, ...]:
    """What to say where the file alone does not tell what it takes, or how the model was read."""
    preprocessing, read_as = facts.preprocessing, (*filter(None, [facts.not_loaded]), *facts.read_as)
    if preprocessing.where != "graph":
        return read_as
    outside = (
        f"the pixels are preprocessed ({preprocessing.name}) outside of the model: say so again to `convert`"
    )
    return (*read_as, outside)


def lost_ranges_note(facts: ModelFacts) -> tuple[str, ...]:
    """What to say where the model came with ranges of `qat`, which its new weights do not have."""
    if not facts.learned_ranges:
        return ()
    return ("the activation ranges that `qat` had learned were those of the old weights: run `qat` again",)
