"""Kernels that an operator's version does not tell of."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from resnet_edge.compatibility.tflite import minimums
from tests.compatibility.tflite_models import TYPE, file, one, state_of, tensor


def test_a_kernel_that_no_release_has() -> None:
    first, second = minimums(one("DIV", TYPE.INT8))
    assert (first.state, second.state, second.version) == ("unknown", "known", "2.2")
    assert "DIV is in int8, which no release has that is known here" in first.why
    assert [each.state for each in minimums(one("SQUARED_DIFFERENCE", TYPE.INT16))] == ["unknown"] * 2


ONE_TYPE: tuple[str, ...] = (
    "ADD",
    "CONCATENATION",
    "DIV",
    "EQUAL",
    "FLOOR_DIV",
    "FLOOR_MOD",
    "GREATER",
    "GREATER_EQUAL",
)
ONE_TYPE += ("LESS", "LESS_EQUAL", "MAXIMUM", "MINIMUM", "MUL", "NOT_EQUAL", "PACK", "POW")
ONE_TYPE += ("SQUARED_DIFFERENCE", "SUB", "PADV2", "SELECT", "SELECT_V2")


OPTIONS = {
    "CONCATENATION": "Concatenation",
    "DIV": "Div",
    "MAXIMUM": "MaximumMinimum",
    "MINIMUM": "MaximumMinimum",
}


def of_types(name: str, *dtypes: int) -> Any:
    """An operator with two inputs of these types, where every kernel wants one."""
    first, second = (tensor(dtype, 2, 2, scales=int(dtype == TYPE.INT16)) for dtype in dtypes)
    inputs = [first, second]
    if name == "PADV2":
        inputs = [first, tensor(TYPE.INT32, 2, 2), tensor(dtypes[1])]
    if name.startswith("SELECT"):
        inputs = [tensor(TYPE.BOOL, 2, 2), first, second]
    kind = OPTIONS.get(name, "".join(map(str.capitalize, name.split("_"))))
    options = getattr(schema, f"{kind.replace('Padv2', 'PadV2').replace('Padv', 'PadV')}OptionsT")()
    if name == "PACK":
        options.valuesCount = 2
    gives = TYPE.BOOL if "EQUAL" in name or name in ("LESS", "GREATER") else dtypes[0]
    given = tensor(gives, 2, 2, scales=int(gives == TYPE.INT16))
    model = file(name, [*inputs, given], options=options, version=1)
    model.subgraphs[0].operators[0].builtinOptionsType = getattr(
        schema.BuiltinOptions, type(options).__name__[:-1]
    )
    model.subgraphs[0].inputs = list(range(len(inputs)))
    return model


@pytest.mark.parametrize("name", ONE_TYPE)
def test_no_kernel_takes_inputs_of_two_types(name: str) -> None:
    run(of_types(name, TYPE.FLOAT32, TYPE.FLOAT32))
    model = of_types(name, TYPE.INT16, TYPE.FLOAT32)
    for minimum in minimums(model):
        assert minimum.state == "unknown"
        assert f"{name} has inputs of two types" in minimum.why
    assert state_of(model)[0] == "never"
    with pytest.raises(RuntimeError):
        run(model)


def test_the_value_of_a_padding_in_int16() -> None:
    model = of_types("PADV2", TYPE.INT16, TYPE.INT16)
    assert [(minimum.state, minimum.version) for minimum in minimums(model)] == [
        ("known", "2.4"),
        ("known", "1.0"),
    ]


def run(model: Any) -> None:
    """On ones, in today's LiteRT. Raises RuntimeError where it has no kernel."""
    builder = flatbuffers.Builder()
    model.version = 3
    builder.Finish(model.Pack(builder), b"TFL3")
    interpreter = Interpreter(model_content=bytes(builder.Output()))
    interpreter.allocate_tensors()
    for end in interpreter.get_input_details():
        interpreter.set_tensor(end["index"], np.ones(end["shape"], end["dtype"]))
    interpreter.invoke()


def test_a_type_that_no_version_tells_of_leaves_it_open() -> None:
    minimum = minimums(one("PRELU", TYPE.INT16))[0]
    assert (minimum.state, minimum.version) == ("at least", "1.8")
    assert "computes PRELU in int16" in minimum.why or "compute PRELU in int16" in minimum.why
