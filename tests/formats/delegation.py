"""Which operations of a .tflite file LiteRT hands to XNNPACK."""

from __future__ import annotations

from pathlib import Path

from ai_edge_litert.interpreter import Interpreter


def outside_xnnpack(path: Path) -> list[str]:
    """The operations that XNNPACK does not take, in order.

    The interpreter lists all operations of the file, then one DELEGATE for each part of the
    graph that it handed over, with the tensors at its border. What is reached from the outputs
    of a part backwards, up to its inputs, is inside.
    """
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    ops = interpreter._get_ops_details()
    own = [op for op in ops if op["op_name"] != "DELEGATE"]
    makers = {int(output): row for row, op in enumerate(own) for output in op["outputs"]}
    inside: set[int] = set()
    for part in (op for op in ops if op["op_name"] == "DELEGATE"):
        border = {int(index) for index in part["inputs"]}
        frontier = [int(index) for index in part["outputs"]]
        while frontier:
            index = frontier.pop()
            if index in makers and index not in border and makers[index] not in inside:
                inside.add(makers[index])
                frontier += [int(i) for i in own[makers[index]]["inputs"]]
    return [str(op["op_name"]) for row, op in enumerate(own) if row not in inside]
