"""Pythons of other versions, each with a runtime of its time, for programs that stand in a bundle.

They are environments inside of ours, or in the folder that RESNET_EDGE_PYTHONS names, one for each version
whose interpreter is on PATH or in pyenv. ONNX Runtime is in the oldest and the newest alone.
`python -m tests.bundle.samples.interpreters` prints how they are made, `make extras-pythons` makes them.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

TFLITE_RUNTIME_2_7 = "tflite-runtime==2.7.0 numpy==1.24.4 pillow==10.4.0 onnxruntime==1.19.2"
"""The oldest that the registry has for Python 3.8, and what went with that Python last."""
TFLITE_RUNTIME_2_14 = "tflite-runtime==2.14.0 numpy==1.26.4 pillow==11.3.0"
"""The last one; it wants numpy before 2.0, and says so nowhere."""
LITERT = "ai-edge-litert==2.3.0 pillow==13.0.0"

RUNTIMES = {
    "3.8": TFLITE_RUNTIME_2_7,
    "3.9": TFLITE_RUNTIME_2_14,
    "3.10": TFLITE_RUNTIME_2_14,
    "3.11": TFLITE_RUNTIME_2_14,
    "3.12": LITERT,
    "3.13": f"{LITERT} onnxruntime==1.32.0",
}
"""What goes into the environment of each version."""


def environment(version: str) -> Path:
    """Where its environment is, whether it is there or not."""
    named = os.environ.get("RESNET_EDGE_PYTHONS")
    return (Path(named) if named else Path(sys.prefix) / "share/resnet-edge") / f"python{version}"


def interpreter(version: str) -> str | None:
    """A bare Python of that version, if there is one here."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    in_pyenv = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(in_pyenv[-1]) if in_pyenv else shutil.which(f"python{version}")


def runtime_of(version: str) -> tuple[str, str]:
    """The Python of its environment, and the name of the runtime for .tflite there; skips where there is
    none."""
    python = environment(version) / "bin/python"
    if not python.is_file():
        pytest.skip(f"there is no environment of Python {version}: make extras-pythons")
    return str(python), "litert" if "litert" in RUNTIMES[version] else "tflite_runtime"


def install_commands() -> list[str]:
    """A line for a shell for each version that is here."""
    available = ((version, interpreter(version)) for version in RUNTIMES)
    return [
        f"{shlex.quote(bare)} -m venv {shlex.quote(str(environment(version)))} && "
        f"{shlex.quote(str(environment(version)))}/bin/python -m pip install {RUNTIMES[version]}"
        for version, bare in available
        if bare is not None
    ]


if __name__ == "__main__":
    # One that cannot be had does not keep the rest away, and is told by the exit code.
    each = "; ".join(f"({line}) || failed=1" for line in install_commands())
    sys.stdout.write(f"failed=0; {each or 'true'}; exit $failed")
