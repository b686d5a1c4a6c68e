"""The environment of the arm64 backends: qemu, which emulates one program's processor, a Debian for aarch64
with Python, and the wheels that a Linux on ARM would get."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from pathlib import Path

from resnet_edge.core.errors import MissingDependency

VARIABLE = "RESNET_EDGE_ARM64"
PROGRAMS = Path(__file__).parent / "_programs"
CPU = "cortex-a76"
"""Of 2018, with int8 dot products (sdot) and without int8 matrix products: what most phones have. Never
`max`: with it qemu 7.2, Debian 12's, gives int8 results of XNNPACK that are 251 steps off and says nothing,
because it gets SME wrong. The environment's proc/cpuinfo describes the same processor."""
CALL_SECONDS = 120.0
VALUE_SECONDS = 2e-3
"""What a call may take, and how much more for each value of its images. Measured on two cores: 2 s to start;
for a value 0.4 ms in the bundled ResNet-20 in float32, and 0.16 ms in a ResNet-50 at 224 x 224."""
TITLES = {"ai-edge-litert": "LiteRT", "onnxruntime": "ONNX Runtime"}


def folder() -> Path:
    """Where the environment is, whether it is there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named).absolute() if named else Path(sys.prefix) / "share/resnet-edge/arm64"


def require(backend: str, distribution: str, native: str) -> str:
    """The version of the distribution for aarch64. Raises MissingDependency, also where there is nothing to
    emulate: `native` is the backend that runs it on the processor itself."""
    system, processor = platform.system(), platform.machine()
    if processor in ("aarch64", "arm64"):
        raise MissingDependency(
            f"{backend}: this machine is {processor} itself, and {native} runs there what {backend} "
            f"emulates: use {native}"
        )
    if (system, processor) != ("Linux", "x86_64"):
        raise MissingDependency(f"{backend}: it runs on Linux on x86-64, and this is {system} on {processor}")
    stem = distribution.replace("-", "_")
    distributions = sorted((folder() / "packages").glob(f"{stem}-*.dist-info"))
    if not distributions or not os.path.isfile(_emulator()) or not os.path.isfile(_python()):
        raise MissingDependency(
            f"{backend}: {TITLES[distribution]} for aarch64 is not installed in an environment of its own: "
            f"{install_command()}"
        )
    return distributions[-1].name.removeprefix(f"{stem}-").removesuffix(".dist-info")


def command(runtime: str) -> list[str]:
    """What starts the program that answers for `runtime`; the pipe's number is to follow."""
    return [
        str(_emulator()),
        *("-cpu", CPU, "-L", str(folder() / "sysroot")),
        # Libraries that the host's programs are to load are of another processor.
        *("-U", "LD_PRELOAD", "-U", "LD_LIBRARY_PATH"),
        *(str(_python()), "-I", "-B", str(PROGRAMS / "python_runtime.py")),
        *(str(folder() / "packages"), runtime),
    ]


def install_command() -> str:
    """How to make it where it is looked for."""
    return shlex.join(["sh", str(PROGRAMS / "arm64_environment.sh"), sys.executable, str(folder())])


def _emulator() -> Path:
    return folder() / "bin/qemu-aarch64"


def _python() -> Path:
    return folder() / "sysroot/usr/bin/python3"


if __name__ == "__main__":  # for the Makefile
    sys.stdout.write(install_command() + "\n")
