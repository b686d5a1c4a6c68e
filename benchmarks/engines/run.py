"""One engine with one file for engines.py: it answers lines on stdin, one thread, one image at a time.

    python run.py ENGINE FILE IMAGES.npy OUTPUTS.npy

It writes the scores of all images and says `ready`; then for each line, a number of calls, the processor
milliseconds of each call (their median).
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

Run = Callable[[Any], Any]


def executorch(path: str) -> Run:
    """A .pte file."""
    import torch
    from executorch.runtime import Runtime

    torch.set_num_threads(1)
    method = Runtime.get().load_program(path).load_method("forward")
    return lambda image: method.execute((torch.from_numpy(image),))[0].numpy().copy()


def backend(name: str, path: str, stack: ExitStack) -> Run:
    """One of resnet-edge's; integer inputs and outputs are quantized outside."""
    module = importlib.import_module(f"resnet_edge.backends.{name}")
    session = stack.enter_context(module.open_session(Path(path), "cpu", 1))
    assert session.input.dtype == session.output.dtype == "float32"
    run: Run = session.run
    return run


def main(engine: str, path: str, images: str, outputs: str) -> None:
    """Open, answer, end with stdin."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print
    fed = [image[None] for image in np.load(images).astype(np.float32)]
    with ExitStack() as stack:
        run = executorch(path) if engine == "executorch" else backend(engine, path, stack)
        np.save(outputs, np.concatenate([run(image) for image in fed]))
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            spent = []
            for _ in range(int(line)):
                began = time.process_time_ns()
                run(fed[0])
                spent.append((time.process_time_ns() - began) / 1e6)
            print(statistics.median(spent), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
