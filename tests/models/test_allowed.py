"""Holds the list of what a model file may name against every name that Keras exports."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import keras
import pytest
from keras.src.api_export import REGISTERED_NAMES_TO_OBJS
from keras.src.ops.function import Function
from keras.src.ops.operation import Operation

from resnet_edge.core.errors import ModelError
from resnet_edge.models import _allowed, _allowed_compiled
from resnet_edge.models._config import check_config, parsed
from resnet_edge.models._held import _resolver, held

PROGRAMS = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
READ_FILES = {"StringLookup", "IntegerLookup", "TextVectorization"}
ABSTRACT = {"Layer", "Wrapper", "Initializer", "Regularizer", "Constraint"}
TAKE_FUNCTIONS = {
    "AssociativeScan",
    "Cond",
    "ForiLoop",
    "JVP",
    "Map",
    "Scan",
    "Switch",
    "VectorizedMap",
    "WhileLoop",
}
LOOK_UP = {"get", "serialize", "deserialize"}


def _public_modules(package: str = "keras") -> Iterator[str]:
    """Every module at or below `package` but the implementation, whose import would change the backend."""
    yield package
    for found in pkgutil.iter_modules(
        getattr(importlib.import_module(package), "__path__", []), f"{package}."
    ):
        if found.name != "keras.src":
            yield from _public_modules(found.name)


def _public_names() -> set[tuple[str, str]]:
    """Module and name of whatever can be called in Keras' public namespace."""
    found = {
        (module, name)
        for module in _public_modules()
        for name, value in vars(importlib.import_module(module)).items()
        if callable(value)
    }
    exported = (str(name).rpartition(".") for name in REGISTERED_NAMES_TO_OBJS)
    return found | {(module, name) for module, _, name in exported}


PUBLIC = _public_names()

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


def test_keras_has_names_enough_for_the_tests_below() -> None:
    assert len(PUBLIC) > 1000
    for each in [
        ("keras.utils", "get_file"),
        ("keras.config", "set_floatx"),
        ("keras.datasets.mnist", "load_data"),
        ("keras.saving", "load_model"),
        ("keras.layers", "TFSMLayer"),
    ]:
        assert each in PUBLIC


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


def test_what_is_not_on_the_list_is_not_resolved_either() -> None:
    resolve = _resolver("keras")
    resolved = []
    for module, name in sorted(PUBLIC):
        for entry in _spellings(module, name):
            kind = "function" if entry["class_name"] == "function" else "class"
            what = entry["config"] or entry["class_name"]
            listed = _allowed.FUNCTIONS if kind == "function" else _allowed.CLASSES
            try:
                resolve(what, entry["registered_name"], entry["module"], kind, entry, {what: print})
            except TypeError:
                continue
            if (entry["module"], what) not in listed:
                resolved.append(entry)
    assert not resolved


def test_keras_own_deserialiser_resolves_nothing_else() -> None:
    """By the public function that everything goes through."""
    with held():
        for module, name in [("keras.utils", "get_file"), ("keras", "config.set_floatx"), ("os", "system")]:
            for entry in _spellings(module, name):
                with pytest.raises(TypeError, match="not among what a model file may name"):
                    keras.saving.deserialize_keras_object(entry)
        relu: Json = {"module": "keras.layers", "class_name": "ReLU", "config": {}, "registered_name": None}
        assert isinstance(keras.saving.deserialize_keras_object(relu), keras.layers.ReLU)


def test_the_register_of_custom_objects_is_empty_meanwhile() -> None:
    keras.saving.get_custom_objects()["mine>evil"] = print
    try:
        with held():
            assert keras.saving.get_registered_object("mine>evil") is None
            assert keras.saving.deserialize_keras_object("mine>evil") == "mine>evil"
        assert keras.saving.get_registered_object("mine>evil") is print
    finally:
        del keras.saving.get_custom_objects()["mine>evil"]


def test_all_is_as_before_afterwards() -> None:
    from keras.src.saving import object_registration, serialization_lib

    before = (
        serialization_lib._retrieve_class_or_fn,
        object_registration.get_registered_object,
        keras.Model.compile_from_config,
    )
    with pytest.raises(RuntimeError, match="broke"), held():
        raise RuntimeError("broke")
    after = (
        serialization_lib._retrieve_class_or_fn,
        object_registration.get_registered_object,
        keras.Model.compile_from_config,
    )
    assert after == before
    assert "compile_from_config" not in vars(keras.Model)


def test_what_is_on_the_list_exists() -> None:
    resolve = _resolver("keras")
    for listed, kind in ((_allowed.CLASSES, "class"), (_allowed.FUNCTIONS, "function")):
        for module, name in sorted(listed):
            found = resolve(name, None, module, kind, {}, None)
            assert isinstance(found, type) if kind == "class" else inspect.isfunction(found), (module, name)


