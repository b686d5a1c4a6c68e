"""The numbers of metadata_schema.fbs 1.5.0 that an image classifier needs: fields in their order, enums."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.core.metadata import Colour

ENTRY = "TFLITE_METADATA"
IDENTIFIER = b"M001"

MIN_PARSER_VERSION = "1.0.0"
"""All fields below are in the schema's first version; tensor groups came with 1.2.0, the version of an
associated file with 1.4.1, custom metadata with 1.5.0 (the history at the head of the schema)."""


@dataclass(frozen=True)
class FieldKind:
    """A table: how many fields it has, and the slots of those that are used."""

    fields: int
    slots: dict[str, int]


MODEL = FieldKind(
    8,
    {"name": 0, "description": 1, "version": 2, "subgraphs": 3, "author": 4, "license": 5, "parser": 7},
)
SUBGRAPH = FieldKind(10, {"inputs": 2, "outputs": 3})
TENSOR = FieldKind(7, {"name": 0, "description": 1, "content": 3, "units": 4, "stats": 5, "files": 6})
CONTENT = FieldKind(3, {"type": 0, "properties": 1})
UNIT = FieldKind(2, {"type": 0, "options": 1})
NORMALIZATION = FieldKind(2, {"mean": 0, "std": 1})
IMAGE = FieldKind(2, {"colour": 0, "size": 1})
SIZE = FieldKind(2, {"width": 0, "height": 1})
STATS = FieldKind(2, {"max": 0, "min": 1})
FILE = FieldKind(5, {"name": 0, "type": 2, "locale": 3})

FEATURE_PROPERTIES, IMAGE_PROPERTIES = 1, 2
"""ContentProperties."""
NORMALIZATION_OPTIONS = 1
"""ProcessUnitOptions."""
AXIS_LABELS = 2
"""AssociatedFileType.TENSOR_AXIS_LABELS."""
COLOURS: dict[Colour, int] = {"unknown": 0, "RGB": 1, "GRAYSCALE": 2}
"""ColorSpaceType."""
