"""The emulation of int8 without VNNI, against ONNX Runtime itself: natively, and in qemu on a Haswell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from benchmarks import haswell
from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.machine import adds_int8_precisely
from resnet_edge.diagnosis.overflow.emulation import Emulation
from resnet_edge.formats.onnx import optimized
from tests.graph.road import Road

IMAGES = np.random.default_rng(3).integers(0, 256, (12, 9, 9, 4)).astype(np.float32)
IMAGES[:4] = 255  # the brightest: every pair of large weights overflows

WEIGHT_STEP = 0.01
STEP = 60.0
"""Of the scores."""

Layer = tuple[int, int, int, int]
"""Outputs, size of the kernel, stride, groups."""
NETWORKS: dict[str, tuple[Layer, ...]] = {
    "plain": ((8, 3, 1, 1), (8, 3, 1, 1)),
    "strided": ((6, 3, 2, 1), (5, 1, 1, 1)),
    "odd": ((3, 3, 1, 1), (7, 3, 2, 1), (3, 1, 1, 1)),
    "groups": ((8, 3, 1, 2), (8, 3, 1, 4)),
    "depthwise": ((4, 3, 1, 4), (6, 1, 1, 1)),
    "wide": ((70, 5, 1, 1), (70, 3, 1, 1)),
}


def written(
    folder: Path,
    name: str,
    activations: type = np.uint8,
    weights: type = np.int8,
    first_bias: float = 1.0,
) -> Path:
    """A network of layers between Q and DQ with random weights of full range, and a matrix at its end.
    ONNX Runtime leaves the first layer in float where its bias has another scale than 1."""
    writer = _Writer(activations, weights)
    value, channels = writer.quantized("nchw", 1.0), IMAGES.shape[3]
    for number, (outputs, kernel, stride, groups) in enumerate(NETWORKS[name]):
        shape = (outputs, channels // groups, kernel, kernel)
        given = [value, writer.constant(shape), writer.bias(outputs, 40.0 if number else first_bias)]
        pad = kernel // 2
        writer.node(
            "Conv", given, f"conv{number}", pads=[pad] * 4, strides=[stride] * 2, group=groups,
            kernel_shape=[kernel] * 2,
        )  # fmt: skip
        value, channels = (
            writer.quantized(writer.node("Relu", [f"conv{number}"], f"relu{number}"), 40.0),
            outputs,
        )
    value = writer.quantized(writer.node("GlobalAveragePool", [value], "mean"), 40.0)
    value = writer.quantized(writer.node("Flatten", [value], "flat", axis=1), 40.0)
    last = writer.node("Gemm", [value, writer.constant((channels, 5)), writer.bias(5, 40.0)], "gemm")
    writer.node("Identity", [writer.quantized(last, STEP, 128)], "scores")
    path = folder / f"{name}.onnx"
    onnx.save(writer.model(), path)
    return path


class _Writer:
    def __init__(self, activations: type, weights: type) -> None:
        self.random = np.random.default_rng(7)
        self.kind: np.dtype[Any] = np.dtype(activations)
        self.weights: np.dtype[Any] = np.dtype(weights)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.node("Transpose", ["image"], "nchw", perm=[0, 3, 1, 2])

    def node(self, kind: str, given: list[str], out: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, given, [out], name=f"{out}/{kind}", **attributes))
        return out

    def store(self, name: str, values: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def quantized(self, value: str, scale: float, middle: int = 0) -> str:
        zero = middle + (0 if self.kind == np.uint8 else -128)
        ends = [
            self.store(f"{value}.scale", np.float32(scale)),
            self.store(f"{value}.zero", self.kind.type(zero)),
        ]
        self.node("QuantizeLinear", [value, *ends], f"{value}.q")
        return self.node("DequantizeLinear", [f"{value}.q", *ends], f"{value}.dq")

    def constant(self, shape: tuple[int, ...]) -> str:
        name, ends = f"w{len(self.nodes)}", np.iinfo(self.weights)
        stored = self.random.integers(ends.min, ends.max, shape, endpoint=True).astype(self.weights)
        zero = self.weights.type(0 if self.weights == np.int8 else 128)
        given = [
            self.store(name, stored),
            self.store(f"{name}.s", np.float32(WEIGHT_STEP)),
            self.store(f"{name}.z", zero),
        ]
        return self.node("DequantizeLinear", given, f"{name}.dq")

    def bias(self, outputs: int, scale: float) -> str:
        name, zero = f"b{len(self.nodes)}", np.int32(0)
        stored = self.random.integers(-500, 500, outputs).astype(np.int32)
        given = [
            self.store(name, stored),
            self.store(f"{name}.s", np.float32(scale * WEIGHT_STEP)),
            self.store(f"{name}.z", zero),
        ]
        return self.node("DequantizeLinear", given, f"{name}.dq")

    def model(self) -> onnx.ModelProto:
        entry = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, *IMAGES.shape[1:]))
        end = helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 5))
        graph = helper.make_graph(self.nodes, "network", [entry], [end], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def emulated(path: Path, images: NDArray[Any], cut: bool) -> NDArray[Any]:
    emulation = Emulation(optimized(path))
    assert emulation.layers
    assert not emulation.left_out
    return np.concatenate([emulation.run(image[None], cut) for image in images])


def exact(path: Path, images: NDArray[Any]) -> NDArray[Any]:
    """By ONNX Runtime without its integer kernels."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.concatenate(
        [session.run(None, {session.get_inputs()[0].name: image[None]})[0] for image in images]
    )


