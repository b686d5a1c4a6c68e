"""The Core ML delegate of TFLite, on iPhones and iPads: the GPU or the Neural Engine, in floating point.

The rules are those for Core ML 3 (iOS 13 and later), which the delegate chooses itself where it is there.
"""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates._tflite import DelegatedOperation, check_format, judged, operations, parts
from resnet_edge.bundle.delegates._verdict import READ, DelegateVerdict, ListOrigin, outlook_of
from resnet_edge.core.results.outlook import Outlook

TITLE = "the Core ML delegate"
FORMATS = frozenset({"tflite"})
SOURCE = (
    "tensorflow/tensorflow, tensorflow/lite/delegates/coreml: coreml_delegate.mm at commit 1b4a71e, "
    "builders/*.cc at commits 04948b2, 160c287, 4e75728 and 64c5225, README.md at commit 323e5b4"
)

KNOWN = frozenset({
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED",
    "HARD_SWISH", "LOGISTIC", "MAX_POOL_2D", "MIRROR_PAD", "MEAN", "MUL", "PAD", "PADV2", "RELU",
    "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "SOFTMAX", "TANH", "TRANSPOSE_CONV",
})  # fmt: skip
VERSIONS = {"DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 6}
"""The newest version of each; of all others 1 (IsNodeSupportedByDelegate)."""
FEWEST = 2
"""Operations in a piece that is worth handing over (kMinNodesPerCoreMlDelegate)."""
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
LARGEST_KERNEL = 16384


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate. `facts`: how many pieces of the graph are handed over."""
    check_format(path, format, FORMATS)
    ops = operations(path)
    verdicts = judged(ops, reason)
    pieces = parts(ops, [verdict.reason is None for verdict in verdicts])
    for index in (index for piece in pieces if len(piece) < FEWEST for index in piece):
        alone = f"it stands alone, and the delegate takes at least {FEWEST} operations together"
        verdicts[index] = DelegateVerdict(verdicts[index].op, verdicts[index].macs, alone)
    origin = ListOrigin(delegate="coreml", title=TITLE, kind="documented", source=SOURCE, date=READ)
    whole = float(sum(len(piece) >= FEWEST for piece in pieces))
    return outlook_of(origin, verdicts, facts={"parts": whole})


def reason(operation: DelegatedOperation) -> str | None:
    """Why the CPU keeps an operation."""
    if operation.op not in KNOWN:
        return "Core ML gets no such operation"
    newest = VERSIONS.get(operation.op, 1)
    if operation.version > newest:
        return f"it is version {operation.version} of the operator, and {newest} is the newest that is taken"
    image = operation.inputs[2 if operation.op == "TRANSPOSE_CONV" else 0]
    if image.dtype != "float32":
        return f"it takes float32 alone, and this is {image.dtype}"
    return _of_weights(operation) or _of_options(operation)


def _of_weights(operation: DelegatedOperation) -> str | None:
    if operation.op not in (*CONVOLUTIONS, "FULLY_CONNECTED"):
        return None
    constants = (operation.inputs[0], operation.inputs[1]) if operation.op == "TRANSPOSE_CONV" else ()
    if any(tensor.data is None for tensor in constants or operation.inputs[1:]):
        return "its weights are not constant"
    weights = operation.inputs[1]
    if weights.data is not None and weights.data.dtype.kind != "f":
        if operation.op == "FULLY_CONNECTED":
            return f"its weights are {weights.dtype}, and floats are taken alone"
        return f"its weights are {weights.dtype}, of which the source says nothing: not known"
    if operation.op in CONVOLUTIONS and max(size or 0 for size in weights.shape[1:3]) > LARGEST_KERNEL:
        return f"its kernel is larger than {LARGEST_KERNEL}"
    return None


def _of_options(operation: DelegatedOperation) -> str | None:
    op, options = operation.op, operation.node.options
    shape = operation.inputs[0].shape
    if op in ("AVERAGE_POOL_2D", "MAX_POOL_2D") and options.get("fusedActivationFunction"):
        return "it has a fused activation"
    if op == "SOFTMAX" and options.get("beta", 1.0) != 1.0:
        return "its beta is not 1"
    if op == "RESHAPE":
        return "Core ML 3 gets no reshape"
    if op == "FULLY_CONNECTED" and (options.get("weightsFormat") or any(n != 1 for n in shape[:-1])):
        return "it takes one vector alone"
    if op == "MEAN":
        return _of_mean(operation)
    if op in ("ADD", "MUL") and not _broadcastable(operation):
        return "its operands are broadcast along another axis than Core ML does it"
    return _of_border(operation) if op in ("PAD", "PADV2", "MIRROR_PAD") else None


def _of_mean(operation: DelegatedOperation) -> str | None:
    if not operation.node.options.get("keepDims"):
        return "it does not keep the axes that it averages over (keep_dims)"
    axes = operation.inputs[1].data
    if len(operation.inputs[0].shape) != 4 or axes is None:
        return "it averages over other axes than height and width"
    over = {int(axis) % 4 for axis in axes.reshape(-1)}
    return None if over <= {1, 2} else "it averages over other axes than height and width"


def _broadcastable(operation: DelegatedOperation) -> bool:
    """Shapes that are alike, or 1 along height and width, along the channels, or along all of them."""
    one, other = (tensor.shape for tensor in operation.inputs[:2])
    wide, narrow = (one, other) if len(one) >= len(other) else (other, one)
    narrow = (1,) * (len(wide) - len(narrow)) + tuple(narrow)
    if len(wide) != 4 or narrow == tuple(wide):
        return narrow == tuple(wide)
    b, h, w, c = wide
    return narrow in {(b, 1, 1, c), (b, h, w, 1), (b, 1, 1, 1)} or tuple(wide) in {
        (narrow[0], 1, 1, narrow[3]),
        (*narrow[:3], 1),
        (narrow[0], 1, 1, 1),
    }


def _of_border(operation: DelegatedOperation) -> str | None:
    border = operation.inputs[1].data
    if len(operation.inputs[0].shape) != 4 or border is None:
        return "its padding is not a constant of 4 axes"
    if border[0].any() or border[3].any():
        return "it pads the batch or the channels"
    if operation.op == "MIRROR_PAD" and operation.node.options.get("mode"):
        return "it mirrors the edge itself (SYMMETRIC)"
    return None
