"""Which GPUs there are: a document for `benchmarks.gpu`, in a process of its own, as a driver may crash it.

python -m benchmarks.gpu.facts
"""

from __future__ import annotations

import json
import shutil
import subprocess

from resnet_edge.backends import _vulkan
from resnet_edge.core.errors import DeviceUnavailable

QUERY = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")


def main() -> None:
    """Print `nvidia` (name, driver, memory) and `vulkan` (names, with `software` of what imitates one)."""
    print(json.dumps({"nvidia": nvidia(), "vulkan": vulkan()}))


def nvidia() -> list[str]:
    """As nvidia-smi names them; none where it is not there or finds none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    done = subprocess.run([program, *QUERY], capture_output=True, text=True, check=False, timeout=20)
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


def vulkan() -> list[str]:
    """As a Vulkan application finds them."""
    try:
        adapters = _vulkan.prepare()
    except DeviceUnavailable:
        return []
    return [f"{one.name} (software)" if one.is_software else one.name for one in adapters]


if __name__ == "__main__":
    main()
