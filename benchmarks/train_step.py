"""One training step of ResNet-20: plain Keras layers against the fused batch normalization.

    python -m benchmarks.train_step [--rounds 5] [--steps 20]

The variants take turns, each in a process of its own (a precision policy and a compiled
function stay with a process). Batch 128 of 28x28x1, TensorFlow backend.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.results import keep, markdown_table
from resnet_edge.training.recipe import Precision

VARIANTS: dict[str, tuple[Precision, bool]] = {
    "plain float32": ("float32", False),
    "fused float32": ("float32", True),
    "plain mixed_bfloat16": ("mixed_bfloat16", False),
    "fused mixed_bfloat16": ("mixed_bfloat16", True),
}


def main() -> None:
    """Run the rounds, print a table, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        print(json.dumps(milliseconds(*VARIANTS[options.variant], options.steps)))
        return
    times: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(options.rounds):
        for name, rows in times.items():
            command = [
                sys.executable,
                "-m",
                "benchmarks.train_step",
                "--variant",
                name,
                "--steps",
                str(options.steps),
            ]
            done = subprocess.run(command, check=True, capture_output=True, env={**os.environ, **QUIET})
            rows.append(json.loads(done.stdout))
    base = times["plain float32"]
    variants = {
        name: {
            "median_ms": statistics.median(rows),
            "speed_up": statistics.median(b / r for b, r in zip(base, rows, strict=True)),
        }
        for name, rows in times.items()
    }
    result = {"rounds": options.rounds, "steps": options.steps, "variants": variants}
    print(table(result))
    keep("train_step", result)


def table(result: dict[str, Any]) -> str:
    """Of every variant, the median, and how many times as fast as plain layers in float32 it is."""
    body = [
        (name, f"{variant['median_ms']:.1f} ms", f"{variant['speed_up']:.2f}x")
        for name, variant in result["variants"].items()
    ]
    return markdown_table(("variant", "a step", "speed-up"), body)


QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}


def milliseconds(precision: Precision, fused: bool, steps: int) -> float:
    """Median time of one step, after a warm-up of three."""
    import keras
    import numpy as np

    from resnet_edge import zoo
    from resnet_edge.models.functional.flat import flat_graph
    from resnet_edge.training.training_copy import training_copy

    if fused:
        model = training_copy(flat_graph(zoo.build("resnet20", (28, 28, 1)), (28, 28, 1)), precision)
    else:
        keras.config.set_dtype_policy(precision)
        model = zoo.build("resnet20", (28, 28, 1))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1, 0.9, nesterov=True), loss, jit_compile=False)
    random = np.random.default_rng(0)
    images = random.uniform(0, 255, (128, 28, 28, 1)).astype(np.float32)
    labels = random.integers(0, 10, 128)
    times = []
    for _ in range(steps + 3):
        began = time.perf_counter()
        model.train_on_batch(images, labels)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times[3:])


if __name__ == "__main__":
    main()
