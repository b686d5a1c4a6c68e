"""Who makes and who reads each tensor of a float graph, and what is known of its numbers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from resnet_edge.graph.model import Graph, Node

NO_ACTIVATION = schema.ActivationFunctionType.NONE
RELU = schema.ActivationFunctionType.RELU
NEVER_NEGATIVE = frozenset(
    {"ABS", "SQUARE", "SQRT", "RSQRT", "EXP", "LOGISTIC", "SOFTMAX", "SQUARED_DIFFERENCE"}
    | {"RELU", "RELU6", "RELU_0_TO_1"}
)


class Readers:
    """Operations are numbered as in the graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._makers = {index: node for node in graph.nodes for index in node.outputs}
        self._readers: dict[int, list[int]] = defaultdict(list)
        for number, node in enumerate(graph.nodes):
            for index in dict.fromkeys(node.inputs):
                self._readers[index].append(number)

    def maker(self, index: int) -> Node | None:
        """The operation that gives a tensor; None of constants and the image."""
        return self._makers.get(index)

    def of(self, index: int) -> list[tuple[int, Node]]:
        """The operations that read a tensor, each once."""
        return [(number, self.graph.nodes[number]) for number in self._readers[index]]

    def is_output(self, index: int) -> bool:
        """Whether the graph gives the tensor."""
        return index in self.graph.outputs

    def constant(self, index: int) -> NDArray[Any] | None:
        """The numbers of a float32 constant."""
        tensor = self.graph.tensors[index]
        return tensor.data if tensor.dtype == "float32" else None

    def is_constant(self, index: int, value: float) -> bool:
        """Whether every number of a constant is `value`."""
        data = self.constant(index)
        return data is not None and bool((data == value).all())

    def other(self, node: Node, index: int) -> int | None:
        """The other operand of an operation on two; None if it has no other or both are one."""
        others = [one for one in node.inputs if one != index]
        return others[0] if len(others) == 1 and len(node.inputs) == 2 else None

    def sign(self, index: int) -> int:
        """1 where it can be told that no number of a tensor is below 0, -1 where none is above, else 0."""
        sign = 1
        while True:
            data, maker = self.constant(index), self.maker(index)
            if data is not None:
                return sign * sign_of(data)
            if maker is None:
                return 0
            if maker.op in NEVER_NEGATIVE or activation(maker) == RELU:
                return sign
            constants = [held for i in maker.inputs if (held := self.constant(i)) is not None]
            if maker.op == "MINIMUM" and any((held <= 0).all() for held in constants):
                return -sign
            if maker.op == "NEG":
                sign, index = -sign, maker.inputs[0]
            elif maker.op == "MUL" and constants and activation(maker) == NO_ACTIVATION:
                sign *= sign_of(constants[0])
                index = next(i for i in maker.inputs if self.constant(i) is None)
            else:
                return 0


def sign_of(numbers: NDArray[Any]) -> int:
    """1 or -1 if that is the sign of all, else 0."""
    return int((numbers > 0).all()) - int((numbers < 0).all())


def activation(node: Node) -> int:
    """The fused activation of an operation."""
    return int(node.options.get("fusedActivationFunction") or NO_ACTIVATION)
