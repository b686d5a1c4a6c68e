"""Tests of `.keras` with files that Keras writes, and with files that are broken on purpose."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from resnet_edge.core.artifact import sha256_of
from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.core.sidecar import Sidecar, write_sidecar
from resnet_edge.models import ModelRequest, OpenedModel, _file_budget, check_source, open_model
from resnet_edge.workers.progress import silent
from tests.models import nets

pytestmark = nets.KERAS_WARNINGS


def _open(path: Path, **options: Any) -> OpenedModel:
    return open_model(ModelRequest(str(path), **options), silent)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / "my net.keras"
    nets.classifier(layers.Rescaling(1 / 255)).save(path)
    return path


def _rewritten(source: Path, out: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of the zip `source` whose members went through `change` (None: left out)."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return out


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_is_packed_as_keras_packs_or_not_at_all(saved: Path, tmp_path: Path, method: int) -> None:
    """Damaged LZMA is an error of a kind of its own, and its header asks for up to 4 GB of memory."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(tmp_path / "m.keras", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name), method if name == "metadata.json" else zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match=f"'metadata.json' is packed in a way .* \\(method {method}\\)"):
        check_source(ModelRequest(str(tmp_path / "m.keras"), preprocess="unit"))


@pytest.mark.parametrize("build", [nets.classifier, nets.flat, nets.transfer])
def test_the_network_gives_what_keras_gives(tmp_path: Path, build: Callable[[], keras.Model]) -> None:
    model = build()
    model.save(tmp_path / "m.keras")
    opened = _open(tmp_path / "m.keras", preprocess="unit")
    batch = nets.images()
    np.testing.assert_array_equal(opened.network(batch), nets.outputs(model, batch))
    assert opened.facts.parameters == model.count_params()


def test_the_facts_of_a_file(saved: Path) -> None:
    facts = _open(saved).facts
    assert (facts.name, facts.source, facts.sha256) == ("my-net", str(saved), sha256_of(saved))
    assert (facts.input_shape, facts.classes, facts.output) == (nets.SHAPE, nets.CLASSES, "logits")
    assert facts.preprocessing.name == "model"
    assert facts.class_names == ()


def test_class_names_come_from_the_sidecar(saved: Path, tmp_path: Path) -> None:
    copy = tmp_path / "m.keras"
    copy.write_bytes(saved.read_bytes())
    write_sidecar(copy, Sidecar(("a", "b", "c", "d")))
    assert _open(copy).facts.class_names == ("a", "b", "c", "d")
    write_sidecar(copy, Sidecar(("a", "b")))
    with pytest.raises(ModelError, match="names 2 classes, and the model has 4"):
        _open(copy)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved: Path, tmp_path: Path, share: float) -> None:
    content = saved.read_bytes()
    (tmp_path / "m.keras").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match="truncated or damaged"):
        check_source(ModelRequest(str(tmp_path / "m.keras")))


