"""What it costs to refuse small files that ask for gigabytes, each through the command that reads it.

    python -m benchmarks.bombs [NAME …]

Processor seconds of the command and all its workers, and the largest resident set of any of them. Exit code 1
where one is not refused in one line, or costs more than core.budget promises (500 MB) or 2 seconds.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from resnet_edge.core.budget import PROMISE

MAKE = "--make"
if MAKE in sys.argv:  # what measures stays small: the peak of a process begins with that of its parent
    import flatbuffers
    import h5py
    import keras
    import numpy as np
    import onnx
    from ai_edge_litert import schema_py_generated as schema
    from keras import layers
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from tests.hostile import seeds

SECONDS = 2.0
DATA = ("--data", "data.npz", "--out", "out", "--quiet")
BENCH = ("--budget", "1s", "--quiet")
Words = tuple[str, ...]


def _image() -> Any:
    return keras.Input((16, 16, 3), name="image")


def _large(layer: Any) -> Any:
    """A network in which `layer` gives the largest tensor; nothing is computed as it is built."""
    image = _image()
    x = layers.Conv2D(64, 3, padding="same")(layers.Rescaling(1 / 255)(image))
    x = layers.GlobalAveragePooling2D()(layer(x))
    return keras.Model(image, layers.Dense(3, activation="softmax")(x))


def upsampling_keras(here: Path) -> Words:
    _large(layers.UpSampling2D(600)).save(here / "m.keras")
    return "convert", "m.keras", *DATA


def upsampling_h5(here: Path) -> Words:
    _large(layers.UpSampling2D(600)).save(here / "m.h5")
    return "convert", "m.h5", *DATA


def upsampling_keras2(here: Path) -> Words:
    words = upsampling_h5(here)
    with h5py.File(here / "m.h5", "r+") as opened:
        opened.attrs["keras_version"] = "2.15.0"
        config = json.loads(opened.attrs["model_config"])
        for layer in config["config"]["layers"]:
            layer["config"]["dtype"] = "float32"
            if layer["class_name"] == "InputLayer":
                layer["config"]["batch_input_shape"] = layer["config"].pop("batch_shape")
            calls = [each["args"][0]["config"]["keras_history"] for each in layer["inbound_nodes"]]
            layer["inbound_nodes"] = [[[*call, {}]] for call in calls]
        opened.attrs["model_config"] = json.dumps(config)
    return words


def resizing(here: Path) -> Words:
    _large(layers.Resizing(40_000, 40_000)).save(here / "m.keras")
    return "convert", "m.keras", *DATA


def padding(here: Path) -> Words:
    _large(layers.ZeroPadding2D(20_000)).save(here / "m.keras")
    return "convert", "m.keras", *DATA


def transposed(here: Path) -> Words:
    _large(layers.Conv2DTranspose(8, 2, strides=2000)).save(here / "m.keras")
    return "convert", "m.keras", *DATA


def wide_convolution(here: Path) -> Words:
    """Few weights, but a tensor of 16 x 16 x a billion."""
    return _changed_config(here, "conv", lambda config: config.update(filters=10**9))


def wide_dense(here: Path) -> Words:
    return _changed_config(here, "fc", lambda config: config.update(units=10**10))


def many_repeats(here: Path) -> Words:
    """A Sequential of UpSamplings, each of which is small."""
    doubled = [layers.UpSampling2D(2, name=f"u{index}") for index in range(12)]
    model = keras.Sequential([_image(), *doubled, layers.GlobalAveragePooling2D(), layers.Dense(3)])
    model.save(here / "m.keras")
    return "convert", "m.keras", "--preprocess", "unit", *DATA


def _small(here: Path, suffix: str) -> Path:
    image = _image()
    x = layers.Conv2D(4, 3, name="conv", activation="relu")(layers.Rescaling(1 / 255)(image))
    model = keras.Model(image, layers.Dense(3, name="fc")(layers.GlobalAveragePooling2D()(x)))
    model.save(here / f"m{suffix}")
    return here / f"m{suffix}"


def _changed_config(here: Path, name: str, change: Callable[[dict[str, Any]], None]) -> Words:
    path = _small(here, ".keras")
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    config = json.loads(members["config.json"])
    change(next(layer for layer in config["config"]["layers"] if layer["name"] == name)["config"])
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    return "convert", "m.keras", *DATA


def many_members(here: Path) -> Words:
    path = _small(here, ".keras")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(200):
            archive.writestr(f"assets/{number}", bytes(10**7))
    return "convert", "m.keras", *DATA


def _empty_dataset(path: Path) -> None:
    with h5py.File(path, "r+") as opened:
        opened.create_dataset("large", (1 << 17, 1 << 17), "f4", chunks=(1 << 10, 1 << 10))


def h5_without_content(here: Path) -> Words:
    _empty_dataset(_small(here, ".h5"))
    return "convert", "m.h5", *DATA


def h5_packed(here: Path) -> Words:
    """A gigabyte of zeros, packed."""
    with h5py.File(_small(here, ".h5"), "r+") as opened:
        large = opened.create_dataset("large", (1 << 28,), "f4", chunks=(1 << 20,), compression="gzip")
        large[: 1 << 26] = 0
    return "convert", "m.h5", *DATA


def keras_with_h5_without_content(here: Path) -> Words:
    path = _small(here, ".keras")
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    (here / "w.h5").write_bytes(members["model.weights.h5"])
    _empty_dataset(here / "w.h5")
    members["model.weights.h5"] = (here / "w.h5").read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    return "convert", "m.keras", *DATA


def _packed_array(path: Path, name: str, shape: tuple[int, ...], dtype: str, megabytes: int) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        header = str({"descr": dtype, "fortran_order": False, "shape": shape}).encode()
        header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
        with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
            member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
            for _ in range(megabytes):
                member.write(bytes(1 << 20))


def npz_labels(here: Path) -> Words:
    _small(here, ".keras")
    np.savez(here / "bomb.npz", images=np.zeros((240, 16, 16, 3), np.uint8))
    _packed_array(here / "bomb.npz", "labels", (1 << 28,), "<i8", 2048)
    return "convert", "m.keras", "--data", "bomb.npz", "--out", "out", "--quiet"


def npz_images(here: Path) -> Words:
    _small(here, ".keras")
    _packed_array(here / "bomb.npz", "images", (1 << 34, 16, 16, 3), "|u1", 2048)
    return "convert", "m.keras", "--data", "bomb.npz", "--out", "out", "--quiet"


def golden(here: Path) -> Words:
    """An entry of golden vectors that unpacks to two gigabytes."""
    place = here / "seeds"
    place.mkdir()
    seeds.write(place)
    (here / "g.npz").write_bytes((place / "golden.npz").read_bytes())
    with zipfile.ZipFile(here / "g.npz") as archive:
        name = next(each for each in archive.namelist() if each.startswith("images"))
        members = {each: archive.read(each) for each in archive.namelist() if each != name}
    with zipfile.ZipFile(here / "g.npz", "w") as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    _packed_array(here / "g.npz", name.removesuffix(".npy"), (1 << 23, 16, 16, 1), "|u1", 2048)
    return "verify", str(place / "fixed.tflite"), "--golden", "g.npz"


def photo(here: Path) -> Words:
    """A PNG of a gigabyte of pixels, in 1 MB."""
    _small(here, ".keras")
    (here / "photos" / "a").mkdir(parents=True)
    Image.new("1", (46_000, 46_000)).save(here / "photos/a/x.png")
    Image.new("RGB", (16, 16)).save(here / "photos/a/y.png")
    return "convert", "m.keras", "--data", "photos", "--out", "out", "--quiet"


def text_in_a_photo(here: Path) -> Words:
    """A PNG whose text unpacks to a gigabyte."""
    _small(here, ".keras")
    (here / "photos" / "a").mkdir(parents=True)
    info = PngInfo()
    info.add_text("a", "x" * (1 << 28), zip=True)
    Image.new("RGB", (16, 16)).save(here / "photos/a/x.png", pnginfo=info)
    return "convert", "m.keras", "--data", "photos", "--out", "out", "--quiet"


def onnx_constant(here: Path) -> Words:
    """A node that makes a tensor of 400 GB."""
    shape = onnx.helper.make_tensor("shape", onnx.TensorProto.INT64, [2], [10**6, 10**5])
    nodes = [
        onnx.helper.make_node("Constant", [], ["shape"], value=shape),
        onnx.helper.make_node("ConstantOfShape", ["shape"], ["large"]),
        onnx.helper.make_node("ReduceMean", ["large"], ["mean"], keepdims=0),
        onnx.helper.make_node("ReduceMean", ["image"], ["scores"], axes=[1, 2], keepdims=0),
        onnx.helper.make_node("Add", ["scores", "mean"], ["logits"]),
    ]
    value = onnx.helper.make_tensor_value_info
    image = value("image", onnx.TensorProto.FLOAT, [1, 8, 8, 3])
    logits = value("logits", onnx.TensorProto.FLOAT, [1, 3])
    graph = onnx.helper.make_graph(nodes, "g", [image], [logits])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, here / "m.onnx")
    return "bench", "m.onnx", "--backends", "onnxruntime", *BENCH


def onnx_input(here: Path) -> Words:
    value = onnx.helper.make_tensor_value_info
    image = value("image", onnx.TensorProto.FLOAT, [1, 10**6, 10**5, 3])
    logits = value("logits", onnx.TensorProto.FLOAT, [1, 3])
    node = onnx.helper.make_node("ReduceMean", ["image"], ["logits"], axes=[1, 2], keepdims=0)
    graph = onnx.helper.make_graph([node], "g", [image], [logits])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, here / "m.onnx")
    return "bench", "m.onnx", "--backends", "onnxruntime", *BENCH


def tflite_input(here: Path) -> Words:
    """A TFLite file whose input says that it has a billion rows."""
    place = here / "seeds"
    place.mkdir()
    seeds.write(place)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs((place / "fixed.tflite").read_bytes()))
    graph = model.subgraphs[0]
    shape = [*graph.tensors[graph.inputs[0]].shape]
    graph.tensors[graph.inputs[0]].shape = [shape[0], 100_000, 100_000, shape[3]]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    (here / "m.tflite").write_bytes(bytes(builder.Output()))
    return "bench", "m.tflite", "--backends", "litert", *BENCH


def report(here: Path) -> Words:
    """JSON of 15 MB, each byte of which takes many in memory."""
    (here / "dist").mkdir()
    (here / "dist/report.json").write_text('{"schema": 1, "x": [' + "{}," * 5_000_000 + "{}]}")
    return "package", "dist", "--data", "data.npz", "--out", "out", "--quiet"


def larger_report(here: Path) -> Words:
    (here / "dist").mkdir()
    (here / "dist/report.json").write_text('{"schema": 1, "x": [' + "{}," * 50_000_000 + "{}]}")
    return "package", "dist", "--data", "data.npz", "--out", "out", "--quiet"


def config_of_empty_objects(here: Path) -> Words:
    path = _small(here, ".keras")
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    members["config.json"] = b'{"x": [' + b"{}," * 5_000_000 + b"{}]}"
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    return "convert", "m.keras", *DATA


def labels(here: Path) -> Words:
    _small(here, ".keras")
    with (here / "labels.txt").open("wb") as stream:
        stream.truncate(4 << 30)
    return "convert", "m.keras", *DATA, "--labels", "labels.txt"


def preprocessing(here: Path) -> Words:
    _small(here, ".keras")
    with (here / "p.json").open("wb") as stream:
        stream.truncate(4 << 30)
    return "convert", "m.keras", *DATA, "--preprocess", "p.json"


BOMBS: dict[str, Callable[[Path], Words]] = {
    each.__name__: each
    for each in (
        upsampling_keras,
        upsampling_h5,
        upsampling_keras2,
        resizing,
        padding,
        transposed,
        wide_convolution,
        wide_dense,
        many_repeats,
        many_members,
        h5_without_content,
        h5_packed,
        keras_with_h5_without_content,
        npz_labels,
        npz_images,
        golden,
        photo,
        text_in_a_photo,
        onnx_constant,
        onnx_input,
        tflite_input,
        report,
        larger_report,
        config_of_empty_objects,
        labels,
        preprocessing,
    )
}


def main() -> int:
    if MAKE in sys.argv:
        name = sys.argv[-1]
        random = np.random.default_rng(0).integers(0, 255, (240, 16, 16, 3))
        np.savez("data.npz", images=random.astype(np.uint8), labels=np.arange(240) % 3)
        print(json.dumps(BOMBS[name](Path())))
        return 0
    wrong, env = 0, {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    for name in sys.argv[1:] or BOMBS:
        with tempfile.TemporaryDirectory(prefix="bombs-") as folder:
            make = [sys.executable, "-m", "benchmarks.bombs", MAKE, name]
            printed = subprocess.run(
                make, cwd=folder, check=True, capture_output=True, text=True, env=env
            ).stdout
            code, said, seconds, peak = _ran(json.loads(printed.splitlines()[-1]), Path(folder))
        faults = list(_faults(code, said, seconds, peak))
        wrong += bool(faults)
        cost = f"{seconds:5.2f} s {peak / 1e6:7,.0f} MB  exit {code}"
        print(f"{name:<30} {cost}  {'WRONG: ' + ', '.join(faults) if faults else 'refused'}")
        print(f"    {said.strip()[:400]}", flush=True)
    return 1 if wrong else 0


def _ran(words: Words, here: Path) -> tuple[int, str, float, int]:
    """Exit code, stderr, processor seconds and the largest resident set, as wait4(2) tells them."""
    with (here / "stderr").open("wb+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "resnet_edge", *words], cwd=here, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode()
    return process.returncode, text, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def _faults(code: int, said: str, seconds: float, peak: int) -> Iterator[str]:
    if code not in (2, 3) or not said.startswith("error: ") or len(said.splitlines()) != 1:
        yield "not refused in one line"
    if seconds > SECONDS:
        yield "too slow"
    if peak > PROMISE:
        yield "too large"


if __name__ == "__main__":
    sys.exit(main())
