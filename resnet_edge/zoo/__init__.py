"""The zoo: ResNets by name. This file is data and imports no framework.

Adding a network is one entry in a family file's `FAMILY` table, or one new family file.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resnet_edge.core.choices import choose

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One network of the zoo.

    `builder` is `module:function` below `resnet_edge.zoo`; it takes `input_shape` (H, W, C),
    `classes` and `options`, and returns an uncompiled functional Keras model that maps raw
    pixels (0 to 255, float32, NHWC) to logits. `source` is where the network is published;
    the tests hold its figures.
    """

    builder: str
    input_shape: tuple[int, int, int]
    classes: int
    options: dict[str, Any] = field(default_factory=dict)
    source: str = ""


def families() -> list[str]:
    """The family files, in order of name."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def architectures() -> dict[str, Architecture]:
    """Every network by name."""
    known: dict[str, Architecture] = {}
    for family in families():
        known.update(importlib.import_module(f"{__name__}.{family}").FAMILY)
    return known


def architecture(name: str) -> Architecture:
    """The network called `name`. Raises UnknownName with the choices."""
    known = architectures()
    return known[choose("network", name, known)]


def build(
    name: str,
    input_shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
    **options: Any,
) -> keras.Model:
    """Build the network called `name` with fresh weights; what is not given is the paper's."""
    entry = architecture(name)
    module, _, function = entry.builder.partition(":")
    builder = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    model: keras.Model = builder(
        name=name,
        input_shape=input_shape or entry.input_shape,
        classes=classes or entry.classes,
        **{**entry.options, **options},
    )
    return model
