"""How much memory TFLite Micro takes for a model file: the answer is a line of JSON on stdout.

Every try is a process of its own, because TFLite Micro ends with a signal where an arena is too small for
its own records. What print_allocations says goes to stderr, from C++.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
from tflite_micro.python.tflite_micro import runtime

KIB = 1024
LARGEST = 1 << 30


def run(model: bytes, size: int, report: bool = False) -> None:
    """Open the model in an arena of `size` bytes and run it once. Raises RuntimeError."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=size)
    details = interpreter.get_input_details(0)
    interpreter.set_input(np.zeros(details["shape"], details["dtype"]), 0)
    interpreter.invoke()
    if report:
        interpreter.print_allocations()


def fits(model: bytes, size: int) -> bool:
    """Whether it runs in `size` bytes."""
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 2)
        try:
            run(model, size)
        except RuntimeError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def main(path: str) -> None:
    """Find the smallest arena, in KiB, by doubling and halving; then let it tell what it holds."""
    model = Path(path).read_bytes()
    enough = KIB
    while not fits(model, enough):
        enough *= 2
        if enough > LARGEST:
            run(model, LARGEST)  # raises the reason
            sys.exit("it does not run twice alike")
    too_small = enough // 2
    while enough - too_small > KIB:
        middle = (too_small + enough) // 2 // KIB * KIB
        if fits(model, middle):
            enough = middle
        else:
            too_small = middle
    run(model, LARGEST if enough > LARGEST // 2 else 2 * enough, report=True)
    sys.stdout.write(json.dumps({"smallest_bytes": enough}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
