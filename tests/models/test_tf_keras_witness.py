"""Tests of what is never given to tf_keras: what it would import, call or read."""

from __future__ import annotations

from typing import Any

import pytest

from resnet_edge.core.errors import ModelError
from resnet_edge.models._tf_keras_witness import check_safe
from resnet_edge.models.witness import NoWitness


def _config(**changes: Any) -> dict[str, Any]:
    layer = {
        "class_name": "Dense",
        "config": {"name": "head", "units": 4, "activation": "softmax", **changes},
    }
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [layer]}}


def test_what_keras_has_is_safe() -> None:
    check_safe(
        _config(
            kernel_initializer={
                "module": "keras.initializers",
                "class_name": "GlorotUniform",
                "config": {"seed": None},
                "registered_name": None,
            },
            kernel_regularizer={"class_name": "L2", "config": {"l2": 0.01}},
            dtype={"class_name": "Policy", "config": {"name": "mixed_float16"}},
            bias_initializer={"class_name": "function", "module": "builtins", "config": "relu"},
        ),
        "m.h5",
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"module": "os", "class_name": "system", "config": {}},
        {"module": "keras.src.layers.core", "class_name": "os", "config": {}},
        {"module": "keras.initializers", "class_name": "get", "config": {}},
        {"module": "keras.models", "class_name": "load_model", "config": {}},
        {"module": "builtins", "class_name": "function", "config": "__import__"},
        {"module": "os", "class_name": "function", "config": "system"},
        {"class_name": "StringLookup", "config": {"vocabulary": "/etc/hostname"}},
        {"module": "keras.layers", "class_name": "TextVectorization", "config": {}},
        {"class_name": "TensorFlowOpLayer", "config": {"node_def": "…"}},
        {"class_name": "InstanceProperty", "config": {}},
        {"class_name": "TFOpLambda", "config": {"function": "io.write_file"}},
        {"class_name": "SlicingOpLambda", "config": {"function": "py_function"}},
        {"class_name": "Lambda", "config": {}},
        {"class_name": "__typespec__", "spec_name": "X", "module": "os", "registered_name": "X"},
        {"class_name": ["Dense"], "config": {}},
    ],
    ids=lambda entry: str(entry["class_name"]),
)
def test_what_it_would_look_up_elsewhere_is_not(entry: dict[str, Any]) -> None:
    with pytest.raises((NoWitness, ModelError)):
        check_safe(_config(kernel_initializer=entry), "m.h5")


def test_how_a_part_was_compiled_is_never_read() -> None:
    hidden = {"optimizer": {"module": "keras.optimizers", "class_name": "Adam", "config": {}}}
    entry = {"module": "keras.layers", "class_name": "Dense", "config": {}, "compile_config": hidden}
    with pytest.raises(NoWitness, match="compiled"):
        check_safe(_config(kernel_initializer=entry), "m.h5")
