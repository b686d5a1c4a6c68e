"""Metadata of the files of tests/backends/tiny.py."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.metadata import ImageInput, LabelFile, ModelMetadata, ScoreOutput

LABELS = LabelFile("labels.txt", ("Zebra", "Äpfel", "東京", "a b", "🚲"))
GERMAN = LabelFile("labels_de.txt", ("Zebra", "Äpfel", "Tokio", "a b", "Rad"), "de")
GREY = ModelMetadata(
    name="tiny",
    description="Five classes, größer als nichts",
    version="1.2.3",
    author="someone",
    license="Apache-2.0",
    image=ImageInput(
        name="image",
        description="raw pixels",
        width=8,
        height=8,
        colour_space="GRAYSCALE",
        mean=(0.0,),
        std=(1.0,),
    ),
    scores=ScoreOutput("logits", "one score for each class", (LABELS, GERMAN), None),
)
INTEGER = replace(GREY, image=replace(GREY.image, mean=(), std=()))
