"""Comparisons of outputs in memory, for tests of every head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.head import Head
from resnet_edge.core.results.parity import Parity
from resnet_edge.evaluation.compare import compare
from resnet_edge.evaluation.compare_task import CompareOutputs
from resnet_edge.workers.progress import silent

Array = NDArray[Any]
Judge = Callable[..., Parity]


def judge_in(folder: Path) -> Judge:
    """Compares outputs of a reference and of a candidate, of a head, with or without labels."""

    def judged(
        reference: Array, candidate: Array, head: Head, labels: Array | None, **changes: Any
    ) -> Parity:
        files = {"reference": reference.astype(np.float32), "candidate": candidate.astype(np.float32)}
        files |= {} if labels is None else {"labels": labels}
        for name, array in files.items():
            np.save(folder / f"{name}.npy", array)
        request = CompareOutputs(
            artifact="net.int8.tflite",
            backend="litert",
            device="cpu",
            scheme="int8",
            head=head,
            reference=str(folder / "reference.npy"),
            candidate=str(folder / "candidate.npy"),
            labels=None if labels is None else str(folder / "labels.npy"),
            max_drop_pp=0.5,
            min_sqnr_db=None,
        )
        return compare(replace(request, **changes), silent).parity

    return judged
