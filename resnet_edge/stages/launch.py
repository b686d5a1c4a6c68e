"""Runs in the parent. What the parent knows of stages whose modules import a framework."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.core.errors import OutputError, UsageError


@dataclass(frozen=True)
class TrainSummary:
    """What a finished training run tells; accuracies are fractions, None where not measured."""

    file: str
    parameters: int
    validation_top1: float | None
    test_top1: float | None
    test_n: int

    def sentence(self) -> str:
        """One line for people."""
        parts = [f"{self.file}: {self.parameters:,} parameters"]
        if self.validation_top1 is not None:
            parts.append(f"top-1 held out {100 * self.validation_top1:.2f} %")
        if self.test_top1 is not None:
            parts.append(f"top-1 on {self.test_n:,} test images {100 * self.test_top1:.2f} %")
        return ", ".join(parts)


def check_train_output(out: Path) -> None:
    """Fail before hours of training, not after. Raises UsageError or OutputError."""
    if out.suffix != ".keras":
        raise UsageError(f"--out {out} must end in .keras")
    parent = out.parent
    if not parent.is_dir():
        raise OutputError(f"the folder {parent} does not exist: make it first")
    if not os.access(parent, os.W_OK):
        raise OutputError(f"the folder {parent} is not writable: choose another --out")
