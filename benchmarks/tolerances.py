"""How far backends may be from a file as it is written: what core/tolerances.py stands on.

    python benchmarks/tolerances.py --work DIR [--images N] [--backends A,B:DEVICE,...]

DIR holds the good exports of benchmarks/defects.py, which makes them. Each is run operation by operation,
with nothing fused and no delegate, and by every backend that opens it. Relative: the largest difference of an
output over the largest output; steps: over the step of the grid that int8 outputs are on.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core import registry
from resnet_edge.core.errors import ResnetEdgeError
from resnet_edge.core.tensors import dequantize
from resnet_edge.explanation.as_written import as_written
from resnet_edge.stages.kernel_check import step_of
from resnet_edge.stages.predict import stored

Key = tuple[str, str, str]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--backends", default="litert,litert_reference,onnxruntime,openvino")
    options = parser.parse_args()
    places = [tuple((word + ":cpu").split(":")[:2]) for word in options.backends.split(",")]
    found: dict[Key, list[tuple[float, float | None]]] = defaultdict(list)
    for path in sorted(options.work.glob("*/*.*")):
        if path.suffix in (".tflite", ".onnx"):
            for backend, device in places:
                with suppress(ResnetEdgeError):
                    row = apart(path, backend, device, options.work, options.images)
                    key = path.suffix[1:], path.stem.rpartition(".")[2], f"{backend} {device}"
                    found[key].append(row)
                    print(".", end="", file=sys.stderr, flush=True)
    print("\n| format | scheme | backend | files | relative, at most | steps, at most |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    for (format, scheme, place), rows in sorted(found.items()):
        steps = [row[1] for row in rows if row[1] is not None]
        told = f"{max(steps):.0f}" if steps else ""
        print(f"| {format} | {scheme} | {place} | {len(rows)} | {max(row[0] for row in rows):.1e} | {told} |")


def apart(path: Path, backend: str, device: str, work: Path, n: int) -> tuple[float, float | None]:
    """The largest difference, relative and in steps."""
    module: Any = registry.load("backends", backend)
    if path.suffix[1:] not in module.FORMATS:
        raise ResnetEdgeError("another format")
    (entry,), (end,) = registry.load("formats", path.suffix[1:]).describe(path)
    images: NDArray[Any] = np.load(work / f"images{entry.shape[-1]}-1000.npy")[:n]
    run = as_written(path, entry)
    plain = np.concatenate([dequantize(run(stored(image[None], entry)), end) for image in images])
    with module.open_session(path, device, 1) as session:
        ran = [session.run(stored(image[None], session.input)) for image in images]
    found = np.concatenate([dequantize(each, end) for each in ran])
    worst, step = float(np.abs(found - plain).max()), step_of(plain)
    return worst / float(np.abs(plain).max()), None if step is None else worst / step


if __name__ == "__main__":
    main()
