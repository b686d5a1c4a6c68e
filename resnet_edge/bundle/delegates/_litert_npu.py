"""The vendors' NPUs through LiteRT: what the compiler plug-in of each hands to the vendor's own compiler.

That compiler comes with the vendor's SDK, which is not here: it may still refuse what it is handed.
"""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates._tflite import Rule, check_format, judged, operations, parts
from resnet_edge.bundle.delegates._verdict import READ, ListOrigin, outlook_of
from resnet_edge.core.results.outlook import Outlook

FORMATS = frozenset({"tflite"})


def npu_outlook(path: Path, format: str, delegate: str, title: str, source: str, rule: Rule) -> Outlook:
    """By the `rule` of a plug-in."""
    check_format(path, format, FORMATS)
    ops = operations(path, fold_float16=False)
    verdicts = judged(ops, rule)
    pieces = parts(ops, [verdict.reason is None for verdict in verdicts])
    remark = "The vendor's compiler, which has the last word, was not asked: it comes with an SDK of its own."
    origin = ListOrigin(
        delegate=delegate, title=title, kind="documented", source=source, date=READ, verb="is handed"
    )
    return outlook_of(origin, verdicts, facts={"parts": float(len(pieces))}, remark=remark)
