"""Small good files of every kind that is read, to be changed."""

from __future__ import annotations

import json
import shutil
import warnings
import zipfile
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from resnet_edge.core.artifact import Artifact, sha256_of
from resnet_edge.core.head import Head
from resnet_edge.core.model_facts import ModelFacts
from resnet_edge.core.preprocessing import PRESETS
from resnet_edge.core.results.bench import Bench, Quiet
from resnet_edge.core.results.latency import Latency
from resnet_edge.core.results.parity import Parity
from resnet_edge.core.results.report import Report
from resnet_edge.core.sidecar import Sidecar, State, Step, StepLatency
from resnet_edge.formats import onnx, tflite
from resnet_edge.golden.file import write_golden
from resnet_edge.report.contract import encode
from resnet_edge.report.readable_json import readable_json
from resnet_edge.training.checkpoint import Checkpoint
from tests.backends import tiny
from tests.data.shards.writing import photos, samples, write_parquet, write_tar, write_tfrecord
from tests.formats.metadata.five_classes import GREY
from tests.golden.test_file import GOLDEN
from tests.report import searches
from tests.report.benches import row

NAMES = ("amber", "blå", "cyan", "dun", "ecru")
SHA = "a" * 64
CHOICE = {"sqnr_db": 30.0, "judged": 6, "tried": [], "skipped": []}


def write(folder: Path) -> Path:
    """All of them, in `folder`."""
    _artifacts(folder)
    _models(folder)
    _data(folder)
    _documents(folder)
    return folder


def _artifacts(folder: Path) -> None:
    tiny.write_tflite(folder)
    tiny.write_onnx(folder)
    tflite.write_metadata(folder / "fixed.tflite", GREY, folder / "told.tflite")
    onnx.write_ort(folder / "fixed.onnx", folder / "fixed.ort")


def _models(folder: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    y = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.Add(name="add")([x, keras.layers.ReLU(name="relu")(y)])
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(image, keras.layers.Dense(5, "softmax", name="fc")(x), name="tiny")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that .h5 is an old format, and what numpy 2 deprecates
        model.save(folder / "model.keras")
        model.save(folder / "model.h5")
    write_keras2(folder / "model.h5", folder / "keras2.h5")


def write_keras2(newer: Path, older: Path) -> None:
    """The same network as Keras 2 writes it: tf_keras takes ten seconds to say no more than this."""
    shutil.copyfile(newer, older)
    with h5py.File(older, "r+") as opened:
        config = json.loads(opened.attrs["model_config"])
        before = None
        for layer in config["config"]["layers"]:
            name = layer["config"]["name"]
            inner = {key: value for key, value in layer["config"].items() if key != "batch_shape"}
            inner["dtype"] = "float32"
            if layer["class_name"] == "InputLayer":
                inner["batch_input_shape"] = [None, 8, 8, 1]
            given = [["conv", 0, 0, {}], ["relu", 0, 0, {}]] if name == "add" else [[before, 0, 0, {}]]
            nodes: list[Any] = [] if before is None else [given]
            layer.clear()
            layer.update(
                class_name=_CLASSES.get(name, "InputLayer"), config=inner, name=name, inbound_nodes=nodes
            )
            before = name
        config["config"]["input_layers"] = [["image", 0, 0]]
        config["config"]["output_layers"] = [["fc", 0, 0]]
        opened.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config["config"]})
        opened.attrs["keras_version"] = "2.15.0"


_CLASSES = {
    "rescaling": "Rescaling",
    "conv": "Conv2D",
    "bn": "BatchNormalization",
    "relu": "ReLU",
    "add": "Add",
    "pool": "GlobalAveragePooling2D",
    "fc": "Dense",
}


def _data(folder: Path) -> None:
    images, labels = tiny.pixels(6), np.arange(6) % 3
    np.savez(folder / "data.npz", images=images, labels=labels, class_names=np.array(NAMES))
    some = photos(6)
    write_tar(folder / "data.tar", samples(some))
    write_tfrecord(folder / "data.tfrecord", some)
    if find_spec("pyarrow") is not None:  # the extra parquet
        write_parquet(folder / "data.parquet", some, NAMES)
    for name, colour in (("photos/amber/0.png", 90), ("photos/blue/1.jpg", 10), ("photos/blue/2.gif", 50)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7), (colour, 20, 30)).save(folder / name)


