"""The operations of a .tflite file as delegates look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnet_edge.bundle.delegates._verdict import DelegateVerdict
from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.macs import macs
from resnet_edge.graph.model import ABSENT, Graph, Node, Tensor, load_model, read_graph, with_folded_casts


@dataclass(frozen=True, kw_only=True)
class DelegatedOperation:
    """One operation: `inputs` and `outputs` are its tensors (without absent ones), `layer` what it is called
    in the network, `version` that of the operator as the file declares it."""

    node: Node
    version: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    layer: str
    macs: int

    @property
    def op(self) -> str:
        """Its name in the schema."""
        return self.node.op

    @property
    def runtime_inputs(self) -> tuple[Tensor, ...]:
        """The inputs that are not constants."""
        return tuple(tensor for tensor in self.inputs if tensor.data is None)


Rule = Callable[[DelegatedOperation], str | None]
"""Why an operation is left to the CPU; None where it is taken."""


def check_format(path: Path, format: str, known: frozenset[str]) -> None:
    """Raise ArtifactError unless it is a format that the delegate is asked about."""
    if format not in known:
        raise ArtifactError(f"{path}: this delegate takes {', '.join(sorted(known))} files, and not {format}")


def operations(path: Path, fold_float16: bool = True) -> list[DelegatedOperation]:
    """All of a file, in order; with `fold_float16` without the casts that float16 constants stand behind,
    which delegates that know them take as constants. Raises ArtifactError."""
    graph = read_graph(path)
    model = load_model(path)
    codes = model.operatorCodes
    versions = {
        id(node): int(codes[operator.opcodeIndex].version)
        for node, operator in zip(graph.nodes, model.subgraphs[0].operators, strict=True)
    }
    if fold_float16:
        graph = with_folded_casts(graph)
    return [_operation(graph, node, versions[id(node)]) for node in graph.nodes]


def _operation(graph: Graph, node: Node, version: int) -> DelegatedOperation:
    inputs, outputs = (
        tuple(graph.tensors[i] for i in indices if i != ABSENT) for indices in (node.inputs, node.outputs)
    )
    # The converter lists all that it folded into one.
    layer = outputs[0].name.split(";")[0] if outputs else ""
    return DelegatedOperation(
        node=node, version=version, inputs=inputs, outputs=outputs, layer=layer, macs=macs(graph, node)
    )


def judged(ops: Sequence[DelegatedOperation], rule: Rule) -> list[DelegateVerdict]:
    """The verdict on each."""
    return [DelegateVerdict(each.op, each.macs, rule(each)) for each in ops]


def parts(ops: Sequence[DelegatedOperation], taken: Sequence[bool]) -> list[list[int]]:
    """The connected pieces into which TFLite cuts the operations that are `taken`, as indices.

    As PartitionGraphIntoIndependentNodeSubsets does it (tensorflow/lite/graph_info.cc): pieces of taken and
    of other operations in turn, and each as large as what it waits for allows.
    """
    waiting = list(range(len(ops)))
    pending = {i for each in ops for i in each.node.outputs}
    pieces: list[list[int]] = []
    while waiting:
        ready = [index for index in waiting if not pending.intersection(ops[index].node.inputs)]
        if not ready:
            break  # a cycle: a damaged file, which no runtime opens
        kind, piece = taken[ready[0]], []
        while ready := [
            index
            for index in waiting
            if taken[index] == kind and not pending.intersection(ops[index].node.inputs)
        ]:
            for index in ready:
                pending.difference_update(ops[index].node.outputs)
                waiting.remove(index)
            piece += ready
        if kind:
            pieces.append(piece)
    return pieces
