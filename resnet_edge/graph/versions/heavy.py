"""Versions of the operators with weights, by TensorFlow's rules (see rules.py)."""

from __future__ import annotations

from collections.abc import Callable

from ai_edge_litert import schema_py_generated as schema

from resnet_edge.graph.versions.conditions import first, has, hybrid, int16, is_
from resnet_edge.graph.versions.operation import Operation

SHUFFLED = schema.FullyConnectedOptionsWeightsFormat.SHUFFLED4x16INT8


def _grouped(operation: Operation) -> bool:
    image, kernel = operation.input(0), operation.input(1)
    return bool(image and kernel and image.shape and kernel.shape and image.shape[-1] != kernel.shape[-1])


def _sparse(operation: Operation) -> bool:
    return bool((weights := operation.input(1)) and weights.sparse)


def short_bias(index: int) -> Callable[[Operation], bool]:
    """An int32 bias with int16 activations. TensorFlow's rule asks whether the options name a type of bias,
    as its quantizer does for int64 too, which every kernel for int16 takes."""
    return lambda operation: operation.gives() == "int16" and operation.type(index) == "int32"


CONVOLUTION = first(
    (8, short_bias(2)),
    (6, _grouped),
    # TensorFlow's rule asks for the type of a second output, which there is none of, so that it says 1; 4
    # came with the kernel for int16.
    (4, int16),
    (3, lambda o: o.types("int8", "int8", "int8")),
    (7, lambda o: o.types("int8", "int4", "int8")),
    (5, lambda o: hybrid(o) and _one_or_per_channel(o, 0)),
    (2, hybrid),
)

DEPTHWISE = first(
    (5, int16),  # as with `CONVOLUTION`
    (6, lambda o: hybrid(o) and _one_or_per_channel(o, 3)),
    (4, hybrid),
    (3, lambda o: o.types("int8", "int8", "int8")),
    (7, lambda o: o.types("int8", "int4", "int8")),
    (2, lambda o: (o.option("dilationWFactor"), o.option("dilationHFactor")) != (1, 1)),
)


def _one_or_per_channel(operation: Operation, axis: int) -> bool:
    """As many scales as channels, be it one: a runtime takes both by the same kernel."""
    weights = operation.input(1)
    return bool(weights and axis < len(weights.shape) and len(weights.scales) == weights.shape[axis])


FULLY_CONNECTED = first(
    (14, is_("int2", index=1)),
    (13, lambda o: o.types("int16", "int4", "int16")),
    (11, short_bias(2)),
    (8, _sparse),
    (7, int16),  # with int8 weights too, for which TensorFlow's rule says 1: no kernel takes them before
    (6, lambda o: len(o.inputs) == 2),
    (5, has("keepNumDims")),
    (4, lambda o: o.types("int8", "int8", "int8")),
    (10, lambda o: o.types("int8", "int4", "int8")),
    (9, lambda o: hybrid(o) and o.option("asymmetricQuantizeInputs")),
    (3, hybrid),
    (2, lambda o: o.option("weightsFormat") == SHUFFLED),
)
