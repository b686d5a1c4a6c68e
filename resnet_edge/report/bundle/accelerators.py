"""ACCELERATORS.md of a bundle: what delegates and accelerators would take of its files; none was run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from resnet_edge.core.results.outlook import FileOutlook, Outlook
from resnet_edge.report.markdown import code, escaped

_KNOWN = {
    "documented": "by what its documentation or source says",
    "measured": "as measured on the machine that made this bundle",
    "estimated": "by its compiler's estimate",
}


def accelerators_markdown(outlooks: Sequence[FileOutlook]) -> str:
    """One section for each delegate, with the source of what is said and the day on which it was read."""
    lines = [
        "# What accelerators would take",
        "",
        "No phone and no NPU was there: this is what can be told without. What is left runs on the CPU, and "
        "each change of sides costs time. Run the self-test on the device before anybody relies on it.",
        "",
    ]
    ordered = sorted(outlooks, key=lambda each: each.delegate)
    for _, group in groupby(ordered, key=lambda each: each.delegate):
        lines += [*_section(list(group)), ""]
    return "\n".join(lines)


def _section(rows: Sequence[FileOutlook]) -> Iterator[str]:
    known = [row.outlook for row in rows if row.outlook is not None]
    yield f"## {escaped(known[0].title if known else rows[0].delegate)}"
    yield ""
    if known:
        read = f", read on {known[0].date}" if known[0].date else ""
        yield f"{_KNOWN[known[0].kind].capitalize()}: {escaped(known[0].source)}{read}."
        yield ""
        yield "| file | operations taken | of the multiply-accumulates | left to the CPU |"
        yield "| --- | ---: | ---: | --- |"
        yield from (_row(row.file, row.outlook) for row in rows if row.outlook is not None)
        yield from _remarks(rows)
    for row in rows:
        if row.outlook is None:
            yield f"- {code(row.file)}: not asked. {escaped(row.reason)}"


def _row(file: str, outlook: Outlook) -> str:
    # Down: 100 % is all of them.
    share = "" if outlook.mac_share is None else f"{int(1000 * outlook.mac_share) / 10:.1f} %"
    left = "; ".join(f"{each.count} {escaped(each.op)} ({escaped(each.reason)})" for each in outlook.left)
    return f"| {code(file)} | {outlook.ops_taken} of {outlook.ops_total} | {share} | {left} |"


def _remarks(rows: Sequence[FileOutlook]) -> Iterator[str]:
    yield ""
    outlooks = [(row.file, row.outlook) for row in rows if row.outlook is not None]
    for warning in dict.fromkeys(warning for _, outlook in outlooks for warning in outlook.warnings):
        files = ", ".join(code(file) for file, outlook in outlooks if warning in outlook.warnings)
        yield f"- {files}: **{escaped(warning)}**"
    for file, outlook in outlooks:
        if outlook.kind == "estimated":
            facts = ", ".join(f"{name} {_figure(value)}" for name, value in outlook.facts.items())
            yield f"- {code(file)}: {escaped(facts)}"
        elif (pieces := outlook.facts.get("parts", 1.0)) not in (0.0, 1.0):
            yield f"- {code(file)}: the CPU's operations cut the rest into {_figure(pieces)} pieces"


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.6g}"
