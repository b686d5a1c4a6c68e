"""XNNPACK, the delegate for CPUs that LiteRT applies by itself: asked, on this machine.

What it takes does not depend on the processor, as far as its source tells; its speed does.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from resnet_edge.bundle.delegates._tflite import DelegatedOperation, check_format, operations
from resnet_edge.bundle.delegates._verdict import DelegateVerdict, ListOrigin, outlook_of
from resnet_edge.core.results.outlook import Outlook
from resnet_edge.graph.delegated import taken_by_xnnpack

TITLE = "XNNPACK in LiteRT"
FORMATS = frozenset({"tflite"})
SOURCE = "the delegate itself, in ai-edge-litert"


def outlook(path: Path, format: str) -> Outlook:
    """See delegates.Delegate. `facts`: how many pieces of the graph it takes."""
    check_format(path, format, FORMATS)
    ops = operations(path, fold_float16=False)
    inside, parts = taken_by_xnnpack(path, len(ops))
    verdicts = [
        DelegateVerdict(each.op, each.macs, None if index in inside else _reason(each))
        for index, each in enumerate(ops)
    ]
    source = f"{SOURCE} {metadata.version('ai-edge-litert')}"
    origin = ListOrigin(
        delegate="xnnpack", title=TITLE, kind="measured", source=source, rest="LiteRT's own kernels compute"
    )
    return outlook_of(origin, verdicts, facts={"parts": float(parts)})


def _reason(operation: DelegatedOperation) -> str:
    dtypes = dict.fromkeys(tensor.dtype for tensor in (*operation.runtime_inputs, *operation.outputs))
    return f"it has none for {' to '.join(dtypes)} with these options"
