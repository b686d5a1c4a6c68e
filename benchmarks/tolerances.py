"""How far backends may be from a file as it is written: what core/tolerances.py stands on.

    python -m benchmarks.tolerances --work DIR [--images N] [--backends A,B:DEVICE,...]

DIR holds the good exports of benchmarks/defects/, which makes them. Each is run operation by operation,
with nothing fused and no delegate, and by every backend that opens it. What is told is the root of the mean
square of the differences, relative to the outputs, and in steps of the grid that int8 outputs are on;
*times*: over what rounding makes of the float file; and the largest difference, in steps.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import keep, markdown_table
from resnet_edge.core import registry
from resnet_edge.core.errors import ResnetEdgeError
from resnet_edge.core.tensors import dequantize
from resnet_edge.diagnosis.as_written import as_written
from resnet_edge.diagnosis.kernel_check import step_of
from resnet_edge.evaluation.predict import stored

Key = tuple[str, str, str]
"""Format, scheme, and where it ran."""
MOST = ("steps", "times", "largest")


def main() -> None:
    """Measure, print a table, and keep what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--backends", default="litert,litert_reference,onnxruntime,openvino")
    options = parser.parse_args()
    places = [tuple((word + ":cpu").split(":")[:2]) for word in options.backends.split(",")]
    by_key: dict[Key, list[Apart]] = defaultdict(list)
    for path in sorted(options.work.glob("*/*.*")):
        if path.suffix in (".tflite", ".onnx") and path.parent.name != "seeded":
            for backend, device in places:
                with suppress(ResnetEdgeError):
                    row = apart(path, backend, device, options.work, options.images)
                    key = path.suffix[1:], path.stem.rpartition(".")[2], f"{backend} {device}"
                    by_key[key].append(row)
                    print(".", end="", file=sys.stderr, flush=True)
    result = {
        "images": options.images,
        "rows": [
            {
                **dict(zip(("format", "scheme", "backend"), key, strict=True)),
                "files": len(rows),
                "relative": max(row.relative for row in rows),
                **{name: _most([getattr(row, name) for row in rows]) for name in MOST},
            }
            for key, rows in sorted(by_key.items())
        ],
    }
    print(f"\n{table(result)}")
    keep("tolerances", result)


def table(result: dict[str, Any]) -> str:
    """A row for each kind of file on each backend."""
    header = ("format", "scheme", "backend", "files", "relative, at most", "steps", "times", "largest, steps")
    body = [
        (
            *(str(row[key]) for key in ("format", "scheme", "backend", "files")),
            f"{row['relative']:.1e}",
            *("" if row[name] is None else f"{row[name]:.2f}" for name in MOST),
        )
        for row in result["rows"]
    ]
    return markdown_table(header, body, words=3)


def _most(values: list[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


@dataclass(frozen=True)
class Apart:
    """How far a backend is from the file as it is written."""

    relative: float
    steps: float | None
    times: float | None
    largest: float | None


def apart(path: Path, backend: str, device: str, work: Path, n: int) -> Apart:
    """Of one file on one backend. Raises ResnetEdgeError where it does not open it."""
    module: Any = registry.load("backends", backend)
    if path.suffix[1:] not in module.FORMATS:
        raise ResnetEdgeError("another format")
    (entry,), (end,) = registry.load("formats", path.suffix[1:]).describe(path)
    images: NDArray[Any] = np.load(work / f"images{entry.shape[-1]}-1000.npy")[:n]
    plain = written(path, images)
    with module.open_session(path, device, 1) as session:
        ran = [session.run(stored(image[None], session.input)) for image in images]
    outputs = np.concatenate([dequantize(each, end) for each in ran])
    off, step = root(outputs - plain), step_of(plain)
    exact = written(path.with_name(f"{path.name.split('.')[0]}.fp32{path.suffix}"), images)
    rounding = root(plain - exact)
    in_steps = None if step is None else off / step
    largest = None if step is None else float(np.abs(outputs - plain).max()) / step
    return Apart(off / root(plain), in_steps, off / rounding if step is not None else None, largest)


def written(path: Path, images: NDArray[Any]) -> NDArray[np.float32]:
    """The outputs operation by operation."""
    (entry,), (end,) = registry.load("formats", path.suffix[1:]).describe(path)
    run = as_written(path, entry)
    return np.concatenate([dequantize(run(stored(image[None], entry)), end) for image in images])


def root(values: NDArray[Any]) -> float:
    """Of the mean square."""
    return float(np.sqrt(np.square(values.astype(np.float64)).mean()))


if __name__ == "__main__":
    main()
