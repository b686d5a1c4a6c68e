"""Tests of `.h5` files that Keras 2 wrote: tf_keras makes them, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from resnet_edge.core.errors import ModelError
from resnet_edge.models import ModelRequest, open_model
from resnet_edge.models.witness import check_reader
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tf_keras")
    root = tmp_path_factory.mktemp("keras2")
    script = Path(__file__).with_name("write_keras2.py")
    subprocess.run(
        [sys.executable, str(script), str(root)],
        check=True,
        capture_output=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    return root


@pytest.mark.parametrize(
    ("name", "preprocess", "output"),
    [
        ("functional", "unit", "probabilities"),
        ("sequential", "unit", "logits"),
        ("frozen", None, "probabilities"),
        ("partly_frozen", None, "logits"),
        ("twice", "unit", "logits"),
        ("divided", None, "logits"),
        ("caffe", None, "logits"),
        ("operators", None, "logits"),
        ("slashes", "unit", "logits"),
        ("nested_sequential", None, "logits"),
    ],
)
def test_it_gives_what_keras_2_gave(folder: Path, name: str, preprocess: str | None, output: str) -> None:
    opened = open_model(ModelRequest(str(folder / f"{name}.h5"), preprocess=preprocess), silent)
    expected = np.load(folder / f"{name}.npz")
    # measured 1.6e-5: Keras 3 does batch normalization in another order, and softmax magnifies it
    np.testing.assert_allclose(opened.network(expected["x"]), expected["y"], rtol=5e-5)
    assert opened.facts.output == output
    assert opened.facts.preprocessing.name == (preprocess or "model")
    assert opened.facts.macs


@pytest.mark.parametrize(("name", "half_a_unit"), [("mixed_bfloat16", 2**-8), ("mixed_float16", 2**-11)])
def test_mixed_precision_is_read_as_float32(folder: Path, name: str, half_a_unit: float) -> None:
    request = ModelRequest(str(folder / f"{name}.h5"), preprocess="unit")
    opened = open_model(request, silent)
    assert opened.facts.read_as == (f"its dtype policy {name} is read as float32: the variables are float32",)
    assert {layer.compute_dtype for layer in opened.trackable._flatten_layers()} == {"float32"}
    expected = np.load(folder / f"{name}.npz")
    ours, theirs = np.log(opened.network(expected["x"])), np.log(expected["y"])
    apart = np.abs(ours - theirs).max() / np.abs(theirs).max()
    assert 0 < apart < 13 * half_a_unit  # its own framework rounds in each of its 13 layers
    check = check_reader(opened, request, expected["x"])
    assert check.loader.startswith("tf_keras")
    assert 0 < check.difference <= check.allowed


def test_names_with_slashes_are_told_as_they_are(folder: Path) -> None:
    opened = open_model(ModelRequest(str(folder / "slashes.h5"), preprocess="unit"), silent)
    names = {layer.name for layer in opened.trackable._flatten_layers()}
    assert {"conv1_conv", "conv1_conv_1", "conv1_bn", "conv1_relu", "block2_conv"} <= names
    assert opened.facts.own_names["conv1_conv_1"] == "conv1/conv"


def test_a_tensorflow_function_that_is_not_on_the_list_is_named(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"calls the TensorFlow function math\.sin.*--trust"):
        open_model(ModelRequest(str(folder / "unknown_function.h5"), preprocess="unit"), silent)


def test_a_lambda_layer_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"has a Lambda layer \(scale\)"):
        open_model(ModelRequest(str(folder / "with_lambda.h5"), preprocess="unit"), silent)


def test_a_missing_array_is_noticed(folder: Path, tmp_path: Path) -> None:
    path = _copy(folder, tmp_path)
    with h5py.File(path, "r+") as opened:
        del opened["model_weights/c1"]
    with pytest.raises(ModelError, match="lacks 1 of the weights"):
        open_model(ModelRequest(str(path), preprocess="unit"), silent)


def test_an_array_of_another_shape_is_noticed(folder: Path, tmp_path: Path) -> None:
    path = _copy(folder, tmp_path)
    with h5py.File(path, "r+") as opened:
        del opened["model_weights/c1/c1/kernel:0"]
        opened["model_weights/c1/c1/kernel:0"] = np.zeros((3, 3, 3, 7), np.float32)
    with pytest.raises(ModelError, match=r"c1/kernel:0 has shape \(3, 3, 3, 7\)"):
        open_model(ModelRequest(str(path), preprocess="unit"), silent)


def _copy(folder: Path, out: Path) -> Path:
    path = out / "m.h5"
    path.write_bytes((folder / "functional.h5").read_bytes())
    return path
