"""What is known of the Keras model that everything is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from resnet_edge.core.preprocessing import Preprocessing


@dataclass(frozen=True)
class ModelFacts:
    """A Keras image classifier.

    `name` is a file stem; `source` is what the user typed; `sha256` is of the file (of the
    weights where there is no file); `macs` counts multiply-accumulates of one image in
    convolutions and dense layers (None: not countable); `input_shape` is (H, W, C).
    `learned_ranges` is of how many layers it has activation ranges from quantization-aware
    training. `read_as` is a sentence for each thing that was read in another way than the model says;
    `own_names` the names in the model of layers that were renamed for TensorFlow, by the new ones.
    """

    name: str
    source: str
    sha256: str
    parameters: int
    macs: int | None
    input_shape: tuple[int, int, int]
    classes: int
    output: Literal["logits", "probabilities"]
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    learned_ranges: int = 0
    read_as: tuple[str, ...] = ()
    own_names: dict[str, str] = field(default_factory=dict)
