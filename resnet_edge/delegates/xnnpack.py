"""XNNPACK, the delegate for CPUs that LiteRT applies by itself: asked, on this machine.

What it takes does not depend on the processor, as far as its source tells; its speed does.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from resnet_edge.core.errors import ArtifactError, first_line
from resnet_edge.core.outlook import Outlook
from resnet_edge.delegates._tflite import Operation, check_format, operations
from resnet_edge.delegates._verdict import Origin, Verdict, outlook_of

TITLE = "XNNPACK in LiteRT"
FORMATS = frozenset({"tflite"})
SOURCE = "the delegate itself, in ai-edge-litert"


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate. `facts`: how many pieces of the graph it takes."""
    check_format(path, format, FORMATS)
    found = operations(path, fold_float16=False)
    inside, parts = _asked(path, len(found))
    verdicts = [
        Verdict(each.op, each.macs, None if index in inside else _reason(each))
        for index, each in enumerate(found)
    ]
    source = f"{SOURCE} {metadata.version('ai-edge-litert')}"
    origin = Origin("xnnpack", TITLE, "measured", source, rest="LiteRT's own kernels compute")
    return outlook_of(origin, verdicts, facts={"parts": float(parts)})


def _reason(operation: Operation) -> str:
    dtypes = dict.fromkeys(tensor.dtype for tensor in (*operation.runtime_inputs, *operation.outputs))
    return f"it has none for {' to '.join(dtypes)} with these options"


def _asked(path: Path, count: int) -> tuple[set[int], int]:
    """The operations that it takes, by their places in the file, and in how many pieces.

    The interpreter lists all operations of the file, then one DELEGATE for each piece, with the tensors at
    its border. What is reached from the outputs of a piece backwards, up to its inputs, is inside.
    """
    try:
        interpreter = Interpreter(str(path), num_threads=1)
        interpreter.allocate_tensors()
        details = interpreter._get_ops_details()
    except (ValueError, RuntimeError) as error:
        raise ArtifactError(
            f"{path} cannot be opened as TFLite ({first_line(error)}): copy or convert it again"
        ) from error
    own = [one for one in details if one["op_name"] != "DELEGATE"]
    pieces = [one for one in details if one["op_name"] == "DELEGATE"]
    if len(own) != count:
        raise ArtifactError(f"{path}: LiteRT runs {len(own)} operations and the file has {count}")
    makers = {int(output): row for row, one in enumerate(own) for output in one["outputs"]}
    return {row for piece in pieces for row in _inside(piece, own, makers)}, len(pieces)


def _inside(piece: Any, own: list[Any], makers: dict[int, int]) -> set[int]:
    border = {int(index) for index in piece["inputs"]}
    frontier = [int(index) for index in piece["outputs"]]
    found: set[int] = set()
    while frontier:
        index = frontier.pop()
        if index in makers and index not in border and makers[index] not in found:
            found.add(makers[index])
            frontier += [int(i) for i in own[makers[index]]["inputs"]]
    return found
