"""Runs in a worker. Outputs of two files as one kind: one may end in a softmax that the other leaves out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from resnet_edge.core.progress import Report
from resnet_edge.stages.verify_request import Aligned, AlignRequest, Output

BLOCK = 4096
APART = 1 / 512
"""How far each score of an image may be off, and so their sum from 1: an int8 softmax rounds to 1/256."""


def align(request: AlignRequest, report: Report) -> Aligned:
    """Put the logits of one through a softmax where the other gives probabilities."""
    reference, candidate = (np.load(path, mmap_mode="r") for path in (request.reference, request.candidate))
    kinds = kind_of(reference), kind_of(candidate)
    if kinds[0] == kinds[1]:
        return Aligned(kinds[0], request.reference, request.candidate, "")
    if kinds[0] == "logits":
        _softmaxed(reference, request.out)
        return Aligned("probabilities", request.out, request.candidate, "reference")
    _softmaxed(candidate, request.out)
    return Aligned("probabilities", request.reference, request.out, "candidate")


def kind_of(outputs: NDArray[np.float32]) -> Output:
    """Whether scores (N, classes) are probabilities: within 0 to 1, and 1 in sum."""
    for start in range(0, len(outputs), BLOCK):
        block = np.asarray(outputs[start : start + BLOCK], np.float64)
        if not ((block >= 0).all() and (block <= 1).all()):
            return "logits"
        if np.median(np.abs(block.sum(axis=1) - 1)) > APART * outputs.shape[1]:
            return "logits"
    return "probabilities" if len(outputs) else "logits"


def _softmaxed(logits: NDArray[np.float32], out: str) -> None:
    found = open_memmap(Path(out), mode="w+", dtype=np.float32, shape=logits.shape)
    for start in range(0, len(logits), BLOCK):
        block = np.asarray(logits[start : start + BLOCK], np.float64)
        powers = np.exp(block - block.max(axis=1, keepdims=True))
        found[start : start + BLOCK] = powers / powers.sum(axis=1, keepdims=True)
    found.flush()