def test_damaged_weights_are_refused(saved: Path, tmp_path: Path) -> None:
    def torn(name: str, content: bytes) -> bytes:
        return content[: len(content) // 2] if name.endswith(".h5") else content

    with pytest.raises(ModelError, match="weights are damaged"):
        _open(_rewritten(saved, tmp_path / "m.keras", torn))


def test_a_flipped_bit_is_noticed(saved: Path, tmp_path: Path) -> None:
    content = bytearray(saved.read_bytes())
    with zipfile.ZipFile(saved) as archive:
        info = archive.getinfo("model.weights.h5")
    content[info.header_offset + info.file_size // 2] ^= 0x40
    (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        _open(tmp_path / "m.keras")


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_a_zip_without_a_model_is_refused(saved: Path, tmp_path: Path, member: str) -> None:
    path = _rewritten(saved, tmp_path / "m.keras", lambda name, content: None if name == member else content)
    with pytest.raises(ModelError, match="holds no Keras model"):
        check_source(ModelRequest(str(path)))


def test_a_zip_bomb_is_refused(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", b"")
        archive.writestr("config.json", bytes(32 << 20))
    with pytest.raises(ModelError, match="'config.json' unpacks to"):
        check_source(ModelRequest(str(path)))


def test_members_are_counted_together(saved: Path, tmp_path: Path) -> None:
    """Each is small, and together they would fill the disk: Keras unpacks all of them."""
    path = _rewritten(saved, tmp_path / "m.keras", lambda name, content: content)
    values = np.zeros(1 << 20, np.uint8)
    values[::50] = np.random.default_rng(0).integers(0, 256, len(values[::50]))
    block = values.tobytes()  # packed to less than MAX_RATIO of it
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"assets/{number}", block)
    with pytest.raises(ModelError, match=r"2\d members beside the weights unpack to 20,\d{3},\d{3} bytes"):
        check_source(ModelRequest(str(path)))


def _with_config(saved: Path, out: Path, kind: str, **values: Any) -> Path:
    """A copy in which the layer of this class has other arguments, and the weights are as before."""

    def change(name: str, content: bytes) -> bytes:
        if name != "config.json":
            return content
        config = json.loads(content)
        for layer in config["config"]["layers"]:
            if layer["class_name"] == kind:
                layer["config"].update(values)
        return json.dumps(config).encode()

    return _rewritten(saved, out, change)


def test_weights_that_the_file_does_not_hold_are_never_made(saved: Path, tmp_path: Path) -> None:
    path = _with_config(saved, tmp_path / "m.keras", "Dense", units=10**9)
    with pytest.raises(
        ModelError, match=r"layers with [\d,]{13,} bytes of weights and more, and holds [\d,]+:"
    ):
        _open(path)


def test_first_values_that_take_long_and_are_replaced_are_not_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = keras.Sequential(
        [keras.Input(nets.SHAPE), layers.Flatten(), layers.Dense(5, kernel_initializer="orthogonal")]
    )
    model.save(tmp_path / "m.keras")

    def decompose(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a matrix is decomposed, which takes a minute for a large one")

    monkeypatch.setattr(keras.initializers.Orthogonal, "__call__", decompose)
    opened = _open(tmp_path / "m.keras", preprocess="unit")
    batch = nets.images()
    np.testing.assert_array_equal(opened.network(batch), nets.outputs(model, batch))


def test_weights_that_no_layer_has_are_never_read(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(saved) as archive:
        (tmp_path / "w.h5").write_bytes(archive.read("model.weights.h5"))
    with h5py.File(tmp_path / "w.h5", "a") as opened:
        opened["more"] = np.zeros(1 << 20, np.uint8)
    content = (tmp_path / "w.h5").read_bytes()
    path = _rewritten(
        saved, tmp_path / "m.keras", lambda name, c: content if name == "model.weights.h5" else c
    )
    assert _open(path).facts.parameters  # a megabyte hurts nobody
    monkeypatch.setattr(_file_budget, "PROMISE", 100_000)
    assert _open(saved).facts.parameters
    with pytest.raises(ModelError, match=r"declares 1,\d{3},\d{3} bytes of weights, and its layers have"):
        _open(path)


@pytest.mark.parametrize("known", [True, False])
def test_activations_that_fit_no_memory_are_refused_before_they_are_computed(
    tmp_path: Path, known: bool
) -> None:
    size = (16, 16) if known else (None, None)
    image = keras.Input((*size, 3))
    x = layers.UpSampling2D(100_000, name="up")(layers.Rescaling(1 / 255)(image))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, padding="same")(x))
    path = tmp_path / "up.keras"
    keras.Model(image, layers.Dense(3)(x)).save(path)
    with pytest.raises(
        ModelError, match=r"a layer that gives \(1600000, 1600000, 3\), 30,720,000,000,000 bytes"
    ) as e:
        _open(path, **({} if known else {"input_shape": (16, 16, 3)}))
    assert "calling" not in str(e.value)
    assert "\n" not in str(e.value)


def test_a_lambda_layer_is_refused_without_loading_it(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    nets.classifier(layers.Lambda(lambda x: x / 255, name="scale")).save(path)
    with pytest.raises(ModelError, match=r"has a Lambda layer \(scale\).*Rescaling"):
        check_source(ModelRequest(str(path)))


class Squash(layers.Layer):
    """A custom layer that is not registered."""

    def call(self, x: Any) -> Any:
        return x / 255


@keras.saving.register_keras_serializable(package="mine")
class Registered(Squash):
    """A custom layer that is registered: it is known here, and would not be in the worker."""


@pytest.mark.parametrize("layer", [Squash, Registered])
def test_a_custom_class_is_named(tmp_path: Path, layer: type[layers.Layer]) -> None:
    path = tmp_path / "m.keras"
    nets.classifier(layer()).save(path)
    with pytest.raises(ModelError, match=f"custom class '.*{layer.__name__}'.*package.module:factory"):
        check_source(ModelRequest(str(path)))


@pytest.mark.parametrize(
    "hostile",
    [
        {"module": "os", "class_name": "system", "config": {}, "registered_name": None},
        {"module": "builtins", "class_name": "eval", "config": {}, "registered_name": None},
        {"module": "keras.utils", "class_name": "get_file", "config": {}, "registered_name": None},
        {"module": "keras.saving", "class_name": "load_model", "config": {}, "registered_name": None},
        {"module": "kerasevil", "class_name": "Dense", "config": {}, "registered_name": "Dense"},
        {
            "module": "keras.layers",
            "class_name": "TFSMLayer",
            "config": {"filepath": "x"},
            "registered_name": None,
        },
        {"module": None, "class_name": "__lambda__", "config": {"value": "x"}},
        {"module": "builtins", "class_name": "function", "config": "x", "registered_name": "evil>function"},
    ],
    ids=lambda hostile: f"{hostile['module']}.{hostile['class_name']}",
)
def test_a_hostile_config_never_reaches_keras(saved: Path, tmp_path: Path, hostile: dict[str, Any]) -> None:
    def poisoned(name: str, content: bytes) -> bytes:
        if name != "config.json":
            return content
        config = json.loads(content)
        config["config"]["layers"][1]["config"]["deep"] = [{"down": hostile}]
        return json.dumps(config).encode()

    path = _rewritten(saved, tmp_path / "m.keras", poisoned)
    with pytest.raises(ModelError, match=r"m\.keras has"):
        check_source(ModelRequest(str(path)))


def test_endless_nesting_is_refused(saved: Path, tmp_path: Path) -> None:
    def deep(name: str, content: bytes) -> bytes:
        return b"[" * 500 + b"]" * 500 if name == "config.json" else content

    with pytest.raises(ModelError, match="nested deeper"):
        check_source(ModelRequest(str(_rewritten(saved, tmp_path / "m.keras", deep))))


def test_a_keras_2_zip_is_told_from_a_keras_3_one(saved: Path, tmp_path: Path) -> None:
    def old(name: str, content: bytes) -> bytes:
        return b'{"keras_version": "2.15.0"}' if name == "metadata.json" else content

    with pytest.raises(ModelError, match=r"written by Keras 2\.15\.0.*save it as \.h5"):
        check_source(ModelRequest(str(_rewritten(saved, tmp_path / "m.keras", old))))


def test_how_the_model_was_compiled_does_not_matter(tmp_path: Path) -> None:
    model = nets.classifier(layers.Rescaling(1 / 255))
    model.compile("adam", loss=_a_loss_of_the_users)
    model.save(tmp_path / "m.keras")
    assert _open(tmp_path / "m.keras").facts.classes == nets.CLASSES


def _a_loss_of_the_users(truth: Any, guess: Any) -> Any:
    return keras.ops.mean(truth - guess)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(saved: Path, tmp_path: Path) -> None:
    copy = tmp_path / "m.keras"
    copy.write_bytes(saved.read_bytes())
    copy.chmod(0)
    with pytest.raises(ModelError, match="cannot be opened: Permission denied"):
        check_source(ModelRequest(str(copy)))


def test_the_reason_why_weights_do_not_load_is_told(tmp_path: Path) -> None:
    """Keras says how many objects could not be loaded, which, and the reason of one of them in between."""
    for units in (2, 3):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(units, name="d")], name="m")
        if units == 2:
            model.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="Example error message") as caught:
        model.load_weights(tmp_path / "m.weights.h5")
    line = first_line(caught.value)
    assert "shape" in line
    assert "Example" not in line
