"""How a model's outputs become answers: the one place that says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Output = Literal["logits", "probabilities", "embedding"]
HeadKind = Literal["classes", "binary", "multilabel", "embedding"]

THRESHOLDS: dict[Output, float] = {"probabilities": 0.5, "logits": 0.0}
"""Of a score that stands alone, where nothing says another: where yes and no are equally likely."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last step of a model that tells `classes` classes or labels apart (an embedding: none), whose
    outputs are `output`.

    `classes`: one output for each class; the largest is the answer, the first of equals.
    `binary`: one output, of the second of two classes; above `threshold`, which is in its own unit, the
    answer is class 1, else class 0.
    `multilabel`: one output for each label, and any number of labels may be right; above the one of
    `thresholds` that is its own, in its own unit, an image has the label.
    `embedding`: `dimensions` numbers that say nothing by themselves; the answer is which other image is the
    nearest, by the cosine of the angle between the two.
    """

    kind: HeadKind
    output: Output
    classes: int
    threshold: float | None = None
    thresholds: tuple[float, ...] = ()
    dimensions: int = 0

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
    def multilabel(cls, labels: int, output: Output, thresholds: Sequence[float] = ()) -> Head:
        """One output for each of so many labels; without thresholds, the usual one of its kind for each."""
        own = tuple(map(float, thresholds)) or (THRESHOLDS[output],) * labels
        return cls(kind="multilabel", output=output, classes=labels, thresholds=own)

    @classmethod
    def embedding(cls, dimensions: int) -> Head:
        """So many numbers, and no classes."""
        return cls(kind="embedding", output="embedding", classes=0, dimensions=dimensions)

    @classmethod
    def of_outputs(cls, outputs: int, output: Output) -> Head:
        """What a file is taken for of which no more is known than how many outputs it has."""
        return cls.binary(output) if outputs == 1 else cls.of_classes(outputs, output)

    @property
    def outputs(self) -> int:
        """How many numbers there are for an image."""
        if self.kind == "embedding":
            return self.dimensions
        return 1 if self.kind == "binary" else self.classes

    @property
    def separate(self) -> bool:
        """Whether every output is a score of its own, with a threshold, as of a sigmoid."""
        return self.kind in ("binary", "multilabel")

    @property
    def own_thresholds(self) -> tuple[float, ...]:
        """One for each output where these are `separate`; none elsewhere."""
        return self.thresholds if self.threshold is None else (self.threshold,)

    @property
    def rule(self) -> str:
        """How outputs become answers, in words."""
        if self.kind == "classes":
            return f"the class with the largest of {self.classes} {self.output}"
        if self.kind == "embedding":
            return f"the image whose embedding ({self.dimensions} numbers) is the nearest by cosine"
        what = "probability" if self.output == "probabilities" else "logit"
        if self.kind == "binary":
            return f"class 1 where its {what} is above {self.threshold:g}, else class 0"
        limit = f"{self.thresholds[0]:g}" if len(set(self.thresholds)) == 1 else "its own threshold"
        return f"each of {self.classes} labels where its {what} is above {limit}"