def without_vnni(path: Path, images: NDArray[Any]) -> NDArray[Any]:
    """By ONNX Runtime as it comes, here if here is no VNNI, else in qemu."""
    if not adds_int8_precisely():
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return np.concatenate([session.run(None, {name: image[None]})[0] for image in images])
    if not haswell.emulator().is_file():
        # It comes from Debian's packages; .ci/run installs it.
        pytest.skip("qemu is not installed: make extras")
    return haswell.outputs(path, images)


@pytest.mark.parametrize("name", NETWORKS)
def test_with_sums_in_32_bits_it_is_exact(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, name)
    truth = exact(path, IMAGES)
    # Unfused, a mean and a rounding go through float32, which may fall to the other side of a half.
    assert np.abs(emulated(path, IMAGES, cut=False) - truth).max() <= STEP
    assert len(np.unique(truth)) > 10


@pytest.mark.parametrize("name", NETWORKS)
def test_it_gives_what_a_processor_without_vnni_gives_to_the_bit(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, name)
    truth = without_vnni(path, IMAGES)
    np.testing.assert_array_equal(emulated(path, IMAGES, cut=True), truth)
    differs = (truth != emulated(path, IMAGES, cut=False)).mean()
    assert differs > 0.2 if name != "depthwise" else differs == 0


def edited(path: Path, edit: Callable[[onnx.GraphProto], None]) -> Path:
    model = onnx.load(path)
    edit(model.graph)
    out = path.with_stem(f"{path.stem}.edited")
    onnx.save(model, out)
    return out


def padded_by_name(graph: onnx.GraphProto) -> None:
    for node in graph.node:
        if node.op_type == "Conv":
            pads = next(each for each in node.attribute if each.name == "pads")
            node.attribute.remove(pads)
            node.attribute.append(helper.make_attribute("auto_pad", "SAME_UPPER"))


def spread(graph: onnx.GraphProto) -> None:
    for node in graph.node:
        if node.op_type == "Conv":
            next(each for each in node.attribute if each.name == "pads").ints[:] = [2, 2, 2, 2]
            node.attribute.append(helper.make_attribute("dilations", [2, 2]))


def off_centre(graph: onnx.GraphProto) -> None:
    """Weights with a zero point."""
    for stored in graph.initializer:
        if stored.name.startswith("w") and stored.name.endswith(".z"):
            stored.CopyFrom(numpy_helper.from_array(np.array(9, np.int8), stored.name))


@pytest.mark.parametrize("edit", [padded_by_name, spread, off_centre])
def test_other_ways_to_say_it_are_read(edit: Callable[[onnx.GraphProto], None], tmp_path: Path) -> None:
    path = edited(written(tmp_path, "plain"), edit)
    truth = exact(path, IMAGES)
    assert np.abs(emulated(path, IMAGES, cut=False) - truth).max() <= STEP
    assert len(np.unique(truth)) > 10
    halved = Emulation(optimized(path)).halved()
    seven = np.concatenate([halved.run(image[None], cut=False) for image in IMAGES])
    assert np.abs(seven - truth).mean() < 0.1 * np.ptp(truth)


def test_uint8_weights_do_not_overflow(tmp_path: Path) -> None:
    path = written(tmp_path, "plain", np.uint8, np.uint8)
    assert not any(layer.layer.narrow for layer in Emulation(optimized(path)).layers)
    np.testing.assert_array_equal(emulated(path, IMAGES, cut=True), without_vnni(path, IMAGES))


def test_int8_activations_overflow_as_well_for_onnx_runtime_makes_them_uint8(tmp_path: Path) -> None:
    path = written(tmp_path, "plain", np.int8, np.int8)
    assert all(layer.layer.narrow for layer in Emulation(optimized(path)).layers)
    np.testing.assert_array_equal(emulated(path, IMAGES, cut=True), without_vnni(path, IMAGES))


@pytest.mark.parametrize("net", ["residual_v1", "bottleneck", "grouped", "dense_on_rows", "transposed"])
@pytest.mark.slow
def test_our_int8_files_are_emulated_to_the_bit(net: str, roads: Callable[[str], Road]) -> None:
    road = roads(net)
    path, _ = road.artifact("onnx", "int8")
    images = road.images[:6].astype(np.float32)
    np.testing.assert_array_equal(emulated(path, images, cut=True), without_vnni(path, images))


def test_weights_in_7_bits_are_those_of_a_file_of_such(tmp_path: Path) -> None:
    path = written(tmp_path, "plain")
    model = onnx.load(path)
    for stored in model.graph.initializer:
        if stored.name[0] in "wb" and "." not in stored.name:
            values = numpy_helper.to_array(stored)
            stored.CopyFrom(numpy_helper.from_array(np.rint(values / 2).astype(values.dtype), stored.name))
        elif stored.name[0] in "wb" and stored.name.endswith(".s"):
            stored.CopyFrom(numpy_helper.from_array(2 * numpy_helper.to_array(stored), stored.name))
    onnx.save(model, tmp_path / "seven.onnx")
    halved = Emulation(optimized(path)).halved()
    outputs = np.concatenate([halved.run(image[None]) for image in IMAGES])
    np.testing.assert_array_equal(outputs, emulated(tmp_path / "seven.onnx", IMAGES, cut=True))
    assert (outputs != emulated(path, IMAGES, cut=False)).any()


def test_weights_in_7_bits_cannot_overflow(tmp_path: Path) -> None:
    halved = Emulation(optimized(written(tmp_path, "plain"))).halved()
    assert not any(layer.at_risk for layer in halved.layers)
    image = IMAGES[:1]
    np.testing.assert_array_equal(halved.run(image, cut=True), halved.run(image, cut=False))


def test_graphs_of_several_inputs_are_refused(tmp_path: Path) -> None:
    model = onnx.load(written(tmp_path, "plain"))
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, (1,)))
    with pytest.raises(ArtifactError, match="2 inputs"):
        Emulation(model)
