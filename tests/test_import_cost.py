"""What `--help` costs: no numpy, no framework, for the program and for every command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from resnet_edge.cli import main

SCRIPT = """
import sys
from resnet_edge.cli import main
try:
    main(sys.argv[1:], prog_name="resnet-edge")
except SystemExit as end:
    assert not end.code, end.code
heavy = {"numpy", "scipy", "PIL", "keras", "tensorflow", "tf_keras", "onnx", "onnxruntime", "ai_edge_litert",
         "litert_quantizer", "tf2onnx", "h5py", "psutil", "rich"}
print("LOADED", sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
COMMANDS = [*sorted(main.list_commands(None)), "host prepare"]  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [[], *(name.split() for name in COMMANDS)], ids=["program", *COMMANDS])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments, "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED []"
    assert done.stdout.startswith("Usage: resnet-edge")
