"""A dense layer in int16 on more than two axes gives the same integers on two."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.backends import litert
from resnet_edge.backends._pinned_environment import runtimes
from resnet_edge.compatibility.tflite import minimums
from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, MissingDependency
from resnet_edge.graph.model import load_model, read_graph, save_model
from resnet_edge.graph.rewrites.dense_axes import flatten_dense_layers
from resnet_edge.graph.versions.stamp import set_versions

SHAPE = (1, 3, 4, 8)
CASES = {"three axes": ((1, 12, 8), "abc,cd->abd"), "four axes": (SHAPE, "abce,ed->abcd")}


def images() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(6, *SHAPE)).astype(np.float32)


def int16_file(path: Path, axes: str, per_channel: bool = False) -> Path:
    """Two products on all axes, with a bias each, by TensorFlow's own converter."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    first, second = (random.normal(size=size).astype(np.float32) for size in ((8, 12), (12, 5)))
    biases = [random.normal(size=size).astype(np.float32) for size in (12, 5)]

    shape, equation = CASES[axes]

    def serve(image: Any) -> dict[str, Any]:
        x = tf.nn.relu(tf.einsum(equation, tf.reshape(image, shape), first) + biases[0])
        x = tf.einsum(equation, x, second) + biases[1]
        return {"logits": tf.reduce_mean(x, range(1, len(shape) - 1))}

    module = tf.Module()
    module.serve = tf.function(serve, input_signature=[tf.TensorSpec(SHAPE, tf.float32, name="image")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.serve.get_concrete_function()], module
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter._experimental_disable_per_channel_quantization_for_dense_layers = not per_channel

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        return ([image] for image in images())

    converter.representative_dataset = calibration
    wide = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [wide]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        path.write_bytes(converter.convert())
    return path


def outputs(path: Path, backend: Any = litert) -> NDArray[np.float32]:
    with backend.open_session(path, "cpu", 1) as session:
        return np.concatenate([session.run(image) for image in images()])


def flattened(path: Path, out: Path) -> Path:
    model = load_model(path)
    assert flatten_dense_layers(model) == 2
    assert flatten_dense_layers(model) == 0
    set_versions(model)
    save_model(model, out)
    return out


@pytest.mark.parametrize("axes", CASES)
def test_the_integers_stay_the_same(tmp_path: Path, axes: str) -> None:
    before = int16_file(tmp_path / "before.tflite", axes)
    after = flattened(before, tmp_path / "after.tflite")
    expected, actual = outputs(before), outputs(after)
    assert np.ptp(expected) > 1
    np.testing.assert_array_equal(actual, expected)
    assert read_graph(after).tensors[read_graph(after).outputs[0]].name == (
        read_graph(before).tensors[read_graph(before).outputs[0]].name
    )


@pytest.mark.parametrize(("per_channel", "before", "after"), [(False, "2.8", "2.4"), (True, "2.19", "2.13")])
def test_older_releases_are_right_of_it(tmp_path: Path, per_channel: bool, before: str, after: str) -> None:
    file = int16_file(tmp_path / "before.tflite", "three axes", per_channel)
    assert minimums(load_model(file))[0].version == before
    assert minimums(load_model(flattened(file, tmp_path / "after.tflite")))[0].version == after


@pytest.mark.parametrize("name", [name for name in runtimes() if name.startswith("tflite@")])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.slow
def test_on_old_releases(tmp_path: Path, name: str, per_channel: bool) -> None:
    try:
        backend = registry.load("backends", name)
    except MissingDependency as error:
        pytest.skip(str(error))
    before = int16_file(tmp_path / "before.tflite", "three axes", per_channel)
    after, expected = flattened(before, tmp_path / "after.tflite"), outputs(before)
    release = tuple(map(int, name.partition("@")[2].split(".")))
    if per_channel and release < (2, 13):  # it says so, and is refused
        with pytest.raises(ArtifactError, match="cannot be opened"):
            outputs(after, backend)
    else:
        assert np.abs(outputs(after, backend) - expected).max() < 1e-3 * np.ptp(expected)
