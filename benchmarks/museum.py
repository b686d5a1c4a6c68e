"""Which files are right on which runtimes, old ones too: opens and right of N, or refuses.

    python -m benchmarks.museum [--images N] [--backends NAME,...] [--why] FILE_OR_FOLDER...

Runs on every pinned runtime that is here (`make extras-museum`); docs/runtimes.md has its table. In bold: it
opens, and answers otherwise than today's runtime.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from resnet_edge.backends._pinned_environment import runtimes
from resnet_edge.core import registry
from resnet_edge.data.load import load
from resnet_edge.evaluation.first_backend import FIRST_BACKEND
from tests.backends.museum import Cell, table

SUFFIXES = (".tflite", ".onnx")


def said(cell: Cell) -> str:
    if cell.refusal:
        return "refuses"
    return f"**{cell.right}**" if cell.wrong else str(cell.right)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--why", action="store_true", help="print refusals")
    parser.add_argument("--backends", help="only these, in place of all that are here")
    options = parser.parse_args()
    groups = (p if p.is_dir() else [p] for p in options.paths)
    files = [f for p in groups for f in (sorted(p.iterdir()) if isinstance(p, Path) else p)]
    files = [file for file in files if file.suffix in SUFFIXES]
    here = [name for name, one in runtimes().items() if one.is_there()]
    if options.backends:
        here = options.backends.split(",")
    missing = [name for name in runtimes() if name not in here and not options.backends]
    if missing:
        sys.stderr.write(f"not here: {', '.join(missing)} (make extras-museum)\n")
    test = load("fashion-mnist", "test")
    assert test.labels is not None
    n = options.images
    for suffix in SUFFIXES:
        some = [file for file in files if file.suffix == suffix]
        backends = [name for name in here if suffix[1:] in registry.load("backends", name).FORMATS]
        if not some:
            continue
        columns = [f"`{name}`" for name in (FIRST_BACKEND[suffix[1:]], *backends)]
        print(f"| right of {n} | {' | '.join(columns)} |")
        print(f"| --- |{' ---: |' * (1 + len(backends))}")
        for file in some:
            cells = table([file], backends, test.images[:n], test.labels[:n])
            print(f"| `{file.name}` | {' | '.join(map(said, cells.values()))} |", flush=True)
            for (name, backend), cell in cells.items() if options.why else ():
                if cell.refusal:
                    sys.stderr.write(f"{name} on {backend}: {cell.refusal}\n")
        print()


if __name__ == "__main__":
    main()
