"""What verification.files finds of files, as `verify` asks it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from resnet_edge.verification.files import look
from resnet_edge.verification.task import IdentifyFiles, Looked
from resnet_edge.workers.progress import silent

BACKENDS = ("litert", "onnxruntime")


def looked(*paths: Path, contents: bool = False) -> Looked:
    formats = tuple(path.suffix[1:] for path in paths)
    folder = tempfile.mkdtemp(dir=paths[0].parent)
    return look(
        IdentifyFiles(
            paths=tuple(map(str, paths)), formats=formats, backends=BACKENDS, folder=folder, contents=contents
        ),
        silent,
    )
