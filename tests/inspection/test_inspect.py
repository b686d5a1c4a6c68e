"""What stands in files of every format and precision, against what they were made from."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from resnet_edge.core import registry
from resnet_edge.core.artifact import Quantization, TensorSpec
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.metadata import LabelFile, ModelMetadata
from resnet_edge.core.results.inspection import Inspection
from resnet_edge.formats.tflite import write_metadata
from resnet_edge.graph.macs import work_of
from resnet_edge.graph.model import load_model, save_model
from resnet_edge.inspection.app_warnings import of_inputs, of_metadata, of_tflite
from resnet_edge.inspection.inspect_task import InspectFile
from resnet_edge.inspection.inspect_worker import inspect
from resnet_edge.workers.progress import silent
from tests.backends import tiny
from tests.formats import nets
from tests.formats.metadata.five_classes import GREY, LABELS
from tests.graph.road import Road, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
MACS = {"conv": 8 * 8 * 3 * 3 * 4, "matrix": 4 * tiny.CLASSES}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_all(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def residual(tmp_path_factory: pytest.TempPathFactory) -> Road:
    model = nets.residual_v1()
    return road(model, nets.images(model), tmp_path_factory.mktemp("residual"))


def looked(path: Path) -> Inspection:
    return inspect(InspectFile(str(path), path.suffix[1:]), silent)


def precisions(found: Inspection) -> dict[str, tuple[str, int]]:
    return {each.op: (each.precision, each.macs) for each in found.ops or ()}


@pytest.mark.parametrize(
    ("name", "conv", "matrix", "precision"),
    [
        ("fixed.tflite", "CONV_2D", "FULLY_CONNECTED", "float32"),
        ("int8.tflite", "CONV_2D", "FULLY_CONNECTED", "int8"),
        ("fixed.onnx", "Conv", "MatMul", "float32"),
    ],
)
def test_layers_and_their_precision(files: Path, name: str, conv: str, matrix: str, precision: str) -> None:
    found = looked(files / name)
    ops = precisions(found)
    assert ops[conv] == (precision, MACS["conv"])
    assert ops[matrix] == (precision, MACS["matrix"])
    assert found.macs_by_precision == {precision: sum(MACS.values())}


@pytest.mark.parametrize("format", ["tflite", "onnx"])
@pytest.mark.parametrize(
    ("scheme", "precision"),
    [
        ("fp32", {"tflite": "float32", "onnx": "float32"}),
        ("fp16", {"tflite": "float32 x float16", "onnx": "float16"}),
        ("int8", {"tflite": "int8", "onnx": "uint8 x int8"}),
        ("dynamic", {"tflite": "float32 x int8"}),
        ("int16x8", {"tflite": "int16 x int8"}),
    ],
)
def test_every_scheme_shows(
    format: str, scheme: str, precision: dict[str, str], residual: Road, tmp_path: Path
) -> None:
    if format not in precision:
        pytest.skip(f"{format} does not offer {scheme}")
    room, chosen = registry.load("formats", format), registry.load("schemes", scheme).SCHEME
    path = tmp_path / f"a{room.SUFFIX}"
    room.write(residual.portable(scheme), chosen, "a", path)
    found, work = looked(path), work_of(path)
    assert set(found.macs_by_precision) == {precision[format]}
    assert sum(found.macs_by_precision.values()) == work.float_macs + work.int8_macs
    assert sum((found.parameter_bytes or {}).values()) == work.weight_bytes
    assert {each.op: each.count for each in found.ops or ()}.keys() == room.census(path).keys()
    assert sum(each.count for each in found.ops or ()) == sum(room.census(path).values())


def test_what_made_it(files: Path) -> None:
    assert looked(files / "fixed.tflite").made_by[0] == "MLIR Converted."
    assert "asks for TensorFlow Lite 1." in looked(files / "fixed.tflite").made_by[1]
    assert "operators of ai.onnx 17" in looked(files / "fixed.onnx").made_by[-1]


def test_an_ort_file_is_told_by_onnxruntime(files: Path, tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = ort.SessionOptions()
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.optimized_model_filepath = str(tmp_path / "a.ort")
    ort.InferenceSession(str(files / "dynamic.onnx"), options, providers=["CPUExecutionProvider"])
    found = looked(tmp_path / "a.ort")
    assert (found.inputs[0].shape, found.inputs[0].dtype) == ((None, 8, 8, 1), "float32")
    assert (found.ops, found.parameter_bytes) == (None, None)
    (tmp_path / "cut.ort").write_bytes((tmp_path / "a.ort").read_bytes()[:500])
    with pytest.raises(ArtifactError, match="does not open"):
        looked(tmp_path / "cut.ort")


def test_constants_in_another_file_are_named(files: Path, tmp_path: Path) -> None:
    model = onnx.load(str(files / "fixed.onnx"))
    onnx.save(model, str(tmp_path / "a.onnx"), save_as_external_data=True, location="a.bin", size_threshold=0)
    found = looked(tmp_path / "a.onnx")
    assert any("a.bin" in warning for warning in found.warnings)
    assert found.parameter_bytes == {"float32": tiny.KERNEL.nbytes + tiny.MATRIX.nbytes}


def test_damaged_metadata_hides_nothing_else(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    write_metadata(files / "fixed.tflite", GREY, path)
    path.write_bytes(path.read_bytes()[:-40])
    found = looked(path)
    assert found.metadata is None
    assert "damaged metadata" in found.metadata_damage
    assert not any("metadata" in warning for warning in found.warnings)
    assert found.macs_by_precision


def test_an_onnx_graph_of_unknown_types_is_read(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Own", ["x"], ["y"], domain="own")
    value = onnx.helper.make_tensor_value_info
    ends = [value("x", TensorProto.FLOAT, [1, 2])], [value("y", TensorProto.FLOAT, [1, 2])]
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("own", 1)]
    onnx.save(
        onnx.helper.make_model(onnx.helper.make_graph([node], "g", *ends), opset_imports=opsets),
        str(tmp_path / "a.onnx"),
    )
    assert precisions(looked(tmp_path / "a.onnx")) == {"Own": ("float32", 0)}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_broken_files_are_read_or_refused(files: Path, tmp_path: Path, suffix: str, seed: int) -> None:
    raw = np.frombuffer((files / f"fixed.{suffix}").read_bytes(), np.uint8).copy()
    random = np.random.default_rng(seed)
    raw[random.integers(8, len(raw), 20)] = random.integers(0, 256, 20)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(raw.tobytes())
    with suppress(ArtifactError):
        looked(path)


def changed(**image: object) -> ModelMetadata:
    return replace(GREY, image=replace(GREY.image, **image))  # type: ignore[arg-type]


def labelled(*labels: str) -> ModelMetadata:
    return replace(GREY, scores=replace(GREY.scores, labels=(LabelFile("l.txt", labels),)))


@pytest.mark.parametrize(
    ("file", "metadata", "words"),
    [
        ("fixed", GREY, []),
        ("fixed", None, ["opens no float32 file without"]),
        ("int8", None, []),
        ("fixed", changed(mean=(), std=()), ["no mean and std for a float32 input"]),
        ("uint8", GREY, ["uint8, for which apps ignore"]),
        ("fixed", changed(mean=(1.0, 2.0, 3.0), std=(1.0,) * 3), ["for each channel"]),
        ("fixed", changed(width=9), ["says 9 x 8 pixels, the file 8 x 8"]),
        ("fixed", changed(width=0, height=0, colour_space="unknown"), []),
        ("fixed", changed(colour_space="RGB"), ["says RGB, and the file takes 1 channels"]),
        ("fixed", labelled("a", "b"), ["2 labels, and the file gives 5 scores"]),
        ("fixed", labelled("a", "b", " ", "", "e"), ["2 empty labels"]),
        ("fixed", replace(GREY, scores=replace(GREY.scores, labels=())), ["no labels"]),
        ("fixed", replace(GREY, scores=replace(GREY.scores, name="")), ["names no output"]),
    ],
)
def test_metadata_that_apps_stumble_over(
    files: Path, file: str, metadata: ModelMetadata | None, words: list[str]
) -> None:
    ends = registry.load("formats", "tflite").describe(files / f"{file}.tflite")
    found = of_metadata(metadata, *ends)
    assert len(found) == len(words)
    assert all(word in warning for word, warning in zip(words, found, strict=True))


def test_the_graph_that_apps_stumble_over(files: Path) -> None:
    (spec,), _ = registry.load("formats", "tflite").describe(files / "fixed.tflite")
    rgb = replace(spec, shape=(1, 8, 8, 3))
    assert of_tflite((rgb,), ["CONV_2D"]) == []
    assert "1 channel:" in of_tflite((spec,), [])[0]
    assert "not fixed" in of_tflite((replace(rgb, shape=(None, 8, 8, 3)),), [])[0]
    assert "int8" in of_tflite((replace(rgb, dtype="int8"),), [])[0]
    assert "FlexErf" in of_tflite((rgb,), ["CUSTOM:FlexErf"])[0]


@pytest.mark.parametrize(
    ("dtype", "scale", "point", "words"),
    [
        ("uint8", 1.0, 0, ""),
        ("uint8", 0.9999, 0, ""),
        ("uint8", 1 / 127.5, 128, "for -1.004 to 0.9961"),
        ("int8", 1.0, -128, ""),
        ("int8", 1 / 255, -128, "for 0 to 1,"),
    ],
)
def test_what_an_integer_input_takes_pixels_for(dtype: str, scale: float, point: int, words: str) -> None:
    spec = TensorSpec("image", (1, 8, 8, 3), dtype, Quantization((scale,), (point,)))
    found = of_inputs((spec,), "")
    assert len(found) == bool(words)
    assert all(words in warning for warning in found)
    metadata = changed(mean=(128.0,), std=(127.5,), colour_space="RGB")
    told = any("apps ignore" in warning for warning in of_metadata(metadata, (spec,), (spec,)))
    assert told == (point != 128)


@pytest.mark.parametrize(
    ("dtype", "scale", "point", "words"),
    [
        ("int16", 1 / 32767, 0, "(int16) holds nothing above 1, "),
        ("int16", 255 / 32767, 0, ""),
        ("uint8", 0.4, 0, "for 0 to 102, by its scale and zero point: wrong where the training saw 0 to 255"),
        ("int8", 255 / 127, 0, "an app has to quantize them"),
        ("uint8", 1 / 255, 0, "for 0 to 1, by its scale and zero point: right only where"),
    ],
)
def test_what_an_integer_input_makes_of_pixels_is_what_verify_makes_of_them(
    dtype: str, scale: float, point: int, words: str
) -> None:
    spec = TensorSpec("image", (1, 8, 8, 3), dtype, Quantization((scale,), (point,)))
    found = of_inputs((spec,), "")
    assert len(found) == bool(words)
    assert all(words in warning for warning in found)


def test_weights_in_constant_nodes_and_properties_are_told(tmp_path: Path) -> None:
    value, node = onnx.helper.make_tensor_value_info, onnx.helper.make_node
    weights = onnx.numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32))
    graph = onnx.helper.make_graph(
        [node("Constant", [], ["w"], value=weights), node("Conv", ["x", "w"], ["y"])],
        "g",
        [value("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("y", TensorProto.FLOAT, [1, 4, 6, 6])],
    )
    model = onnx.helper.make_model(graph, producer_name="else", producer_version="2")
    onnx.helper.set_model_props(model, {"author": "somebody"})
    onnx.save(model, str(tmp_path / "a.onnx"))
    found = looked(tmp_path / "a.onnx")
    assert precisions(found)["Conv"] == ("float32", 4 * 6 * 6 * 3 * 3 * 3)
    assert found.parameter_bytes == {"float32": 4 * 4 * 3 * 3 * 3}
    assert found.made_by[0] == "else 2"
    assert found.made_by[-1] == "author: somebody"


def test_a_scale_that_is_no_number_is_damage(files: Path, tmp_path: Path) -> None:
    model = load_model(files / "uint8.tflite")
    tensors = model.subgraphs[0].tensors
    tensors[model.subgraphs[0].inputs[0]].quantization.scale = np.array([np.nan], np.float32)
    save_model(model, tmp_path / "a.tflite")
    with pytest.raises(ArtifactError, match="not finite"):
        looked(tmp_path / "a.tflite")


def test_labels_of_a_foreign_file_are_counted(files: Path, tmp_path: Path) -> None:
    """Our writer refuses a wrong count; that of others does not."""
    out, other = tmp_path / "a.tflite", tmp_path / "b.tflite"
    write_metadata(files / "fixed.tflite", replace(GREY, scores=replace(GREY.scores, labels=(LABELS,))), out)
    save_model(load_model(out), other)
    with zipfile.ZipFile(other, "a") as behind:
        behind.writestr(LABELS.name, "a\nb")
    assert any("2 labels" in warning for warning in looked(other).warnings)