def _classes(module: str, base: type, left_out: set[str]) -> set[str]:
    members = vars(importlib.import_module(module)).items()
    found = {name for name, value in members if inspect.isclass(value) and issubclass(value, base)}
    return found - left_out


def _functions(module: str) -> set[str]:
    members = vars(importlib.import_module(module)).items()
    return {name for name, value in members if inspect.isfunction(value)} - LOOK_UP


def test_the_list_is_what_keras_has_of_each_kind() -> None:
    """A release of Keras with more fails here, so that somebody looks at what is new."""
    assert _classes("keras.layers", keras.layers.Layer, PROGRAMS | READ_FILES | ABSTRACT) == _allowed.LAYERS
    assert _classes("keras.initializers", keras.initializers.Initializer, ABSTRACT) == _allowed.INITIALIZERS
    assert _classes("keras.regularizers", keras.regularizers.Regularizer, ABSTRACT) == _allowed.REGULARIZERS
    assert _classes("keras.constraints", keras.constraints.Constraint, ABSTRACT) == _allowed.CONSTRAINTS
    assert _classes("keras.dtype_policies", object, set()) == _allowed.POLICIES
    assert _functions("keras.activations") == _allowed.ACTIVATIONS


def _below(kind: Any) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def test_the_operations_are_all_that_take_no_function() -> None:
    expected: set[tuple[str, str]] = {
        (each.__module__, each.__name__)
        for each in _below(Operation)
        if each.__module__.startswith(("keras.src.ops.", "keras.src.activations."))
        and not issubclass(each, Function)
        and each.__name__ not in TAKE_FUNCTIONS
    }
    listed = {
        pair for pair in _allowed.CLASSES if pair[0].startswith(("keras.src.ops.", "keras.src.activations."))
    }
    assert listed == expected


def test_no_class_on_the_list_takes_a_path_or_a_function() -> None:
    suspicious = {
        "filepath",
        "path",
        "file",
        "url",
        "vocabulary",
        "fn",
        "func",
        "function",
        "call_fn",
        "module",
    }
    resolve = _resolver("keras")
    for module, name in sorted(_allowed.CLASSES):
        found = resolve(name, None, module, "class", {}, None)
        arguments = set(inspect.signature(found.__init__).parameters)
        assert not arguments & suspicious, (module, name)


def test_no_model_that_keras_brings_is_refused() -> None:
    """Of keras.applications, one of each family whose layers are its own, without making the weights."""
    for build in (keras.applications.ConvNeXtTiny, keras.applications.InceptionResNetV2):
        model = build(weights=None, input_shape=(96, 96, 3), classes=2)
        check_config(keras.saving.serialize_keras_object(model), "m.keras")


def test_tf_keras_imports_no_module_that_a_file_names() -> None:
    tf_keras = pytest.importorskip("tf_keras")
    with held("tf_keras"):
        for module, name in [
            ("os", "getcwd"),
            ("keras.src.utils.data_utils", "get_file"),
            ("shutil", "rmtree"),
        ]:
            for entry in _spellings(module, name):
                with pytest.raises(TypeError, match="not among what a model file may name"):
                    tf_keras.saving.deserialize_keras_object(entry)
        dense = {
            "module": "keras.layers",
            "class_name": "Dense",
            "config": {"units": 1},
            "registered_name": None,
        }
        assert isinstance(tf_keras.saving.deserialize_keras_object(dense), tf_keras.layers.Dense)


def test_tf_keras_has_what_is_on_the_list_or_refuses_it() -> None:
    pytest.importorskip("tf_keras")
    resolve, found = _resolver("tf_keras"), set()
    for module, name in sorted(_allowed.KERAS2_CLASSES):
        try:
            assert isinstance(resolve(name, None, module, "class", {}, None), type)
            found.add(name)
        except (TypeError, ImportError):  # Keras 3 has it alone, or in another module
            continue
    assert {"Conv2D", "Functional", "Sequential", "TFOpLambda", "Policy", "GlorotUniform", "L2"} <= found


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
    told = {"class_name": "DTypePolicyMap", "module": "keras.dtype_policies"}
    check_config(_model(dtype={**told, "config": {"policy_map": {"model/dense_1.a b-c": policy}}}), "m.keras")
    with pytest.raises(ModelError, match="dtype policies for layers by the pattern"):
        check_config(_model(dtype={**told, "config": {"policy_map": {pattern: policy}}}), "m.keras")


def test_a_config_of_more_parts_than_any_model_is_not_even_parsed() -> None:
    assert parsed(b'{"a": [' + b"{}," * 200_000 + b"{}]}", "m.keras")
    with pytest.raises(ModelError, match=r"m\.keras has a config of 5,000,003 lists and objects"):
        parsed(b'{"x": [' + b"{}," * 5_000_000 + b"{}]}", "m.keras")
