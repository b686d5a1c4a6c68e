"""Fields of protobuf messages, as onnx writes them and as nobody should."""

from __future__ import annotations

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from resnet_edge.graph.wire import content, fields

GRAPH = onnx.ModelProto.DESCRIPTOR.fields_by_name["graph"].number


def test_fields_with_a_length_are_where_they_lie() -> None:
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "net", [], [])
    model = helper.make_model(graph, producer_name="me")
    held = model.SerializeToString()
    by_number = {each.number: each for each in fields(held, 0, len(held))}
    assert onnx.GraphProto.FromString(content(held, by_number[GRAPH])) == graph
    assert b"me" in [content(held, each) for each in by_number.values()]
    inner = [*fields(held, by_number[GRAPH].begin, by_number[GRAPH].end)]
    assert content(held, inner[0]) == graph.node[0].SerializeToString()


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_all_that_is_repeated_comes_in_its_order(held: list[bytes]) -> None:
    tensor = TensorProto(string_data=held, dims=[1, 2], double_data=[1.5], float_data=[2.5], raw_data=b"raw")
    written = tensor.SerializeToString()
    number = TensorProto.DESCRIPTOR.fields_by_name["string_data"].number
    contents = [content(written, each) for each in fields(written, 0, len(written)) if each.number == number]
    assert contents == held


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (b"\x0a\x05abcd", "a field is longer than its message"),
        (b"\x0a\xff\xff\xff\xff\x7fabcd", "a field is longer than its message"),
        (b"\x0a", "a number has no end"),
        (b"\x08\x80\x80", "a number has no end"),
        (b"\x08" + 10 * b"\xff", "a number has no end"),
        (b"\x0f", "there is no kind 7 of fields"),
    ],
)
def test_damaged_messages_are_refused(held: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        [*fields(held, 0, len(held))]


@given(st.binary(max_size=60))
def test_whatever_it_is_fields_are_inside_of_it(held: bytes) -> None:
    try:
        listed = [*fields(held, 0, len(held))]
    except ValueError:
        return
    assert all(0 <= each.begin <= each.end <= len(held) for each in listed)
