"""How a classifier's outputs become answers: the one place that says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Output = Literal["logits", "probabilities"]
HeadKind = Literal["classes", "binary"]

THRESHOLDS: dict[Output, float] = {"probabilities": 0.5, "logits": 0.0}
"""Of a binary classifier, where nothing says another: where both classes are equally likely."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last step of a classifier of `classes` classes, whose outputs are `output`.

    `classes`: one output for each class; the largest is the answer, the first of equals.
    `binary`: one output, of the second of two classes; above `threshold`, which is in its own unit, the
    answer is class 1, else class 0.
    """

    kind: HeadKind
    output: Output
    classes: int
    threshold: float | None = None

    @classmethod
    def of_classes(cls, classes: int, output: Output) -> Head:
        """One output for each of so many classes."""
        return cls(kind="classes", output=output, classes=classes)

    @classmethod
    def binary(cls, output: Output, threshold: float | None = None) -> Head:
        """One output; without a threshold, the usual one of its kind."""
        usual = THRESHOLDS[output]
        return cls(
            kind="binary", output=output, classes=2, threshold=usual if threshold is None else threshold
        )

    @classmethod
    def of_outputs(cls, outputs: int, output: Output) -> Head:
        """What a file is taken for of which no more is known than how many outputs it has."""
        return cls.binary(output) if outputs == 1 else cls.of_classes(outputs, output)

    @property
    def outputs(self) -> int:
        """How many numbers there are for an image."""
        return 1 if self.kind == "binary" else self.classes

    @property
    def rule(self) -> str:
        """How outputs become answers, in words."""
        if self.kind == "classes":
            return f"the class with the largest of {self.classes} {self.output}"
        what = "probability" if self.output == "probabilities" else "logit"
        return f"class 1 where its {what} is above {self.threshold:g}, else class 0"
