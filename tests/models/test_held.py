"""What Keras looks up by name while a file opens."""

from __future__ import annotations

import inspect

import keras
import pytest

from resnet_edge.models import _allowed
from resnet_edge.models._held import _resolver, held
from tests.models.test_allowed import PUBLIC
from tests.models.test_config import Json, _spellings


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
            resolved = resolve(name, None, module, kind, {}, None)
            assert isinstance(resolved, type) if kind == "class" else inspect.isfunction(resolved), (
                module,
                name,
            )


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
        resolved = resolve(name, None, module, "class", {}, None)
        arguments = set(inspect.signature(resolved.__init__).parameters)
        assert not arguments & suspicious, (module, name)


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
    resolve, available = _resolver("tf_keras"), set()
    for module, name in sorted(_allowed.KERAS2_CLASSES):
        try:
            assert isinstance(resolve(name, None, module, "class", {}, None), type)
            available.add(name)
        except (TypeError, ImportError):  # Keras 3 has it alone, or in another module
            continue
    assert {"Conv2D", "Functional", "Sequential", "TFOpLambda", "Policy", "GlorotUniform", "L2"} <= available
