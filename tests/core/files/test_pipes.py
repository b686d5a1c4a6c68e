"""Tests of core.pipes: nobody waits for who never writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.benchmarking.files import bench_files
from resnet_edge.core.errors import ArtifactError, DataError, ModelError
from resnet_edge.core.files.documents import read_json
from resnet_edge.data.class_names import class_names_in
from resnet_edge.evaluation.private_copy import private_copy
from resnet_edge.golden.file import read_golden
from resnet_edge.models import _source


def test_a_named_pipe_is_refused_by_whoever_reads(tmp_path: Path) -> None:
    path = tmp_path / "pipe.tflite"
    os.mkfifo(path)
    with pytest.raises(DataError, match=r"pipe.tflite cannot be read .it is a named pipe, .*: name"):
        class_names_in(path)
    with pytest.raises(DataError, match=r"it is a named pipe, and no file\): copy it"):
        read_json(path, dict, "report", "copy it")
    with pytest.raises(ArtifactError, match=r"it is a named pipe, and no file\): name another"):
        private_copy(path, "tflite", tmp_path / "new")
    with pytest.raises(ModelError, match=r"it is a named pipe, and no file\): name another"):
        _source.content(path)
    with pytest.raises(DataError, match=r"it is a named pipe, and no file\): name a file of"):
        read_golden(path)
    with pytest.raises(ArtifactError, match="is no file: name artifacts"):
        bench_files((path,))


def test_what_a_shell_pipes_is_read() -> None:
    code = "import sys; from pathlib import Path; from resnet_edge.data.class_names import class_names_in; "
    code += "print(class_names_in(Path(sys.argv[1])))"
    words = ["bash", "-c", f"{sys.executable} -c '{code}' <(printf 'one\\ntwo\\n')"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "('one', 'two')"
