"""golden/golden.json: the golden vectors of a bundle, for self-tests in any language."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.bundle import BundledFile, BundleFacts, GoldenScores
from resnet_edge.core.errors import DataError
from resnet_edge.report.readable_json import readable_json

SCHEMA = 1


def golden_json(facts: BundleFacts) -> bytes:
    """The images and, by model file, the hashes of their tensors, the scores and the tolerances, as strict
    JSON in UTF-8. The same facts give the same bytes. Raises DataError for scores that are no finite
    numbers."""
    files = {file.path: file for file in facts.files}
    document = {
        "schema": SCHEMA,
        "model": facts.name,
        "labels": list(facts.labels),
        "images": [asdict(image) for image in facts.golden.images],
        "files": [_file(files[scores.file], scores) for scores in facts.golden.files],
    }
    return readable_json(document)


def _file(file: BundledFile, scores: GoldenScores) -> dict[str, Any]:
    # The encoder would write null, which no self-test can compare anything with.
    if not all(math.isfinite(score) for row in scores.scores for score in row):
        raise DataError(
            f"{file.path} gives scores that are no finite numbers on a golden image: convert the model again"
        )
    return {
        "file": file.path,
        "sha256": file.sha256,
        "kind": file.scores,
        "threshold": file.threshold,
        "input": _end(file.input),
        "output": _end(file.output),
        "inputs_sha256": list(scores.inputs_sha256),
        "scores": [list(row) for row in scores.scores],
        "tolerances": [asdict(tolerance) for tolerance in scores.tolerances],
    }


def _end(tensor: TensorSpec) -> dict[str, Any]:
    """A tensor of one scale, or of none."""
    grid = tensor.quantization
    return {
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "scale": grid.scale[0] if grid else None,
        "zero_point": grid.zero_point[0] if grid else None,
    }
