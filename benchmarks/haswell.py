"""ONNX Runtime itself on a processor without VNNI, on any x86 machine: in qemu, which imitates a Haswell.

    python -m benchmarks.haswell FILE.onnx IMAGES.npy OUT.npy

`make extras` installs qemu (beside the environment of the arm64 backends). A ResNet-20 takes 50 ms an image.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

CPU = "Haswell"
"""Of 2013: AVX2, and no VNNI."""


def emulator() -> Path:
    """Where qemu is, whether it is there or not."""
    from resnet_edge.backends._arm64_environment import folder

    return folder() / "bin/qemu-x86_64"


def outputs(path: Path, images: NDArray[Any], settings: dict[str, str] | None = None) -> NDArray[Any]:
    """What ONNX Runtime gives there for images (N, H, W, C), one at a time; `settings` are entries of its
    session."""
    with tempfile.TemporaryDirectory(prefix="haswell-") as folder:
        given, out = Path(folder) / "images.npy", Path(folder) / "outputs.npy"
        np.save(given, images)
        entries = [f"{key}={value}" for key, value in (settings or {}).items()]
        python = Path(sys.executable).resolve()
        command = [str(emulator()), "-cpu", CPU, str(python), __file__, str(path), str(given), str(out)]
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.defpath}
        done = subprocess.run(
            [*command, *entries], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        loaded: NDArray[Any] = np.load(out)
        return loaded


def run(path: str, images: str, out: str, *entries: str) -> None:
    """In qemu."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    for key, _, value in (entry.partition("=") for entry in entries):
        options.add_session_config_entry(key, value)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    np.save(out, np.concatenate([session.run(None, {name: image[None]})[0] for image in np.load(images)]))


if __name__ == "__main__":
    run(*sys.argv[1:])
