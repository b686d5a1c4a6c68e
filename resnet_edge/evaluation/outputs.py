"""Runs in a worker. Outputs of two files as one kind: one may end in a softmax, or where each output stands
for itself a sigmoid, that the other leaves out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from resnet_edge.core.answers import of_output, sigmoid
from resnet_edge.core.head import Head, Output
from resnet_edge.evaluation.outputs_task import Aligned, AlignOutputs
from resnet_edge.workers.progress import OnProgress

BLOCK = 4096
APART = 1 / 512
"""How far each score of an image may be off, and so their sum from 1: an int8 softmax rounds to 1/256."""


def align(request: AlignOutputs, on_progress: OnProgress) -> Aligned:
    """Put the logits of one through a softmax or sigmoid where the other gives probabilities."""
    if request.head.kind == "embedding":
        return Aligned(request.head, request.reference, request.candidate, "")
    reference, candidate = (np.load(path, mmap_mode="r") for path in (request.reference, request.candidate))
    separate = request.head.separate
    ours, theirs = kind_of(reference, separate), kind_of(candidate, separate)
    head = of_output(request.head, ours)
    if ours == theirs:
        return Aligned(head, request.reference, request.candidate, "")
    if ours == "logits":
        _write_probabilities(reference, request.out, separate)
        return Aligned(of_output(head, "probabilities"), request.out, request.candidate, "reference")
    _write_probabilities(candidate, request.out, separate)
    return Aligned(head, request.reference, request.out, "candidate")


def seen(head: Head, outputs: NDArray[np.float32]) -> Head:
    """The same head, of `outputs` (N, head.outputs) that may be of the other kind."""
    return head if head.kind == "embedding" else of_output(head, kind_of(outputs, head.separate))


def kind_of(outputs: NDArray[np.float32], separate: bool = False) -> Output:
    """Whether scores (N, outputs) are probabilities: within 0 to 1, and, unless each is `separate` or there
    is one, 1 in sum."""
    for start in range(0, len(outputs), BLOCK):
        block = np.asarray(outputs[start : start + BLOCK], np.float64)
        if not ((block >= 0).all() and (block <= 1).all()):
            return "logits"
        if separate or outputs.shape[1] == 1:
            continue
        if np.median(np.abs(block.sum(axis=1) - 1)) > APART * outputs.shape[1]:
            return "logits"
    return "probabilities" if len(outputs) else "logits"


def _write_probabilities(logits: NDArray[np.float32], out: str, separate: bool) -> None:
    probabilities = open_memmap(Path(out), mode="w+", dtype=np.float32, shape=logits.shape)
    for start in range(0, len(logits), BLOCK):
        block = np.asarray(logits[start : start + BLOCK], np.float64)
        probabilities[start : start + BLOCK] = as_probabilities(block, separate)
    probabilities.flush()


def as_probabilities(logits: NDArray[np.float64], separate: bool = False) -> NDArray[np.float64]:
    """The softmax of logits (N, classes), or the sigmoid of each where they are `separate`, and of one."""
    if separate or logits.shape[1] == 1:
        return sigmoid(logits)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
