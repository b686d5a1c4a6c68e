"""Reading and writing flatbuffers, whole ones and damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import graph_of, load_model, read_graph, save_model, with_folded_casts
from tests.graph.road import Road, litert

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize("name", ["fp32", "fp16", "dynamic", "int8", "int16x8"])
def test_round_trip_gives_the_same_outputs_and_graph(name: str, tmp_path: Path, residual: Road) -> None:
    whole, again = residual.portable(name), tmp_path / "again.tflite"
    save_model(load_model(whole), again)
    np.testing.assert_array_equal(litert(again, residual.images[:3]), litert(whole, residual.images[:3]))
    assert again.read_bytes()[4:8] == b"TFL3"
    before, after = read_graph(whole), read_graph(again)
    assert before.nodes == after.nodes
    assert [t.name for t in before.tensors] == [t.name for t in after.tensors]


@pytest.mark.parametrize("name", ["fp32", "int8"])
def test_constants_lie_at_multiples_of_16(name: str, tmp_path: Path, residual: Road) -> None:
    out = tmp_path / "again.tflite"
    save_model(load_model(residual.portable(name)), out)
    model = schema.Model.GetRootAsModel(out.read_bytes(), 0)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    starts = [b._tab.Vector(b._tab.Offset(4)) for b in buffers if b.DataLength()]
    assert len(starts) > 5
    assert {start % 16 for start in starts} == {0}


def test_constants_come_with_shape_and_dtype(residual: Road) -> None:
    graph = read_graph(residual.portable("int8"))
    kernels = [graph.tensors[n.inputs[1]] for n in graph.nodes if n.op == "CONV_2D"]
    assert all(k.data is not None and k.data.shape == k.shape and k.data.dtype == np.int8 for k in kernels)
    assert graph.specs(graph.inputs)[0].shape == (1, 13, 11, 3)


def test_float16_constants_are_folded(residual: Road) -> None:
    graph = read_graph(residual.portable("fp16"))
    assert "DEQUANTIZE" in {node.op for node in graph.nodes}
    folded = with_folded_casts(graph)
    assert "DEQUANTIZE" not in {node.op for node in folded.nodes}
    kernel = folded.tensors[folded.nodes[0].inputs[1]]
    assert kernel.data is not None
    assert kernel.data.dtype == np.float16


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as caught:
        read_graph(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 100, b"\x1c\0\0\0TFL4" + b"\0" * 64])
def test_what_has_no_mark_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "not a TFLite file" in refused(tmp_path / "a.tflite", content)


def test_random_bytes_behind_the_mark_are_refused(tmp_path: Path) -> None:
    for seed in range(20):
        noise = np.random.default_rng(seed).bytes(2048)
        assert "damaged" in refused(tmp_path / "a.tflite", noise[:4] + b"TFL3" + noise[8:])


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_file_is_refused(tmp_path: Path, part: float, residual: Road) -> None:
    whole = residual.float_graph.read_bytes()
    refused(tmp_path / "a.tflite", whole[: int(len(whole) * part)])


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tflite", tmp_path):
        with pytest.raises(ArtifactError, match="cannot be read"):
            read_graph(path)


def is_a_graph(path: Path) -> bool:
    try:
        read_graph(path)
    except ArtifactError:
        return False
    return True


def test_flipped_bytes_never_raise_anything_else(tmp_path: Path, residual: Road) -> None:
    """A damaged file is either still a graph or one ArtifactError; nothing else, and no hang."""
    whole = bytearray(residual.portable("int8").read_bytes())
    random, path = np.random.default_rng(11), tmp_path / "a.tflite"
    outcomes = {True: 0, False: 0}
    for _ in range(150):
        damaged = bytearray(whole)
        # the tables stand at the end, the weights before them
        for position in random.integers(8, len(whole), 6):
            damaged[position] = random.integers(0, 256)
        path.write_bytes(damaged)
        outcomes[is_a_graph(path)] += 1
    assert min(outcomes.values()) > 0, "both ways were taken"


def edited(residual: Road, path: Path, edit: Callable[[object], None]) -> Path:
    model = load_model(residual.float_graph)
    edit(model)
    save_model(model, path)
    return path


def test_two_subgraphs_are_refused(tmp_path: Path, residual: Road) -> None:
    def double(model: object) -> None:
        model.subgraphs = model.subgraphs * 2  # type: ignore[attr-defined]

    with pytest.raises(ArtifactError, match="2 subgraphs, and one is needed"):
        read_graph(edited(residual, tmp_path / "a.tflite", double))


def test_tensor_that_is_not_there_is_refused(tmp_path: Path, residual: Road) -> None:
    def point_away(model: object) -> None:
        model.subgraphs[0].operators[1].inputs = [0, 9999]  # type: ignore[attr-defined]

    with pytest.raises(ArtifactError, match="damaged .*no tensor 9999"):
        read_graph(edited(residual, tmp_path / "a.tflite", point_away))


def behind(residual: Road, path: Path, cut: int) -> None:
    """The float graph with its largest constant behind the flatbuffer, `cut` bytes of it missing."""
    model = load_model(residual.float_graph)
    largest = max(model.buffers, key=lambda b: 0 if b.data is None else len(b.data))
    data = np.asarray(largest.data, np.uint8).tobytes()
    largest.data, largest.offset, largest.size = None, 10**6, len(data)
    save_model(model, path)
    largest.offset = len(path.read_bytes())
    save_model(model, path)
    assert len(path.read_bytes()) == largest.offset
    path.write_bytes(path.read_bytes() + data[: len(data) - cut])


def test_constants_behind_the_flatbuffer_are_brought_in(tmp_path: Path, residual: Road) -> None:
    behind(residual, tmp_path / "a.tflite", 0)
    model = load_model(tmp_path / "a.tflite")
    assert all(buffer.offset == buffer.size == 0 for buffer in model.buffers if buffer.data is not None)
    wanted = read_graph(residual.float_graph)
    for ours, theirs in zip(graph_of(model).tensors, wanted.tensors, strict=True):
        assert (ours.data is None) == (theirs.data is None)
        assert ours.data is None or np.array_equal(ours.data, theirs.data)  # type: ignore[arg-type]


def test_constant_behind_the_end_is_refused(tmp_path: Path, residual: Road) -> None:
    behind(residual, tmp_path / "a.tflite", 1)
    with pytest.raises(ArtifactError, match="cut short"):
        read_graph(tmp_path / "a.tflite")


@pytest.mark.parametrize(("type", "bits"), [("INT4", 4), ("INT2", 2)])
def test_packed_integers_are_read(type: str, bits: int, tmp_path: Path, residual: Road) -> None:
    """The first value is in the lowest bits, as TensorFlow's PackInt4ValuesDensely has it."""
    model = load_model(residual.portable("int8"))
    tensor = next(
        t
        for t in model.subgraphs[0].tensors
        if t.type == schema.TensorType.INT8 and len(t.shape) == 4 and model.buffers[t.buffer].data is not None
    )
    values = np.random.default_rng(0).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), tensor.shape)
    own = (values.ravel() & (2**bits - 1)).astype(np.uint8)
    own = np.pad(own, (0, -len(own) % (8 // bits))).reshape(-1, 8 // bits)
    packed = (own.astype(np.int64) << bits * np.arange(8 // bits)).sum(axis=1).astype(np.uint8)
    tensor.type, model.buffers[tensor.buffer].data = getattr(schema.TensorType, type), packed
    packed_tensor = next(t for t in graph_of(model).tensors if t.dtype == type.lower())
    assert packed_tensor.data is not None
    np.testing.assert_array_equal(packed_tensor.data, values)
    assert packed_tensor.stored_bytes == len(packed)
