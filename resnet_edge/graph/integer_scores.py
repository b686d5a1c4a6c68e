"""The softmax or sigmoid that ends an int8 graph, in int8 as well, for processors without floats."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import op_name

PROBABILITY = ((1 / 256,), (0,))
"""Scale and zero point of probabilities in uint8; int8 is the same 128 lower."""
MOST = 511
"""Classes. A check of the kernel, `exponent <= 31` (kernels/internal/reference/softmax.h of TFLite Micro and
LiteRT), ends the process where the exponentials, of 1 at most each, sum to 512 and more, as where scores are
alike."""
_INT8_VERSION = 2
"""Of both operators (TensorFlow's tools/versioning/op_version.cc)."""
_TITLES = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}


def integer_scores(model: Any) -> str | None:
    """Let a softmax or sigmoid in float between DEQUANTIZE and the float output of a `schema.ModelT` read and
    give int8; its name, or None where the graph ends in another operator. Raises ArtifactError for a softmax
    over more than MOST classes."""
    subgraph, codes = model.subgraphs[0], model.operatorCodes
    outer = int(subgraph.outputs[0])
    last = next(o for o in subgraph.operators if outer in o.outputs)
    kind = op_name(last, codes)
    before = next((o for o in subgraph.operators if int(last.inputs[0]) in o.outputs), None)
    if kind not in _TITLES or before is None or op_name(before, codes) != "DEQUANTIZE":
        return None
    inner = int(before.inputs[0])
    if subgraph.tensors[inner].type != schema.TensorType.INT8:
        return None
    scores = subgraph.tensors[outer]
    classes = int(scores.shape[-1])
    if kind == "SOFTMAX" and classes > MOST:
        raise ArtifactError(
            f"a softmax in int8 over {classes} classes ends TFLite Micro where they are alike, and {MOST} "
            "are the most that are safe: leave it in float (without --integer-softmax, or the profile "
            "mcu-integer), or train a model that gives logits"
        )
    scale, zero_point = PROBABILITY
    scores.type, scores.quantization = schema.TensorType.INT8, schema.QuantizationParametersT()
    scores.quantization.scale = np.asarray(scale, np.float32)
    scores.quantization.zeroPoint = np.asarray(zero_point, np.int64) - 128
    last.inputs = [inner]
    codes[last.opcodeIndex].version = max(codes[last.opcodeIndex].version, _INT8_VERSION)
    if not any(int(before.outputs[0]) in o.inputs for o in subgraph.operators):
        subgraph.operators.remove(before)
    return _TITLES[kind]
