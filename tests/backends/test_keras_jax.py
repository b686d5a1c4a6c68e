"""What XLA computes with, which docs/runtimes.md tells: YNNPACK, unless it is switched off."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.core.files.bundled import MODEL_FILE, bundled

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from resnet_edge.backends import keras_jax
with keras_jax.open_session(Path(sys.argv[1]), "cpu", 1) as session:
    session.run(np.zeros((1, 28, 28, 1), np.float32))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flag", "fusions"), [("", 14), ("--xla_cpu_experimental_ynn_fusion_type=", 0)], ids=["as it is", "off"]
)
def test_ynnpack_has_the_convolutions_of_more_than_16_channels(
    flag: str, fusions: int, tmp_path: Path
) -> None:
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    flags = f"{flag} --xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(bundled(MODEL_FILE))],
        env={**os.environ, "XLA_FLAGS": flags.strip(), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        check=True,
    )
    optimized = [file.read_text("utf-8") for file in tmp_path.glob("*.cpu_after_optimizations.txt")]
    [network] = [text for text in optimized if text.count(" convolution(") == 21]
    assert network.count('"__ynn_fusion"') == fusions
