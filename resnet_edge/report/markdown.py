"""report.md: the report as a code host shows it (GitHub-flavoured Markdown)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from resnet_edge.core.results.report import Report
from resnet_edge.report import summary, words
from resnet_edge.report.causes import TITLE as CAUSES_TITLE
from resnet_edge.report.causes import causes_how, causes_sentences, causes_table
from resnet_edge.report.doubted import TITLE as DOUBTS_TITLE
from resnet_edge.report.doubted import doubted
from resnet_edge.report.growth import HOW, growth_sentences, growth_table
from resnet_edge.report.integers import (
    RAN_HOW,
    RAN_TITLE,
    RISK_TITLE,
    execution_table,
    risk_sentences,
    risk_table,
)
from resnet_edge.report.layer_tables import layer_tables
from resnet_edge.report.lineage_table import commands, explained, lineage_table
from resnet_edge.report.lint import TITLE, lint_lines, lint_summary
from resnet_edge.report.mixed_precision_table import explained_plan, mixed_precision_table
from resnet_edge.report.rows import WORDS, Row, rows, target
from resnet_edge.report.text_table import TextTable

_RISKY = re.compile(r"([\\`*_\[\]|~$])")
_BLOCK_START = re.compile(r"^(?=[-+#=])|(?<=^\d)(?=[.)](?:\s|$))")
_PLAIN_CODE = re.compile(r"[\w./:,=@%+ -]+", re.ASCII)


def markdown(report: Report) -> str:
    """The whole file. Strings from outside are escaped: they cannot make markup."""
    sections = [
        _head(report),
        _doubts(report),
        _results(report),
        _plan(report),
        _growth(report),
        _causes(report),
        _integers(report),
        _lint(report),
        _story(report),
        _layers(report),
        _not_passed(report),
        _failures(report),
        _feeding(report),
        _tensors(report),
        _facts("Machine and versions", summary.machine_facts(report)),
        _costs(report),
        _repeat(report),
        _notes(report),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in a paragraph or in a table cell."""
    text = words.printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BLOCK_START.sub(r"\\", _RISKY.sub(r"\\\1", text))


def code(text: str) -> str:
    """The text in a code span, safe in a table cell."""
    text = words.printable(text)
    if _PLAIN_CODE.fullmatch(text) and text.strip() == text:
        return f"`{text}`"
    spelled = "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text)
    return f"<code>{spelled}</code>"


def spans(sentence: str) -> str:
    """A sentence of ours that puts names between backquotes, which become code spans."""
    return "".join(code(part) if i % 2 else escaped(part) for i, part in enumerate(sentence.split("`")))


def _table(header: list[str], body: Iterable[Iterable[str]], right: Container[int] = ()) -> str:
    rule = ["---:" if index in right else "---" for index in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *body))


def _head(report: Report) -> str:
    found = summary.verdict(report)
    facts = [*summary.model_facts(report), *summary.data_facts(report)]
    return "\n\n".join(
        [
            f"# {escaped(report.model.name)}: parity report",
            f"**{found.word.upper()}.** {escaped(found.sentence)}",
            _table(["Model", code(report.model.name)], ([escaped(k), _fact(k, v)] for k, v in facts)),
        ]
    )


def _doubts(report: Report) -> str:
    lines = "\n".join(f"- {escaped(line)}" for line in doubted(report.doubts))
    return f"## {DOUBTS_TITLE}\n\n{lines}" if lines else ""


def _fact(label: str, value: str) -> str:
    return code(value) if label in {"Source", "SHA-256"} else escaped(value)


def _results(report: Report) -> str:
    header = [
        "Artifact",
        "Backend",
        "Size",
        "Top-1",
        "Drop, pp [95 %]",
        "Agreement",
        "SQNR",
        "p50, ms [95 %]",
        "Speed-up",
        "Verdict",
    ]
    body = [_result(report, row) for row in rows(report)]
    return "## Results\n\n" + (_table(header, body, set(range(2, 9))) if body else "Nothing was made.")


def _result(report: Report, row: Row) -> list[str]:
    proof, timing = row.parity, row.latency
    verdict = WORDS[row.standing]
    return [
        code(row.file),
        escaped(target(report, row)),
        words.size(row.artifact.size_bytes) if row.artifact else words.ABSENT,
        words.percent(proof.top1, proof.n) if proof else words.ABSENT,
        " ".join(words.estimate(proof.drop_pp, proof.drop_ci95_pp, words.points)).strip()
        if proof
        else words.ABSENT,
        words.percent(proof.agreement, proof.n) if proof else words.ABSENT,
        words.decibels(proof.sqnr_db) if proof else words.ABSENT,
        " ".join(words.estimate(timing.p50_ms, timing.p50_ci95_ms, words.milliseconds)).strip()
        if timing
        else words.ABSENT,
        words.speed_up(timing.vs_fp32) if timing else words.ABSENT,
        verdict if row.standing in ("pass", "reference") else f"**{verdict}**",
    ]


