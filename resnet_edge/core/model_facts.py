"""What is known of the Keras model that everything is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field

from resnet_edge.core.head import Head, HeadKind, Output
from resnet_edge.core.preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A Keras model of images: a classifier, or one that gives an embedding.

    `name` is a file stem; `source` is what the user typed; `sha256` is of the file (of the weights where
    there is no file); `macs` counts multiply-accumulates of one image in convolutions and dense layers (None:
    not countable); `input_shape` is (H, W, C); `head` tells how its outputs become answers. `learned_ranges`
    is of how many layers it has activation ranges from quantization-aware training. `read_as` is a sentence
    for each thing that was read in another way than the model says; `not_loaded` says which layers kept the
    weights that they were made with, where a program loaded others; `declared` what the user or the sidecar
    says that its outputs are, and `assumed` a sentence where nothing tells it; `own_names` the names in the
    model of layers that were renamed for TensorFlow, by the new ones."""

    name: str
    source: str
    sha256: str
    parameters: int
    macs: int | None
    input_shape: tuple[int, int, int]
    head: Head
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    learned_ranges: int = 0
    read_as: tuple[str, ...] = ()
    declared: HeadKind | None = None
    assumed: str = ""
    not_loaded: str = ""
    own_names: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        """How many classes or labels it tells apart; 0: it gives an embedding."""
        return self.head.classes

    @property
    def output(self) -> Output:
        """What it gives, as the files made of it call their output."""
        return self.head.output
