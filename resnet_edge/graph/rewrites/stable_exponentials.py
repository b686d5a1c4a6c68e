"""log(1 + exp(x)), and what is divided by 1 + exp(x), in forms of which no step is large.

TensorFlow's converter lowers softplus, and the softplus in log-sigmoid and mish, to EXP, ADD, LOG: infinite
in float32 where x > 88.7, in float16 where x > 11, and in int8 on a grid that ends at the largest exp(x), so
that next to nothing of log(1 + exp(x)) is left. The same holds of layers written by hand.

    log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))

as numpy.logaddexp(x, 0) and Keras' logaddexp have it; all but max(x, 0) is between 0 and 2. TensorFlow's own
kernel (tensorflow/core/kernels/softplus_op.h) has another form, with log1p, which TFLite has not: where x
is far below 0, the sum here is off by half a step of float32 at 1, 6e-8, as the converter's is. And with
the sigmoid that every runtime has:

    a / (1 + exp(x)) = a * sigmoid(-x)        exp(x) / (1 + exp(x)) = sigmoid(x)
"""

from __future__ import annotations

from typing import Any

from resnet_edge.graph.model import Node, graph_of
from resnet_edge.graph.rewrites.operators import Inserter, remove, remove_unread
from resnet_edge.graph.rewrites.readers import NO_ACTIVATION, Readers, activation


def make_stable(model: Any) -> int:
    """Rewrite the float32 `model`, a `schema.ModelT`, in place; how many operations are put another way."""
    readers, operators, done = Readers(graph_of(model)), list(model.subgraphs[0].operators), 0
    for node in readers.graph.nodes:
        if node.op != "EXP":
            continue
        for one_more in _plus_one(readers, node):
            for number, reader in readers.of(one_more):
                done += _rewritten(model, readers, operators[number], reader, node, one_more)
    if done:
        remove_unread(model)
    return done


def _plus_one(readers: Readers, exponential: Node) -> list[int]:
    """The sums of an exponential and 1."""
    (power,) = exponential.outputs
    return [
        node.outputs[0]
        for _, node in readers.of(power)
        if node.op == "ADD"
        and activation(node) == NO_ACTIVATION
        and (one := readers.other(node, power)) is not None
        and readers.is_constant(one, 1)
        and _shape(readers, node.outputs[0]) == _shape(readers, power)
    ]


def _rewritten(
    model: Any, readers: Readers, operator: Any, node: Node, exponential: Node, one_more: int
) -> bool:
    (x,), (power,), (output,) = exponential.inputs, exponential.outputs, node.outputs
    layer = readers.graph.tensors[output].name.split(";")[0]
    put = Inserter(model=model, before=operator, layer=layer)
    if node.op == "LOG" and readers.sign(x) >= 0:
        _put_softplus(put, x, output)
    elif node.op == "DIV" and node.inputs[1] == one_more and activation(node) == NO_ACTIVATION:
        dividend = node.inputs[0]
        if dividend == power:
            put.put("LOGISTIC", x, output=output)
        elif dividend == one_more:
            return False
        else:
            _put_gate(put, readers, x, dividend, output)
    else:
        return False
    remove(model, operator)
    return True


def _put_softplus(put: Inserter, x: int, output: int) -> None:
    power = put.put("EXP", put.put("NEG", put.put("ABS", x)))
    rest = put.put("LOG", put.put("ADD", power, put.number(1)))
    put.put("ADD", put.put("RELU", x), rest, output=output)


def _put_gate(put: Inserter, readers: Readers, x: int, dividend: int, output: int) -> None:
    maker = readers.maker(x)
    opposite = maker.inputs[0] if maker is not None and maker.op == "NEG" else put.put("NEG", x)
    if readers.is_constant(dividend, 1) and _shape(readers, output) == _shape(readers, x):
        put.put("LOGISTIC", opposite, output=output)
    else:
        put.put("MUL", dividend, put.put("LOGISTIC", opposite), output=output)


def _shape(readers: Readers, index: int) -> tuple[int | None, ...]:
    return readers.graph.tensors[index].shape
