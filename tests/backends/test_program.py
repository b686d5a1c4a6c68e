from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.backends._program import Program
from resnet_edge.core.errors import MissingDependency


def test_a_program_that_does_not_start_is_one_that_is_missing(tmp_path: Path) -> None:
    """Whoever tries many runtimes goes on with the others."""
    program = tmp_path / "node"
    program.write_text("#!/nowhere/node\n")
    program.chmod(0o755)
    with pytest.raises(MissingDependency, match="Node cannot be started .*: install it again"):
        Program("Node", tmp_path / "net.onnx", [str(program)], {})
