"""What a node of an ONNX graph uses, as far as a runtime's kernels depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import onnx

from resnet_edge.compatibility.onnx_values import Values

ONNX_DOMAINS = frozenset({"", "ai.onnx"})
_SPELLED = {"float32": "float", "float64": "double", "object": "string"}
"""Of numpy's names, those that ONNX has others for."""
_SAME = ("SAME_UPPER", "SAME_LOWER")


@dataclass(frozen=True, kw_only=True)
class OnnxOperation:
    """A node of a file whose operators are of `opset`."""

    node: onnx.NodeProto
    opset: int
    values: Values

    @property
    def name(self) -> str:
        """The operator, as ai.onnx calls it; empty for one of another domain."""
        return str(self.node.op_type) if self.node.domain in ONNX_DOMAINS else ""

    @cached_property
    def since(self) -> int:
        """The set that brought this version of the operator; 0 where it is not known."""
        return introduced(self.name, self.opset)

    def gives(self, index: int) -> bool:
        """Whether it has that input."""
        return index < len(self.node.input) and bool(self.node.input[index])

    def type(self, index: int = 0) -> str:
        """The dtype of an input, as numpy spells it; empty where it is not known."""
        return self.values.dtype(self.node.input[index]) if self.gives(index) else ""

    def sizes(self, index: int = 0) -> tuple[int | None, ...]:
        """The shape of an input; empty where it is not known."""
        return self.values.sizes(self.node.input[index]) if self.gives(index) else ()

    def numbers(self, index: int) -> Any:
        """A constant input (numpy array); None where it is none."""
        return self.values.numbers(self.node.input[index]) if self.gives(index) else None

    def attribute(self, name: str, default: Any = None) -> Any:
        """Text as text."""
        proto = next((each for each in self.node.attribute if each.name == name), None)
        if proto is None:
            return default
        value = onnx.helper.get_attribute_value(proto)
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    @property
    def is_specified(self) -> bool:
        """Whether ONNX has the operator in the dtype of its first input; true where either is not known."""
        allowed, dtype = allowed_types(self.name, self.opset), self.type()
        return not allowed or not dtype or f"tensor({_SPELLED.get(dtype, dtype)})" in allowed

    def is_quantized(self, dtype: str = "") -> bool:
        """Whether it stands between DequantizeLinear, the first one of that dtype, and QuantizeLinear."""
        makers = [self.values.makers.get(name) for name in self.node.input[:2]]
        pairs = [maker for maker in makers if maker is not None and maker.op_type == "DequantizeLinear"]
        readers = self.values.readers.get(next(iter(self.node.output), ""), [])
        if len(pairs) < len(makers) or not any(reader.op_type == "QuantizeLinear" for reader in readers):
            return False
        return bool(pairs) and (not dtype or self.values.dtype(pairs[0].input[0]) == dtype)

    @property
    def reads_one_dequantized_twice(self) -> bool:
        """Whether two of its inputs are one DequantizeLinear, and QuantizeLinear reads what it gives."""
        inputs = list(self.node.input)
        return len(inputs) > 1 and inputs[0] == inputs[1] and self.is_quantized()

    @property
    def pads_one_side_more(self) -> bool:
        """Whether a ConvTranspose that is told its output takes an odd number of values off it, or a
        number that the file does not tell (the formula is that of its specification)."""
        output_shape = self.attribute("output_shape")
        same = self.attribute("auto_pad", "NOTSET") in _SAME
        if output_shape is None and not same:
            return False
        kernel, image = self.sizes(1)[2:], self.sizes(0)[2:]
        for axis, size in enumerate(kernel):
            stride, dilation, added = (
                (self.attribute(name) or [default] * len(kernel))[axis]
                for name, default in (("strides", 1), ("dilations", 1), ("output_padding", 0))
            )
            given = image[axis] if axis < len(image) else None
            if size is None or (output_shape is not None and given is None):
                return True
            whole = added + (size - 1) * dilation + 1
            off = (
                whole - stride
                if output_shape is None
                else stride * ((given or 1) - 1) + whole - output_shape[-len(kernel) :][axis]
            )
            if off > 0 and off % 2:
                return True
        return not kernel

    @property
    def resizes_channels_last(self) -> bool:
        """Whether a linear Resize leaves the last of four axes as it is, and not the second."""
        if self.attribute("mode", "nearest") != "linear":
            return False
        before = self.sizes(0)
        scales, sizes = self.numbers(2), self.numbers(3)
        if sizes is not None and len(before) == len(sizes) == 4 and None not in before:
            scales = np.asarray(sizes) / np.asarray(before, np.float64)
        return scales is not None and len(scales) == 4 and scales[1] != 1 and scales[3] == 1


@lru_cache(maxsize=1024)
def allowed_types(name: str, opset: int) -> frozenset[str]:
    """Of the first input, as ONNX spells them; empty where nothing is known."""
    try:
        inputs = onnx.defs.get_schema(name, opset, "").inputs
    except onnx.defs.SchemaError:
        return frozenset()
    return frozenset(inputs[0].types) if inputs else frozenset()


@lru_cache(maxsize=1024)
def introduced(name: str, opset: int) -> int:
    """The set that brought the version of an operator that a file of `opset` has; 0 where there is none."""
    try:
        return int(onnx.defs.get_schema(name, opset, "").since_version)
    except onnx.defs.SchemaError:
        return 0
