"""The kinds of defects, and how one is seeded.

What is seeded is drawn from the name of the kind and the number of the variant, so that a run repeats.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import borders, quantized, statistics, structure, weights
from .files import GoodFile, Kind


@dataclass(frozen=True)
class Seeded:
    """A defective file. `layer` is the output of the broken operation in that file, or `input` or `output`;
    `ordinal` its number among convolutions and dense layers; whoever names one of `names` has found it."""

    kind: str
    variant: int
    path: Path
    layer: str
    ordinal: int
    names: tuple[str, ...]
    note: str


ROOMS = (weights, statistics, structure, quantized, borders)
KINDS: dict[str, Kind] = {kind.name: kind for room in ROOMS for kind in room.KINDS}


def open_good(path: Path, scheme: str) -> GoodFile:
    """The file, to be changed."""
    if path.suffix == ".tflite":
        from .tflite import TfliteFile

        return TfliteFile(path, scheme)
    from .onnx_file import OnnxFile

    return OnnxFile(path, scheme)


def applies(kind: Kind, file: GoodFile, sibling: Path | None = None) -> bool:
    """Whether the kind makes sense for the file; `sibling`: the same network with other weights."""
    return bool(kind.where(file)) and (sibling is not None or not kind.needs_sibling)


def seed(
    kind: Kind, good: Path, scheme: str, variant: int, out: Path, sibling: Path | None = None
) -> Seeded | None:
    """Write the good file to `out` with one defect; None where the kind does not apply."""
    file = open_good(good, scheme)
    if not applies(kind, file, sibling):
        return None
    random = np.random.default_rng([zlib.crc32(f"{kind.name} {good.name}".encode()), variant])
    layers = kind.where(file)
    layer = layers[int(random.integers(len(layers)))]
    if kind.name == "stale_data":
        assert sibling is not None  # applies() said so
        return _stale_data(kind, file, sibling, variant, out)
    if kind.needs_sibling:
        assert sibling is not None  # applies() said so
        file, note = borders.stale(file, open_good(sibling, scheme), variant)
    else:
        note = kind.breaks(file, layer, random, variant)
    file.save(out)
    end = {"input": file.ends[:1], "output": file.ends[1:]}.get(kind.place, ())
    names = tuple(dict.fromkeys((*layer.names, *file.added, *end)))
    where = layer.output if kind.place == "layer" else kind.place
    return Seeded(
        kind=kind.name, variant=variant, path=out, layer=where, ordinal=layer.ordinal, names=names, note=note
    )


def _stale_data(kind: Kind, file: GoodFile, sibling: Path, variant: int, out: Path) -> Seeded:
    """Every layer is broken whose weights are not inside the file."""
    from .onnx_data import write_with_data_of

    note = write_with_data_of(file.path, sibling, out)
    names = tuple(name for layer in file.layers for name in layer.names)
    return Seeded(
        kind=kind.name,
        variant=variant,
        path=out,
        layer=file.layers[0].output,
        ordinal=0,
        names=names,
        note=note,
    )
