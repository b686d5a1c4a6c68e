"""Tests of what the parent refuses before any framework is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resnet_edge.core.errors import DataError, ModelError, ResnetEdgeError, UnknownName, UsageError
from resnet_edge.models import ModelRequest, _source, check_source

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
ZIP = b"PK\x03\x04" + bytes(32)
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(32)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("resnet20", "zoo"),
        ("article", "zoo"),
        ("resnet50-v1.5", "zoo"),
        ("app:ResNet50", "applications"),
        ("app:ResNet50:random", "applications"),
        ("package.module:factory", "factory"),
        ("nets:Builder.make", "factory"),
        ("missing.keras", "keras_file"),
        ("missing.H5", "h5"),
        ("missing.hdf5", "h5"),
    ],
)
def test_the_kind_is_told_from_the_spelling(source: str, kind: str) -> None:
    assert _source.kind_of(source) == kind


@pytest.mark.parametrize(
    ("file", "content", "error", "says"),
    [
        ("a.keras", b"", ModelError, "is empty"),
        ("a.keras", PNG, ModelError, "is a PNG image"),
        ("a.keras", HDF5, ModelError, "rename it to end in .h5"),
        ("a.keras", ZIP, ModelError, "truncated or damaged"),
        ("a.keras", bytes(range(7, 107)), ModelError, "no kind of file that is known"),
        ("a.h5", b"", ModelError, "is empty"),
        ("a.h5", PNG, ModelError, "is a PNG image"),
        ("a.h5", ZIP, ModelError, "rename it to end in .keras"),
        ("a.h5", b"random bytes, many of them", ModelError, "not an HDF5 file"),
        ("a.zip", ZIP, ModelError, "rename it to end in .keras"),
        ("a.model", HDF5, ModelError, "rename it to end in .h5"),
        ("a.tflite", b"\x1c\x00\x00\x00TFL3....", ModelError, "converted file already"),
        ("a.onnx", b"\x08\x07\x12\x04", ModelError, "converted file already"),
        ("a.jpg", b"\xff\xd8\xff\xe0....", ModelError, "is a JPEG image"),
    ],
)
def test_a_file_that_is_something_else_is_named(
    tmp_path: Path, file: str, content: bytes, error: type[ResnetEdgeError], says: str
) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(error, match=says):
        check_source(ModelRequest(str(tmp_path / file)))


@pytest.mark.parametrize(
    ("request_", "error", "says"),
    [
        (ModelRequest("nowhere/model.keras"), ModelError, "does not exist"),
        (ModelRequest("nowhere/model.h5"), ModelError, "does not exist"),
        (ModelRequest("nowhere/model.bin"), ModelError, "does not exist"),
        (ModelRequest("resnet21"), UnknownName, "the zoo has: .*resnet20.*"),
        (ModelRequest("app:ResNet5"), UnknownName, "choose from: ResNet50,"),
        (ModelRequest("app:resnet51"), UnknownName, "choose from"),
        (ModelRequest("app:ResNet50:fast"), UnknownName, "only :random"),
        (ModelRequest("no_such_package.nets:make"), ModelError, "no package 'no_such_package'"),
        (ModelRequest("resnet20", input_shape=(0, 28, 1)), UsageError, "at least 1"),
        (ModelRequest("resnet20", preprocess="nearly"), UnknownName, "no preprocessing is called 'nearly'"),
        (ModelRequest("resnet20", preprocess=__file__), DataError, "no preprocessing file"),
    ],
)
def test_a_bad_request_is_refused(request_: ModelRequest, error: type[ResnetEdgeError], says: str) -> None:
    with pytest.raises(error, match=says) as raised:
        check_source(request_)
    assert type(raised.value) is error
    assert "\n" not in str(raised.value)


def test_a_folder_called_like_a_zoo_network_is_ambiguous(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resnet20").mkdir()
    (tmp_path / "resnet20" / "saved_model.pb").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="write ./resnet20"):
        check_source(ModelRequest("resnet20"))
    assert _source.kind_of("./resnet20") == "savedmodel"


def test_a_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.keras").mkdir()
    with pytest.raises(ModelError, match="is a folder"):
        check_source(ModelRequest(str(tmp_path / "a.keras")))


def test_checking_imports_neither_numpy_nor_a_framework() -> None:
    code = (
        "import sys\n"
        "from resnet_edge.models import ModelRequest, check_source\n"
        "for source in ('resnet20', 'app:ResNet50', 'json:loads'):\n"
        "    check_source(ModelRequest(source, preprocess='unit'))\n"
        "heavy = {'numpy', 'keras', 'tensorflow', 'h5py', 'tf_keras'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
