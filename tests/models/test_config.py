"""Configs of files, by what their JSON says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import pytest

from resnet_edge.core.errors import ModelError
from resnet_edge.models import _allowed, _allowed_compiled
from resnet_edge.models._config import check_config, parsed
from tests.models.test_allowed import PUBLIC

Json = dict[str, Any]


def _model(layer: Json | None = None, **changes: Any) -> Json:
    """A Sequential with one Conv2D; `layer` changes how it is serialised, `changes` its own config."""
    config = {"name": "c", "filters": 2, "kernel_size": [3, 3], **changes}
    entry = {"module": "keras.layers", "class_name": "Conv2D", "registered_name": None, "config": config}
    return {
        "module": "keras",
        "class_name": "Sequential",
        "registered_name": None,
        "config": {"name": "s", "layers": [entry | (layer or {})]},
    }


def _spellings(module: str, name: str) -> Iterator[Json]:
    """The ways in which Keras resolves that name."""
    parent, _, last = module.rpartition(".")
    for where, what in ((module, name), (parent, f"{last}.{name}")):
        if where:
            yield {"module": where, "class_name": what, "config": {}, "registered_name": None}
            yield {"module": where, "class_name": "function", "config": what, "registered_name": what}
            yield {"module": where, "class_name": "function", "config": what, "registered_name": "function"}


def _places(entry: Json) -> Iterator[Json]:
    yield _model(entry)
    yield _model(activation=entry)
    yield _model(kernel_initializer=entry)
    yield _model(kernel_regularizer=entry)
    yield _model(dtype=entry)
    yield _model({"compile_config": {"loss": entry, "optimizer": "adam"}})
    yield _model({"inbound_nodes": [{"args": [], "kwargs": {"deep": [{"down": entry}]}}]})


def _may_be_compiled_with(module: str, name: str) -> bool:
    return (module, name) in _allowed_compiled.COMPILED_CLASSES | _allowed_compiled.COMPILED_FUNCTIONS


@pytest.mark.parametrize("keras2", [False, True])
def test_what_is_not_on_the_list_is_refused_wherever_it_stands(keras2: bool) -> None:
    classes = _allowed.KERAS2_CLASSES if keras2 else _allowed.CLASSES
    functions = _allowed.KERAS2_FUNCTIONS if keras2 else _allowed.FUNCTIONS
    passed = []
    for module, name in sorted(PUBLIC):
        for entry in _spellings(module, name):
            spelled = (entry["module"], entry["config"] or entry["class_name"])
            listed = functions if entry["class_name"] == "function" else classes
            for config in _places(entry):
                compiled = "compile_config" in config["config"]["layers"][0]
                if spelled in listed or (compiled and _may_be_compiled_with(*spelled)):
                    continue
                try:
                    check_config(config, "m.keras", keras2=keras2)
                except ModelError:
                    continue
                passed.append((entry, config))
    assert not passed[:5]


def test_no_model_that_keras_brings_is_refused() -> None:
    """Of keras.applications, one of each family whose layers are its own, without making the weights."""
    for build in (keras.applications.ConvNeXtTiny, keras.applications.InceptionResNetV2):
        model = build(weights=None, input_shape=(96, 96, 3), classes=2)
        check_config(keras.saving.serialize_keras_object(model), "m.keras")


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("Arange", [0, 7 * 10**8, 1], {}),
        ("Linspace", [0.0, 1.0], {"num": 7 * 10**8}),
        ("Tile", [[1.0, 2.0]], {"repeats": 4 * 10**8}),
        (
            "Outer",
            [[1.0] * 3, {"class_name": "__numpy__", "config": {"value": [1.0], "dtype": "float32"}}],
            {},
        ),
    ],
)
def test_nothing_is_computed_of_values_of_the_file_alone(name: str, args: Any, kwargs: Any) -> None:
    """Keras computes them as it reads: 3 to 8 GB of a kilobyte."""
    node = {"args": args, "kwargs": kwargs}
    entry = {
        "module": "keras.src.ops.numpy",
        "class_name": name,
        "registered_name": name,
        "inbound_nodes": [node],
    }
    with pytest.raises(ModelError, match=f"calls '{name}' on no tensor"):
        check_config(_model(entry), "m.keras")
    node["kwargs"] = {**kwargs, "x1": [{"class_name": "__keras_tensor__", "config": {}}]}
    check_config(_model(entry), "m.keras")


@pytest.mark.parametrize(
    "dtype", ["U400000000", "S1000000000", "object", "V8", None, "M8[s]", "float32,float32"]
)
@pytest.mark.parametrize("kind", ["__numpy__", "__tensor__"])
def test_an_array_is_of_numbers(kind: str, dtype: str | None) -> None:
    array = {"class_name": kind, "config": {"value": [1.0], "dtype": dtype}}
    with pytest.raises(ModelError, match="an array that is not of numbers"):
        check_config(_model(kernel_size=array), "m.keras")
    for good in ("float32", "uint8", "bool", "bfloat16", "complex64", "float8_e4m3fn"):
        check_config(_model(kernel_size={**array, "config": {"value": 1, "dtype": good}}), "m.keras")


@pytest.mark.parametrize("name", [[], {}, 3, None, True, [["Dense"]], {"class_name": "Dense"}])
@pytest.mark.parametrize("keras2", [False, True])
def test_a_name_that_is_no_text_is_refused(name: Any, keras2: bool) -> None:
    for changed in (
        _model({"class_name": name}),
        _model(kernel_initializer={"class_name": name, "config": {}}),
    ):
        with pytest.raises(ModelError):
            check_config(changed, "m.keras", keras2=keras2)


def _doubled(depth: int) -> Json:
    """A model that calls its first layer twice, which is such a model."""
    entry: Json = {"module": "keras.layers", "class_name": "ReLU", "config": {}, "inbound_nodes": []}
    for _ in range(depth):
        inner = {**entry, "inbound_nodes": [[["a", 0, 0, {}]], [["a", 1, 0, {}]]]}
        entry = {"module": "keras.models", "class_name": "Model", "config": {"layers": [inner]}}
    return entry


@pytest.mark.parametrize("keras2", [False, True])
def test_models_in_models_do_not_double_without_end(keras2: bool) -> None:
    check_config(_doubled(12), "m.keras", keras2=keras2)
    with pytest.raises(ModelError, match=r"comes to 2\.15e\+09 layers, and no file holds 250,000"):
        check_config(_doubled(30), "m.keras", keras2=keras2)


@pytest.mark.parametrize("pattern", ["(a|a)*b", ".*(a+)+$", "a{99}", "[a-z]", "a|b", "a*"])
def test_dtype_policies_are_for_layers_by_their_names(pattern: str) -> None:
    """Keras matches them as regular expressions, and `(a|a)*b` takes a day on 40 letters."""
    policy = {"class_name": "DTypePolicy", "module": "keras.dtype_policies", "config": {"name": "float32"}}
    policy_map = {"class_name": "DTypePolicyMap", "module": "keras.dtype_policies"}
    check_config(
        _model(dtype={**policy_map, "config": {"policy_map": {"model/dense_1.a b-c": policy}}}), "m.keras"
    )
    with pytest.raises(ModelError, match="dtype policies for layers by the pattern"):
        check_config(_model(dtype={**policy_map, "config": {"policy_map": {pattern: policy}}}), "m.keras")


def test_a_config_of_more_parts_than_any_model_is_not_even_parsed() -> None:
    assert parsed(b'{"a": [' + b"{}," * 200_000 + b"{}]}", "m.keras")
    with pytest.raises(ModelError, match=r"m\.keras has a config of 5,000,003 lists and objects"):
        parsed(b'{"x": [' + b"{}," * 5_000_000 + b"{}]}", "m.keras")
