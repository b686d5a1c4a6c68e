"""What was found: hostile files that a reader once answered with a crash, each made by code."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper

from resnet_edge.graph.model import save_model

Make = Callable[[Path, Path], Path]
"""Of the folder of seeds, and an empty one, the file or folder in that one."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file for the reader of `kind`; `says` is in the line that refuses it, "" where it is taken."""

    kind: str
    make: Make
    says: str


def _tflite(change: Callable[[Any], None]) -> Make:
    def make(seeds: Path, place: Path) -> Path:
        model = schema.ModelT.InitFromPackedBuf((seeds / "int8.tflite").read_bytes(), 0)
        change(model.subgraphs[0])
        save_model(model, place / "given.tflite")
        return place / "given.tflite"

    return make


def _conv(graph: Any) -> Any:
    return next(each for each in graph.operators if len(each.inputs) == 3)


def _per_channel(graph: Any) -> Any:
    scales = ((tensor, getattr(tensor.quantization, "scale", None)) for tensor in graph.tensors)
    return next(tensor for tensor, scale in scales if scale is not None and len(scale) > 1)


def _onnx(change: Callable[[Any], None]) -> Make:
    def make(seeds: Path, place: Path) -> Path:
        model = onnx.load(str(seeds / "fixed.onnx"))
        change(model.graph)
        (place / "given.onnx").write_bytes(model.SerializeToString())
        return place / "given.onnx"

    return make


def _nested(graph: Any) -> None:
    inner = helper.make_graph([], "deepest", [], [])
    for _ in range(30):
        inner = helper.make_graph([helper.make_node("If", ["x"], ["y"], then_branch=inner)], "g", [], [])
    graph.node.extend(inner.node)


def _report(**changes: Any) -> Make:
    def make(seeds: Path, place: Path) -> Path:
        shutil.copytree(seeds / "converted", place / "given")
        path = place / "given/report.json"
        path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))
        return place / "given"

    return make


def _deep(name: str, begin: str = "") -> Make:
    def make(seeds: Path, place: Path) -> Path:
        text = begin + "[" * 100_000 + "]" * 100_000 + ("}" if begin else "")
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
        (place / name).with_suffix(".keras").write_bytes(b"")
        return place / name

    return make


def _deep_report(seeds: Path, place: Path) -> Path:
    shutil.copytree(seeds / "converted", place / "given")
    (place / "given/report.json").write_text('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}")
    return place / "given"


def _deep_config(seeds: Path, place: Path) -> Path:
    with zipfile.ZipFile(seeds / "model.keras") as old, zipfile.ZipFile(place / "given.keras", "w") as new:
        for name in old.namelist():
            text = b'{"a": ' * 50_000 + b"1" + b"}" * 50_000
            new.writestr(name, text if name == "config.json" else old.read(name))
    return place / "given.keras"


def _no_array(seeds: Path, place: Path) -> Path:
    with zipfile.ZipFile(place / "given.npz", "w") as archive:
        archive.writestr("images.npy", b"no array")
    return place / "given.npz"


def _checkpoint(name: str, **arrays: Any) -> Make:
    def make(seeds: Path, place: Path) -> Path:
        shutil.copytree(seeds / "out.keras.checkpoint", place / "given")
        state = place / "given/epoch-1.npz"
        if arrays:
            np.savez(state, **arrays)
        state.rename(place / "given" / name)
        return place / "given"

    return make


def _postscript(seeds: Path, place: Path) -> Path:
    shutil.copytree(seeds / "photos", place / "given")
    (place / "given/amber/0.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(marker) (w) file\n"
    )
    return place / "given"


def _set(name: str, value: Any) -> Callable[[Any], None]:
    return lambda item: setattr(item, name, value)


CASES: dict[str, Case] = {
    "operators_without_outputs": Case(
        kind="tflite", make=_tflite(lambda g: setattr(_conv(g), "outputs", [])), says="has no output"
    ),
    "operators_without_inputs": Case(
        kind="tflite", make=_tflite(lambda g: setattr(_conv(g), "inputs", [])), says="has 0 inputs"
    ),
    "absent_kernel": Case(
        kind="tflite", make=_tflite(lambda g: setattr(_conv(g), "inputs", [0, -1, 2])), says="has 3 inputs"
    ),
    "tensor_out_of_range": Case(
        kind="tflite", make=_tflite(lambda g: setattr(_conv(g), "inputs", [99, 0, 0])), says="no tensor 99"
    ),
    "no_operators": Case(kind="tflite", make=_tflite(_set("operators", [])), says=""),
    "fewer_scales": Case(
        kind="tflite",
        make=_tflite(lambda g: setattr(_per_channel(g).quantization, "scale", [0.1, 0.2])),
        says="scales",
    ),
    "fewer_zero_points": Case(
        kind="tflite",
        make=_tflite(lambda g: setattr(_per_channel(g).quantization, "zeroPoint", [0, 0])),
        says="zero points",
    ),
    "name_not_utf8": Case(
        kind="tflite", make=_tflite(lambda g: setattr(g.tensors[0], "name", b"\xff\x1b[31m")), says=""
    ),
    "constant_of_unknown_type": Case(
        kind="onnx", make=_onnx(lambda g: setattr(g.initializer[0], "data_type", 0)), says="damaged"
    ),
    "nodes_without_outputs": Case(
        kind="onnx", make=_onnx(lambda g: g.node[1].output.__delitem__(0)), says="damaged"
    ),
    "nested_branches": Case(kind="onnx", make=_onnx(_nested), says=""),
    "size_of_64_bits": Case(
        kind="onnx", make=_onnx(lambda g: g.initializer[0].dims.extend([2**62, 4])), says=""
    ),
    "external_constant": Case(
        kind="onnx run",
        make=_onnx(lambda g: setattr(g.initializer[0], "data_location", TensorProto.EXTERNAL)),
        says="copy or convert it again",
    ),
    "latency_is_text": Case(kind="report", make=_report(latency="fast"), says="$.latency"),
    "machine_is_a_list": Case(kind="report", make=_report(machine=[1]), says="$.machine"),
    "history_is_a_number": Case(kind="report", make=_report(history=3), says="$.history"),
    "data_is_nothing": Case(kind="report", make=_report(data=None), says="$.data"),
    "calibration_is_a_list": Case(kind="report", make=_report(calibration=[]), says="$.calibration"),
    "nested_report": Case(kind="report", make=_deep_report, says="nested too deeply"),
    "nested_sidecar": Case(
        kind="sidecar", make=_deep("given.json", '{"steps": '), says="given.json is no sidecar"
    ),
    "nested_bench": Case(
        kind="bench", make=_deep("given.json", '{"machine": '), says="is no document of bench"
    ),
    "nested_preprocessing": Case(
        kind="preprocessing", make=_deep("given.json"), says="no preprocessing file"
    ),
    "nested_config": Case(kind="keras", make=_deep_config, says="config.json is damaged"),
    "member_that_is_no_array": Case(kind="npz", make=_no_array, says="it is no archive of arrays"),
    "epoch_99_of_3": Case(kind="checkpoint", make=_checkpoint("epoch-99.npz"), says="no run of 3 epochs"),
    "epoch_x": Case(kind="checkpoint", make=_checkpoint("epoch-x.npz"), says="no run of 3 epochs"),
    "damaged_checkpoint": Case(
        kind="checkpoint", make=_checkpoint("epoch-1.npz", arr_0=np.zeros((3, 2))), says="is damaged"
    ),
    "postscript_called_png": Case(kind="folder", make=_postscript, says="does not decode as an image"),
}
