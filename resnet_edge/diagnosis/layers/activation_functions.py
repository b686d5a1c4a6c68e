"""Functions of each number of one tensor, and what is inside of them.

SELU is six operations in one file and one in the next, and softplus has tensors in the one form that no other
form has. Such an inner tensor may look like one of the other file's (the positive part of x like x), and is
none: what a function is computed with is judged where the function ends.
"""

from __future__ import annotations

from resnet_edge.diagnosis.layers.steps import OpenedSteps

KEEPERS = frozenset({"quantize", "dequantize", "quantizelinear", "dequantizelinear", "cast", "identity"})
AFFINE = KEEPERS | {"add", "sub", "mul", "div", "neg"}
EACH = AFFINE | {
    *("abs", "ceil", "celu", "clip", "elu", "erf", "exp", "floor", "gelu", "hard_swish", "hardsigmoid"),
    *("hardswish", "leaky_relu", "leakyrelu", "log", "logistic", "max", "maximum", "min", "minimum", "mish"),
    *("pow", "prelu", "reciprocal", "relu", "relu6", "relu_0_to_1", "relu_n1_to_1", "round", "rsqrt", "selu"),
    *("select", "select_v2", "sigmoid", "sign", "softplus", "softsign", "sqrt", "square"),
    *("squared_difference", "tanh", "thresholdedrelu", "where", "and", "equal", "greater", "greater_equal"),
    *("greaterorequal", "less", "less_equal", "lessorequal", "logical_and", "logical_not", "logical_or"),
    *("not", "not_equal", "or", "xor"),
}
"""Operations of TFLite and ONNX that give each number of the numbers at its place."""


def inside_functions(opened: OpenedSteps) -> frozenset[str]:
    """Tensors that are read by nothing but the rest of the function that they are inside of; where all inside
    is affine, none. A function ends where nothing but factors and summands are left of it: those may be a
    layer's, which the other file has in its weights."""
    source: dict[str, str] = {}  # of which tensor alone one is computed, number by number
    readers = opened.readers()
    held: set[str] = set()  # what is that tensor itself, in another type
    bent: set[str] = set()  # by more than a factor and a summand
    ends = {opened.exit}
    for step in opened.steps:
        if not step.reads:  # of constants alone
            continue
        sources = {source.get(name, name) for name in step.reads}
        if step.op in AFFINE and sources == {*step.reads} and len(readers[step.reads[0]]) == 1:
            continue  # it begins behind a normalization that was left apart
        if step.op in EACH and len(sources) == 1:
            source |= dict.fromkeys(step.gives, *sources)
            if step.op in KEEPERS and held.union(sources).issuperset(step.reads):
                held.update(step.gives)
            if step.op not in AFFINE or len(step.reads) > 1 or bent.intersection(step.reads):
                bent.update(step.gives)
        else:
            ends.update(step.reads)
    inner = source.keys() - ends - held
    curved = {source[name] for name in inner & bent}
    inside = {name for name in inner if source[name] in curved}
    for step in reversed(opened.steps):
        last = step.op in AFFINE and len(step.reads) == 1 and inside.isdisjoint(step.gives)
        if last and step.reads[0] in bent and len(readers[step.reads[0]]) == 1:
            inside.discard(step.reads[0])
    return frozenset(inside)
