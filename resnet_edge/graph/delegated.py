"""Which operations of a .tflite file XNNPACK takes in LiteRT: asked, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from resnet_edge.core.errors import ArtifactError, first_line


def taken_by_xnnpack(path: Path, count: int) -> tuple[set[int], int]:
    """The operations that it takes, by their places among the `count` of the file, and in how many pieces.
    Raises ArtifactError.

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
    nodes: set[int] = set()
    while frontier:
        index = frontier.pop()
        if index in makers and index not in border and makers[index] not in nodes:
            nodes.add(makers[index])
            frontier += [int(i) for i in own[makers[index]]["inputs"]]
    return nodes
