"""golden/golden.json: the golden vectors of a bundle, for self-tests in any language.

The scores stand in files beside it: a float32 is 4 bytes there, and 20 as indented text, of which a model of
21,841 classes had 200,000 for each model file.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resnet_edge.core.artifact import TensorSpec
from resnet_edge.core.results.bundle import BundledFile, BundleFacts, GoldenScores
from resnet_edge.report.readable_json import readable_json

SCHEMA = 2


def golden_json(facts: BundleFacts) -> bytes:
    """The images and, by model file, the hashes of their tensors, the file of the scores and the tolerances,
    as strict JSON in UTF-8. The same facts give the same bytes."""
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
    return {
        "file": file.path,
        "sha256": file.sha256,
        "kind": file.scores,
        "threshold": file.threshold,
        "head": file.kind if file.threshold is None else "binary",
        "thresholds": list(file.head.own_thresholds),
        "input": _end(file.input),
        "output": _end(file.output),
        "inputs_sha256": list(scores.inputs_sha256),
        "scores": scores.scores,
        "scores_sha256": scores.scores_sha256,
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
