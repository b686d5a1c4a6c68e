"""The border of the portable graph: the names and dtypes of its input and output."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.core.errors import ArtifactError
from resnet_edge.core.scheme import Io
from resnet_edge.graph.integer_scores import PROBABILITY, integer_scores
from resnet_edge.graph.model import load_model, op_name, save_model

WHOLE_ALREADY = "no softmax or sigmoid in float ends the network, and --integer-softmax changed nothing"
_OLD_CODES = 127
"""What the old field of an operator's code, a signed byte, holds at most (schema.fbs)."""


def set_interface(path: Path, output: str, io: Io, *, whole: bool = False) -> tuple[str, ...]:
    """Name the input `image` and the output `output`, and give both the dtype `io`, in place.

    The graph comes from quantization/quantize.py, with a float border: QUANTIZE after the input and, unless
    the last operation is in float, DEQUANTIZE before the output. float32 keeps them. int8 takes
    them away. uint8 turns them into the exact shift by 128 that TFLite's kernels do.
    `whole`: with int8, a last softmax or sigmoid in float becomes one of integers; a sentence tells where
    there is none. Raises ArtifactError where a graph that is not quantized should get an integer
    border, and as `integer_scores`.
    """
    notes: tuple[str, ...] = ()
    model = load_model(path)
    _spread_dynamic_sizes(model)
    if io != "float32":
        narrow_input(model, io)
        if not whole or integer_scores(model) is None:
            notes = (f"{Path(path).stem}: {WHOLE_ALREADY}",) if whole else ()
            narrow_output(model, io)
    _rename(model, output)
    _complete(model)
    save_model(model, path)
    return notes


def _complete(model: Any) -> None:
    """What TensorFlow's converter writes and the quantizer does not: the old field of an operator's code,
    which the schema asks for and from which OpenVINO and runtimes before TensorFlow 2.4 read an addition
    where there is none; and the tables of options of conversions, which say nothing."""
    for code in model.operatorCodes:
        code.deprecatedBuiltinCode = min(max(code.builtinCode, code.deprecatedBuiltinCode), _OLD_CODES)
    tables = {"QUANTIZE": schema.QuantizeOptionsT, "DEQUANTIZE": schema.DequantizeOptionsT}
    for operator in model.subgraphs[0].operators:
        table = tables.get(op_name(operator, model.operatorCodes))
        if table is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, table.__name__[:-1])
            operator.builtinOptions = table()


def _spread_dynamic_sizes(model: Any) -> None:
    """Tensors that the quantizer added before or behind one of dynamic batch have lost that."""
    subgraph = model.subgraphs[0]
    for operator in subgraph.operators:
        if op_name(operator, model.operatorCodes) not in ("QUANTIZE", "DEQUANTIZE"):
            continue
        pair = [subgraph.tensors[int(index)] for index in (operator.inputs[0], operator.outputs[0])]
        known = next((t.shapeSignature for t in pair if t.shapeSignature is not None), None)
        for tensor in pair:
            tensor.shapeSignature = known


def narrow_input(model: Any, io: Io) -> None:
    """Give the float input of a quantized `schema.ModelT` the dtype `io`, uint8 or int8; ArtifactError if
    it is not int8 inside."""
    subgraph = model.subgraphs[0]
    image = int(subgraph.inputs[0])
    readers = [o for o in subgraph.operators if image in o.inputs]
    inner = subgraph.tensors[int(readers[0].outputs[0])] if readers else None
    quantized = bool(readers) and all(op_name(o, model.operatorCodes) == "QUANTIZE" for o in readers)
    if inner is None or not quantized or inner.type != schema.TensorType.INT8:
        raise ArtifactError(
            f"a graph that is not int8 has no {io} input: use --io {io} with --schemes int8 only"
        )
    for other in readers[1:]:  # the image on another grid: from the one that stays
        other.inputs = [int(readers[0].outputs[0])]
    if io == "uint8":
        _set_type(subgraph.tensors[image], schema.TensorType.UINT8, _shifted(inner.quantization))
        return
    subgraph.operators.remove(readers[0])
    repoint_signature(model, image, int(readers[0].outputs[0]))
    subgraph.inputs = [int(readers[0].outputs[0])]


def narrow_output(model: Any, io: Io) -> None:
    """Give the float output of a quantized `schema.ModelT` the dtype `io`, uint8 or int8."""
    subgraph = model.subgraphs[0]
    outer = int(subgraph.outputs[0])
    last = next(o for o in subgraph.operators if outer in o.outputs)
    if op_name(last, model.operatorCodes) != "DEQUANTIZE":
        _append_quantize(model, outer, io)  # a softmax that stayed in float
        return
    inner = int(last.inputs[0])
    if io == "uint8":
        last.opcodeIndex = opcode_of(model, schema.BuiltinOperator.QUANTIZE)
        last.builtinOptionsType, last.builtinOptions = 0, None
        quantization = _shifted(subgraph.tensors[inner].quantization)
        _set_type(subgraph.tensors[outer], schema.TensorType.UINT8, quantization)
        return
    subgraph.operators.remove(last)
    repoint_signature(model, outer, inner)
    subgraph.outputs = [inner]


def _append_quantize(model: Any, outer: int, io: Io) -> None:
    subgraph = model.subgraphs[0]
    tensor = copy.copy(subgraph.tensors[outer])
    scale, zero_point = PROBABILITY
    quantization = schema.QuantizationParametersT()
    quantization.scale = np.asarray(scale, np.float32)
    quantization.zeroPoint = np.asarray(zero_point, np.int64) - (128 if io == "int8" else 0)
    _set_type(tensor, schema.TensorType.UINT8 if io == "uint8" else schema.TensorType.INT8, quantization)
    subgraph.tensors.append(tensor)
    operator = schema.OperatorT()
    operator.opcodeIndex = opcode_of(model, schema.BuiltinOperator.QUANTIZE)
    operator.inputs, operator.outputs = [outer], [len(subgraph.tensors) - 1]
    subgraph.operators.append(operator)
    repoint_signature(model, outer, len(subgraph.tensors) - 1)
    subgraph.outputs = [len(subgraph.tensors) - 1]


def opcode_of(model: Any, builtin: int) -> int:
    """The index of a builtin operator among the codes of a `schema.ModelT`, which gets it if it has none;
    versions.stamp gives it its version."""
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _set_type(tensor: Any, dtype: int, quantization: Any) -> None:
    tensor.type, tensor.quantization = dtype, quantization


def _shifted(quantization: Any) -> Any:
    shifted = copy.copy(quantization)
    shifted.zeroPoint = np.asarray(quantization.zeroPoint, np.int64) + 128
    return shifted


def repoint_signature(model: Any, old: int, new: int) -> None:
    """Let signatures speak of tensor `new` where they spoke of `old`."""
    for signature in model.signatureDefs or []:
        for entry in (*signature.inputs, *signature.outputs):
            if entry.tensorIndex == old:
                entry.tensorIndex = new


def _rename(model: Any, output: str) -> None:
    subgraph = model.subgraphs[0]
    for index, name in ((int(subgraph.inputs[0]), "image"), (int(subgraph.outputs[0]), output)):
        for tensor in subgraph.tensors:
            if tensor.name == name.encode():
                tensor.name = f"{name}_inner".encode()
        subgraph.tensors[index].name = name.encode()
