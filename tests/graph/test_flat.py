"""Tables of flatbuffers, beside the code that is generated from the schema."""

from __future__ import annotations

import struct

import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from resnet_edge.graph import flat
from tests.graph.versions.lists import only_lists

CODES, SUBGRAPHS, TENSORS = 6, 8, 4
"""Fields of tables in schema.fbs: 4 and 2 for each before them."""


def test_tables_and_fields_of_a_model() -> None:
    held = only_lists("GELU", 2)
    model = flat.root(held)
    (code,) = flat.tables(held, model, CODES)
    theirs = schema.Model.GetRootAs(held, 0).OperatorCodes(0)
    version, builtin = flat.field(held, code, 8), flat.field(held, code, 10)
    assert version is not None
    assert builtin is not None
    assert struct.unpack_from("<i", held, version)[0] == theirs.Version() == 2
    assert struct.unpack_from("<i", held, builtin)[0] == theirs.BuiltinCode()
    (graph,) = flat.tables(held, model, SUBGRAPHS)
    assert len([*flat.tables(held, graph, TENSORS)]) == 1


def test_a_field_that_has_its_default_or_is_none_of_the_table_is_not_there() -> None:
    held = only_lists("ADD", 1)  # both are 0 and 1
    (code,) = flat.tables(held, flat.root(held), CODES)
    assert flat.field(held, code, 8) is None
    assert flat.field(held, code, 200) is None
    assert [*flat.tables(held, code, 8)] == []


def test_an_index_in_front_of_the_file_is_an_error() -> None:
    with pytest.raises(struct.error, match="an index in front of the file"):
        flat.field(struct.pack("<ii", 0, 99), 4, 4)


@given(st.data())
def test_a_damaged_file_raises_struct_error_and_nothing_else(data: st.DataObject) -> None:
    held = bytearray(only_lists("GELU", 2))
    for _ in range(data.draw(st.integers(1, 4))):
        held[data.draw(st.integers(0, len(held) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(held[: data.draw(st.integers(0, len(held)))])
    try:
        for code, _ in zip(flat.tables(cut, flat.root(cut), CODES), range(100), strict=False):
            flat.field(cut, code, 10)
    except struct.error:
        pass