def _documents(folder: Path) -> None:
    (folder / "preprocessing.json").write_text(
        '{"scale": [0.1, 0.2, 0.3], "offset": [-1], "channels": "BGR"}'
    )
    (folder / "resize.json").write_text('{"fit": "crop", "crop_fraction": 0.9, "interpolation": "bilinear"}')
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in NAMES), "utf-8")
    (folder / "bench.json").write_bytes(readable_json(asdict(bench())))
    searches.finished(folder / "frontier")
    shutil.copyfile(folder / "frontier/space.toml", folder / "space.toml")
    write_golden(GOLDEN, folder / "golden.npz")
    _checkpoint(folder / "out.keras.checkpoint")
    (folder / "story.keras").write_bytes(b"")  # which is read for what lies beside it
    (folder / "story.json").write_bytes(readable_json(asdict(sidecar())))
    folder_of_run = folder / "converted"
    folder_of_run.mkdir()
    for name in ("fixed.tflite", "labels.txt", "fixed.onnx"):
        shutil.copyfile(folder / name, folder_of_run / name)
    (folder_of_run / "report.json").write_bytes(encode(report(folder_of_run)))


def _checkpoint(folder: Path) -> None:
    folder.mkdir()
    (folder / "recipe.json").write_text("{}")
    model = trained()
    Checkpoint(folder, 3).save(model, 1)
    (folder / "history.json").write_text('[{"epoch": 1, "loss": 0.5, "accuracy": 0.5, "seconds": 0.1}]')


def trained() -> Any:
    """The smallest model that has a state of training."""
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def bench() -> Bench:
    """As `bench --json` prints it."""
    rows = (row("a.fp32.tflite", 1.0), row("a.int8.tflite", 0.5, 2, layers={"conv": 100.0}))
    return Bench(
        resnet_edge="0",
        versions={"numpy": "2"},
        machine={"cpu": "one", "usable_cores": 2},
        command="bench",
        seconds=1.0,
        quiet=Quiet(0.1, 1.0),
        rows=rows,
    )


def sidecar() -> Sidecar:
    """With a step of each kind of detail."""
    state = State(
        sha256=SHA,
        parameters=100,
        macs=1000,
        file_bytes=5000,
        gzip_bytes=4000,
        top1=0.9,
        n=100,
        images="test",
        images_sha256=SHA,
    )
    latency = StepLatency(
        format="tflite",
        scheme="fp32",
        backend="litert",
        device="cpu",
        threads=1,
        before_ms=1.0,
        after_ms=0.5,
        ratio=0.5,
        ratio_ci95=(0.4, 0.6),
    )
    layers = [{"name": "conv", "weights": 36, "zeros": 18, "sparsity": 0.5, "block": 1}]
    groups = [{"name": "conv", "layers": ["conv"], "before": 8, "after": 4}]
    details: dict[str, Any] = {"layers": layers, "groups": groups, "data": {"source": "x", "sha256": SHA}}
    step = Step(
        step="prune",
        title="half",
        command="resnet-edge prune",
        resnet_edge="0",
        after=state,
        before=state,
        latency=(latency,),
        details=details,
    )
    return Sidecar(NAMES, (step,))


def report(folder: Path) -> Report:
    """As `convert` tells of what is in `folder`."""
    artifacts = tuple(_artifact(folder / f"fixed.{format}") for format in ("tflite", "onnx"))
    facts = ModelFacts(
        name="tiny",
        source="model.keras",
        sha256=SHA,
        parameters=56,
        macs=2324,
        input_shape=(8, 8, 1),
        head=Head.of_classes(5, "logits"),
        class_names=NAMES,
        preprocessing=PRESETS["unit"],
    )
    data = {"source": "data.npz", "n": 6, "sha256": SHA}
    return Report(
        resnet_edge="0",
        versions={"numpy": "2"},
        machine={"cpu": "one", "usable_cores": 2, "command": "resnet-edge convert"},
        model=facts,
        data=data,
        calibration={**data, "calibrator": "mse", "repairs": ["bias"], **CHOICE},
        max_drop_pp=1.0,
        artifacts=artifacts,
        parity=tuple(_parity(artifact) for artifact in artifacts),
        latency=tuple(
            Latency(
                artifact=each.file,
                backend="litert",
                device="cpu",
                threads=1,
                batch=1,
                n=100,
                p50_ms=1.0,
                p90_ms=2.0,
                p50_ci95_ms=(0.9, 1.1),
                vs_fp32=None,
            )
            for each in artifacts
        ),
        history=sidecar().steps,
    )


def _artifact(path: Path) -> Artifact:
    format = path.suffix[1:]
    inputs, outputs = {"tflite": tflite.describe, "onnx": onnx.describe}[format](path)
    return Artifact(
        path=str(path),
        format=format,
        scheme="fp32",
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        inputs=inputs,
        outputs=outputs,
        converter="seeds",
    )


def _parity(artifact: Artifact) -> Parity:
    return Parity(
        artifact=artifact.file,
        backend="litert",
        device="cpu",
        n=6,
        top1=0.5,
        reference_top1=0.5,
        drop_pp=0.0,
        drop_ci95_pp=(-1.0, 1.0),
        agreement=1.0,
        max_abs=0.001,
        sqnr_db=90.0,
        verdict="pass",
        reasons=("fine",),
    )


def members(path: Path) -> dict[str, bytes]:
    """What is in a zip, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
