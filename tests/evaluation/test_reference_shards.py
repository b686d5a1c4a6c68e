"""Which models go to a cluster; cli/test_cluster.py has them run there."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.evaluation.reference_shards import stays_here
from resnet_edge.models import ModelRequest


def test_files_go_and_all_else_stays(tmp_path: Path) -> None:
    file, folder = tmp_path / "model.keras", tmp_path / "saved"
    file.touch()
    folder.mkdir()
    assert stays_here(ModelRequest(str(file))) == ""
    for source in (str(folder), "resnet20", "app:ResNet50", "package.module:factory"):
        assert stays_here(ModelRequest(source)).startswith(f"{source} is no file that goes to a cluster: ")
    assert stays_here(tmp_path / "a.tflite").endswith(
        "a.tflite is the reference, and no Keras model: it ran on this machine"
    )
