"""Convolutions of few channels in steps of two, as convolutions of four times as many in steps of one.

An int8 kernel multiplies the channels of one tap in vectors: XNNPACK's for AMX in 64 at a time, its
others in 4 to 16. The first convolution of a ResNet reads 3 channels, so that most of a vector is
padding: in a ResNet-50 on a processor with AMX it took 2.1 of 9.4 ms. With 2 x 2 pixels put side by
side (SPACE_TO_DEPTH) and the kernel's weights in the same order, the same products are summed by a
quarter of the taps, with the same scales: the integers that come out are the same, every one.

The trick is old: C. Ying et al., "Image Classification at Supercomputer Scale", arXiv:1811.06992,
section 2.3 ("space-to-depth").
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.graph.interface import opcode_of

MOST_CHANNELS = 8
"""With more, a vector is not so empty, and moving the pixels costs more than it gains."""
SMALLEST_KERNEL = 3
BLOCK = 2
VALID = schema.Padding.VALID


def space_to_depth(model: Any) -> int:
    """Rewrite what can be in a `schema.ModelT` with int8 activations; how many convolutions were."""
    subgraph, done = model.subgraphs[0], 0
    for operator in list(subgraph.operators):
        if _builtin(model, operator) == schema.BuiltinOperator.CONV_2D and _fits(model, operator):
            done += _rewritten(model, operator)
    return done


def _fits(model: Any, convolution: Any) -> bool:
    subgraph, options = model.subgraphs[0], convolution.builtinOptions
    image, kernel = (subgraph.tensors[i] for i in convolution.inputs[:2])
    return bool(
        image.type == kernel.type == schema.TensorType.INT8
        and model.buffers[kernel.buffer].data is not None
        and (options.strideH, options.strideW) == (BLOCK, BLOCK)
        and (options.dilationHFactor, options.dilationWFactor) == (1, 1)
        and kernel.shape[3] == image.shape[3] <= MOST_CHANNELS  # not grouped
        and min(kernel.shape[1:3]) >= SMALLEST_KERNEL
        and sum(convolution.inputs[1] in other.inputs for other in subgraph.operators) == 1
        and sum(tensor.buffer == kernel.buffer for tensor in subgraph.tensors) == 1
    )


@dataclass(frozen=True)
class _Side:
    """One axis: zeros before the kernel's first tap, so that a block begins where it does; blocks to
    add before and after the image."""

    front: int
    before: int
    after: int


def _rewritten(model: Any, convolution: Any) -> bool:
    subgraph, options = model.subgraphs[0], convolution.builtinOptions
    pad, around = _padding(model, convolution)
    source = convolution.inputs[0] if pad is None else pad.inputs[0]
    image, kernel = subgraph.tensors[source], subgraph.tensors[convolution.inputs[1]]
    output = subgraph.tensors[convolution.outputs[0]]
    shapes = zip(image.shape[1:3], kernel.shape[1:3], output.shape[1:3], around, strict=True)
    sides = [_side(*sizes) for sizes in shapes]
    if any(size % BLOCK for size in image.shape[1:3]) or any(side.after < 0 for side in sides):
        return False
    if pad is not None:
        subgraph.operators.remove(pad)
    at, name = subgraph.operators.index(convolution), _name(output)
    batch, height, width, channels = image.shape
    shape = [batch, height // BLOCK, width // BLOCK, channels * BLOCK**2]
    apart = f"{name}/space_to_depth"
    source = _inserted(model, at, schema.BuiltinOperator.SPACE_TO_DEPTH, [source], shape, apart)
    # XNNPACK makes a PAD before a convolution a part of it.
    if any(side.before or side.after for side in sides):
        amounts = [(0, 0), *((side.before, side.after) for side in sides), (0, 0)]
        pads = _constant(model, np.array(amounts, np.int32), f"{name}/pads")
        shape = [size + sum(more) for size, more in zip(shape, amounts, strict=True)]
        source = _inserted(model, at + 1, schema.BuiltinOperator.PAD, [source, pads], shape, f"{name}/pad")
    convolution.inputs = [source, *convolution.inputs[1:]]
    options.strideH = options.strideW = 1
    options.padding = VALID
    _regroup(model, kernel, [side.front for side in sides])
    return True


def _padding(model: Any, convolution: Any) -> tuple[Any, list[int]]:
    """The PAD before a convolution, if that is all that it is for, and pixels before each side."""
    subgraph, options = model.subgraphs[0], convolution.builtinOptions
    source = convolution.inputs[0]
    pad = next((other for other in subgraph.operators if source in other.outputs), None)
    readers = sum(source in other.inputs for other in subgraph.operators)
    if pad is not None and _builtin(model, pad) == schema.BuiltinOperator.PAD and readers == 1:
        stored = model.buffers[subgraph.tensors[pad.inputs[1]].buffer].data
        kind = subgraph.tensors[pad.inputs[1]].type
        if options.padding == VALID and stored is not None and kind == schema.TensorType.INT32:
            amounts = np.frombuffer(np.asarray(stored, np.uint8).tobytes(), np.int32).reshape(-1, 2)
            if len(amounts) == 4 and not amounts[[0, 3]].any():
                return pad, [int(amounts[1, 0]), int(amounts[2, 0])]
    image, kernel = (subgraph.tensors[i].shape for i in convolution.inputs[:2])
    out = subgraph.tensors[convolution.outputs[0]].shape
    if options.padding == VALID:
        return None, [0, 0]
    return None, [max((out[i] - 1) * BLOCK + kernel[i] - image[i], 0) // 2 for i in (1, 2)]


def _side(size: int, taps: int, out: int, before: int) -> _Side:
    front = before % BLOCK
    first, pairs = (before + front) // BLOCK, -(-(taps + front) // BLOCK)
    return _Side(front, first, out + pairs - 1 - size // BLOCK - first)


def _regroup(model: Any, kernel: Any, fronts: list[int]) -> None:
    """(O, H, W, C) to (O, H / 2, W / 2, 4 C), with zeros before and behind to make H and W even."""
    stored = np.asarray(model.buffers[kernel.buffer].data, np.uint8).tobytes()
    weights: NDArray[np.int8] = np.frombuffer(stored, np.int8).reshape([int(size) for size in kernel.shape])
    height, width = (-(-(n + front) // BLOCK) for n, front in zip(weights.shape[1:3], fronts, strict=True))
    sizes = zip((height, width), weights.shape[1:3], fronts, strict=True)
    zeros = [(front, BLOCK * pairs - front - size) for pairs, size, front in sizes]
    even = np.pad(weights, [(0, 0), *zeros, (0, 0)])
    out, channels = weights.shape[0], weights.shape[3]
    blocks = even.reshape(out, height, BLOCK, width, BLOCK, channels).transpose(0, 1, 3, 2, 4, 5)
    grouped = np.ascontiguousarray(blocks).reshape(out, height, width, BLOCK**2 * channels)
    model.buffers[kernel.buffer].data = np.frombuffer(grouped.tobytes(), np.uint8)
    kernel.shape = list(grouped.shape)
    kernel.shapeSignature = None


def _inserted(model: Any, at: int, builtin: int, inputs: list[int], shape: list[int], name: str) -> int:
    """A new operator on a tensor, and the index of what it gives: like its input, in another shape."""
    subgraph = model.subgraphs[0]
    tensor = deepcopy(subgraph.tensors[inputs[0]])
    tensor.name, tensor.buffer = name.encode(), 0
    if tensor.shapeSignature is not None and tensor.shapeSignature[0] < 0:
        tensor.shapeSignature = [-1, *shape[1:]]
    else:
        tensor.shapeSignature = None
    tensor.shape = shape
    subgraph.tensors.append(tensor)
    operator = schema.OperatorT()
    operator.opcodeIndex = opcode_of(model, builtin)
    operator.inputs, operator.outputs = inputs, [len(subgraph.tensors) - 1]
    if builtin == schema.BuiltinOperator.SPACE_TO_DEPTH:
        operator.builtinOptionsType = schema.BuiltinOptions.SpaceToDepthOptions
        operator.builtinOptions = schema.SpaceToDepthOptionsT()
        operator.builtinOptions.blockSize = BLOCK
    else:
        operator.builtinOptionsType = schema.BuiltinOptions.PadOptions
        operator.builtinOptions = schema.PadOptionsT()
    subgraph.operators.insert(at, operator)
    return len(subgraph.tensors) - 1


def _constant(model: Any, values: NDArray[np.int32], name: str) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.shape = name.encode(), schema.TensorType.INT32, list(values.shape)
    tensor.buffer = len(model.buffers) - 1
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _builtin(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def _name(tensor: Any) -> str:
    raw = tensor.name
    return (raw.decode() if isinstance(raw, bytes) else str(raw)).split(";")[0]