def _story(report: Report) -> str:
    found = lineage_table(report)
    if found is None:
        return ""
    body = [[escaped(" ".join(cell).strip()) for cell in row] for row in found.body]
    parts = [
        "## How the model came to be",
        _table([*found.header], body, found.numbers),
        "\n".join(f"- {escaped(line)}" for line in explained(report)),
    ]
    if lines := commands(report):
        parts.append(_shell("\n".join(lines)))
    return "\n\n".join(parts)


def _layers(report: Report) -> str:
    return "\n\n".join(
        f"## Layer by layer: {escaped(title)}\n\n"
        + _table([*found.header], ([escaped(cell[0]) for cell in row] for row in found.body), found.numbers)
        for title, found in layer_tables(report)
    )


def _growth(report: Report) -> str:
    lines = "\n".join(f"- {escaped(line)}" for line in growth_sentences(report))
    if not lines:
        return ""
    parts = ["## Error growth per layer", escaped(HOW), lines]
    if found := growth_table(report):
        body = ([escaped(cell[0]) for cell in row] for row in found.body)
        parts.append(_table([*found.header], body, found.numbers))
    return "\n\n".join(parts)


def _causes(report: Report) -> str:
    found = causes_table(report.attributions)
    if found is None:
        return ""
    lines = "\n".join(f"- {escaped(line)}" for line in causes_sentences(report.attributions))
    parts = [f"## {CAUSES_TITLE}", escaped(causes_how(report.attributions)), _of_table(found), lines]
    return "\n\n".join(part for part in parts if part)


def _integers(report: Report) -> str:
    ran, risk = execution_table(report.executions), risk_table(report.int8_risks)
    lines = "\n".join(f"- {escaped(line)}" for line in risk_sentences(report.int8_risks))
    parts = [
        *((f"## {RAN_TITLE}", escaped(RAN_HOW), _of_table(ran)) if ran else ()),
        *((f"## {RISK_TITLE}", lines) if lines else ()),
        *((_of_table(risk),) if risk else ()),
    ]
    return "\n\n".join(parts)


def _of_table(found: TextTable) -> str:
    body = ([escaped(" ".join(cell).strip()) for cell in row] for row in found.body)
    return _table([*found.header], body, found.numbers)


def _lint(report: Report) -> str:
    told = lint_summary(report.calibration_lint)
    if not told:
        return ""
    lines = "\n".join(
        f"- **{escaped(how)}**: {escaped(line)}" for how, line in lint_lines(report.calibration_lint)
    )
    return "\n\n".join(part for part in (f"## {TITLE}", escaped(told), lines) if part)


def _plan(report: Report) -> str:
    found = mixed_precision_table(report)
    if found is None or report.plan is None:
        return ""
    body = [[escaped(" ".join(cell).strip()) for cell in row] for row in found.body]
    lines = "\n".join(f"- {escaped(line)}" for line in explained_plan(report.plan))
    title = f"## The plan for {escaped(report.plan.scheme)}"
    return "\n\n".join([title, _table([*found.header], body, found.numbers), lines])


def _not_passed(report: Report) -> str:
    found = [
        f"- **{escaped(title)}**\n" + "\n".join(f"  - {escaped(reason)}" for reason in reasons)
        for title, reasons in summary.troubles(report)
    ]
    return "## What did not pass\n\n" + "\n".join(found) if found else ""


def _failures(report: Report) -> str:
    found = [f"- **{escaped(failure.what)}**: {escaped(failure.message)}" for failure in report.failures]
    return "## What could not be done\n\n" + "\n".join(found) if found else ""


def _feeding(report: Report) -> str:
    return "## How to feed an artifact\n\n" + "\n".join(
        f"- {spans(line)}" for line in summary.feeding(report)
    )


def _tensors(report: Report) -> str:
    body = [
        [code(artifact.file), kind, *(escaped(cell) for cell in summary.tensor_facts(tensor))]
        for artifact in report.artifacts
        for kind, tensors in (("input", artifact.inputs), ("output", artifact.outputs))
        for tensor in tensors
    ]
    if not body:
        return ""
    return "## Inputs and outputs\n\n" + _table(
        ["Artifact", "Which", "Name", "Shape", "Dtype", "Scale", "Zero point"], body, {5, 6}
    )


def _facts(title: str, facts: list[summary.Fact]) -> str:
    return f"## {title}\n\n" + _table(
        ["What", "Value"], ([escaped(key), escaped(value)] for key, value in facts)
    )


def _costs(report: Report) -> str:
    body = [
        [escaped(cost.stage), words.seconds(cost.seconds), words.size(cost.peak_bytes)]
        for cost in report.costs
    ]
    return (
        "## Cost of each stage\n\n" + _table(["Stage", "Wall time", "Peak memory"], body, {1, 2})
        if body
        else ""
    )


def _repeat(report: Report) -> str:
    line = summary.command(report)
    return "" if line is None else f"## How to repeat it\n\n{_shell(line)}"


def _shell(line: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{line}\n{fence}"


def _notes(report: Report) -> str:
    return "## Notes\n\n" + "\n".join(f"- {escaped(note)}" for note in report.notes) if report.notes else ""
