"""What verification.files finds of files, as `verify` asks it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.evaluation.first_backend import first_backends
from resnet_edge.verification.files import look
from resnet_edge.verification.task import IdentifiedFiles, IdentifyFiles
from resnet_edge.workers.progress import silent


def identified(*paths: Path, contents: bool = False) -> IdentifiedFiles:
    formats = tuple(path.suffix[1:] for path in paths)
    folder = tempfile.mkdtemp(dir=paths[0].parent)
    return look(
        IdentifyFiles(
            paths=tuple(map(str, paths)),
            formats=formats,
            backends=first_backends(formats),
            folder=folder,
            contents=contents,
        ),
        silent,
    )


def facts(sha256: str) -> ModelFacts:
    """A reference that takes 4 x 4 grey pixels and knows three classes."""
    return ModelFacts(
        name="net",
        source="net.tflite",
        sha256=sha256,
        parameters=0,
        macs=None,
        input_shape=(4, 4, 1),
        head=Head.of_classes(3, "logits"),
        class_names=(),
        preprocessing=PRESETS["model"],
    )
