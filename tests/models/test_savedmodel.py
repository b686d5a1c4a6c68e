"""Tests of SavedModel folders that Keras and TensorFlow write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ModelError, UsageError
from resnet_edge.models import ModelRequest, OpenedModel, check_source, open_model
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _open(folder: Path, **options: Any) -> OpenedModel:
    return open_model(ModelRequest(str(folder), **{"trust": True, "preprocess": "unit", **options}), silent)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("savedmodel") / "net"
    nets.classifier(activation="softmax").export(folder, verbose=False)
    return folder


def test_the_network_gives_what_keras_gives(exported: Path) -> None:
    opened = _open(exported)
    batch = nets.images()
    expected = nets.outputs(nets.classifier(activation="softmax"), batch)
    np.testing.assert_allclose(opened.network(batch), expected, rtol=1e-5)
    facts = opened.facts
    assert (facts.name, facts.sha256) == ("net", sha256_of(exported))
    assert (facts.input_shape, facts.classes, facts.output) == (nets.SHAPE, nets.CLASSES, "probabilities")
    assert facts.parameters == nets.classifier().count_params()
    assert facts.macs is None


def test_it_can_be_traced(exported: Path) -> None:
    opened = _open(exported)
    traced = tf.function(opened.network, input_signature=[tf.TensorSpec((1, *nets.SHAPE), tf.float32)])
    batch = nets.images(count=1)
    np.testing.assert_allclose(traced(batch), opened.network(batch), rtol=1e-6)


def test_it_needs_trust(exported: Path) -> None:
    with pytest.raises(UsageError, match="add --trust"):
        check_source(ModelRequest(str(exported)))


def test_it_does_not_say_what_pixels_it_takes(exported: Path) -> None:
    with pytest.raises(UsageError, match="add --preprocess"):
        _open(exported, preprocess=None)


def test_a_shape_that_contradicts_is_refused(exported: Path) -> None:
    with pytest.raises(UsageError, match="contradicts"):
        _open(exported, input_shape=(8, 8, 3))


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty"), (b"\xff\xff\xff\xff", "truncated or damaged"), (b"\x08\x01", "holds no model")],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(ModelError, match=says):
        _open(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no model; a SavedModel holds saved_model.pb"):
        check_source(ModelRequest(str(tmp_path), trust=True))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="zip it again"):
        check_source(ModelRequest(str(tmp_path), trust=True))


def test_missing_variables_are_one_line(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes((exported / "saved_model.pb").read_bytes())
    with pytest.raises(ModelError, match="cannot be read by TensorFlow") as raised:
        _open(tmp_path)
    assert "\n" not in str(raised.value)


def _saved(
    folder: Path, call: Callable[[Any], Any], shape: tuple[int | None, ...] = (None, *nets.SHAPE)
) -> Path:
    """A tf.Module whose serving signature is `call`."""
    module = tf.Module()
    module.serve = tf.function(call, input_signature=[tf.TensorSpec(shape, tf.float32, name="x")])
    tf.saved_model.save(module, folder, signatures=module.serve)
    return folder


def _reads(x: Any) -> Any:
    return tf.reduce_mean(x, (1, 2)) + tf.cast(
        tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32
    )


def _writes(x: Any) -> Any:
    with tf.control_dependencies([tf.io.write_file("stolen", "x")]):
        return tf.reduce_mean(x, (1, 2))


def _python(x: Any) -> Any:
    return tf.py_function(lambda value: value, [tf.reduce_mean(x, (1, 2))], tf.float32)


def _prints(x: Any) -> Any:
    tf.print("x", output_stream="file://stolen")
    return tf.reduce_mean(x, (1, 2))


@pytest.mark.parametrize(
    ("call", "operation"),
    [(_reads, "ReadFile"), (_writes, "WriteFile"), (_python, "EagerPyFunc"), (_prints, "PrintV2")],
)
def test_operations_on_files_and_python_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[Any], Any], operation: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = _saved(tmp_path / "net", call)
    with pytest.raises(ModelError, match=f"has the operation {operation}"):
        _open(folder)
    assert not (tmp_path / "stolen").exists()


def test_a_network_without_weights_is_opened(tmp_path: Path) -> None:
    facts = _open(_saved(tmp_path / "net", lambda x: tf.reduce_mean(x, (1, 2)))).facts
    assert (facts.parameters, facts.classes, facts.output) == (0, 3, "logits")


@pytest.mark.parametrize(
    ("call", "shape", "says"),
    [
        (lambda x: x, (None, 16, 16, 3), "not one score per class"),
        (lambda x: x, (None, 7), "not a batch of images"),
        (lambda x: tf.reduce_mean(x, (1, 2)), (1, 16, 16, 3), "batches of 1 only"),
        (lambda x: {"a": x, "b": x}, (None, 16, 16, 3), r"2 outputs \(a, b\), .*--output NAME"),
        (
            lambda x: tf.reduce_mean(x, (1, 2)) / 0.0,
            (None, 16, 16, 3),
            "gives NaN or infinity .*correct its operations",
        ),
    ],
)
def test_what_is_no_classifier_is_refused(
    tmp_path: Path, call: Callable[[Any], Any], shape: tuple[int | None, ...], says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        _open(_saved(tmp_path / "net", call, shape))


def test_a_model_without_signatures_is_refused(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), tmp_path / "net")
    with pytest.raises(ModelError, match="needs a signature 'serving_default', and it has none"):
        _open(tmp_path / "net")
