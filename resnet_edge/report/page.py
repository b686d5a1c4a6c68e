"""report.html: one file with everything in it; no script, nothing fetched from anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from importlib import resources

from resnet_edge.core.report import Report
from resnet_edge.report import summary, words
from resnet_edge.report.chart import Chart, chart
from resnet_edge.report.layer_tables import layer_tables
from resnet_edge.report.picture import COLOURS, NARROW, WIDE, legend_band, legend_line, legend_marker, picture
from resnet_edge.report.rescue_table import explained_rescue, rescue_table
from resnet_edge.report.rows import WORDS, Row, Standing, conditions, rows, target
from resnet_edge.report.story_table import commands, explained, story_table


def page(report: Report) -> str:
    """The whole page. Every string from outside is escaped."""
    sections = [
        _head(report),
        _picture(report),
        _results(report),
        _plan(report),
        _story(report),
        _layers(report),
        _reasons("What did not pass", summary.troubles(report)),
        _reasons("What could not be done", [(f.what, [f.message]) for f in report.failures]),
        _section("Model and data", _facts([*summary.model_facts(report), *summary.data_facts(report)])),
        _section("How to feed an artifact", _feeding(report)),
        _tensors(report),
        _section("Machine and versions", _facts(summary.machine_facts(report))),
        _costs(report),
        _repeat(report),
        _section("Notes", _list(report.notes)) if report.notes else "",
    ]
    body = "\n".join(section for section in sections if section)
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # An empty icon, or browsers ask the server for one.
        '<link rel="icon" href="data:,">\n'
        f"<title>{_safe(report.model.name)}: parity report</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _safe(text: str) -> str:
    return escape(words.printable(text))


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{_safe(title)}</h2>\n{body}\n</section>"


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_safe(item)}</li>' for item in items)}</ul>"


def _facts(facts: Iterable[summary.Fact]) -> str:
    return f"<dl>{''.join(f'<dt>{_safe(key)}</dt><dd>{_safe(value)}</dd>' for key, value in facts)}</dl>"


def _head(report: Report) -> str:
    found = summary.verdict(report)
    return (
        f'<header>\n<p class="over">resnet-edge {_safe(report.resnet_edge)} · parity report</p>\n'
        f"<h1>{_safe(report.model.name)}</h1>\n"
        f'<div class="banner {found.word}"><p><strong>{found.word}</strong> {_safe(found.sentence)}</p></div>'
        "\n</header>"
    )


def _picture(report: Report) -> str:
    found = chart(report)
    if found is None:
        return ""
    title = "Accuracy against latency" if found.x_title.startswith("median") else "Accuracy against size"
    drawn = picture(found, WIDE, "plot wide") + picture(found, NARROW, "plot narrow")
    return _section(
        title,
        f"<figure>{_legend(found)}{drawn}<figcaption>{_safe(_caption(report, found))}</figcaption></figure>",
    )


def _legend(found: Chart) -> str:
    shapes, colours = {point.shape for point in found.points}, {point.colour for point in found.points}
    keys = [(legend_marker(i), name) for i, name in enumerate(found.shapes) if i in shapes]
    keys += [
        (legend_marker(css=f"c{i % COLOURS}"), name) for i, name in enumerate(found.colours) if i in colours
    ]
    if any(point.standing not in ("pass", "reference") for point in found.points):
        keys.append((legend_marker(css="ink hollow"), "did not pass"))
    if found.reference is not None:
        keys.append((legend_line(), f"Keras reference, {found.reference:.2f} %"))
    if found.reference is not None and found.permitted is not None:
        keys.append((legend_band(), f"permitted drop, {round(found.reference - found.permitted, 6):g} pp"))
    return f'<ul class="legend">{"".join(f"<li>{marker}{_safe(name)}</li>" for marker, name in keys)}</ul>'


def _caption(report: Report, found: Chart) -> str:
    parts = ["Up and to the left is better."]
    if any(point.x_interval for point in found.points):
        parts.append("Horizontal whiskers: 95 % interval of the median latency.")
    if any(point.y_interval for point in found.points):
        parts.append("Vertical whiskers: paired 95 % interval of the drop, hung from the reference.")
    if found.left_out:
        parts.append(f"Not drawn, for want of a number: {', '.join(found.left_out)}.")
    return " ".join([*parts, f"Tested on {summary.images(report)}."])


_HEADER = (
    "Artifact",
    "Backend",
    "Size",
    "Top-1",
    "Drop, pp",
    "Agreement",
    "SQNR",
    "p50, ms",
    "Speed-up",
    "Verdict",
)


def _results(report: Report) -> str:
    body = [_result(report, row) for row in rows(report)]
    if not body:
        return _section("Results", "<p>Nothing was made.</p>")
    how = [
        "Under a number: its 95 % interval.",
        f"Latency: {conditions(report)}." if conditions(report) else "",
    ]
    return _section(
        "Results", f'<p class="soft">{" ".join(how).strip()}</p>{_table(_HEADER, body, range(2, 9))}'
    )


def _result(report: Report, row: Row) -> list[str]:
    proof, timing = row.parity, row.latency
    return [
        _safe(row.file),
        _safe(target(report, row)),
        words.size(row.artifact.size_bytes) if row.artifact else words.ABSENT,
        words.percent(proof.top1, proof.n) if proof else words.ABSENT,
        _over(*words.estimate(proof.drop_pp, proof.drop_ci95_pp, words.points)) if proof else words.ABSENT,
        words.percent(proof.agreement, proof.n) if proof else words.ABSENT,
        words.decibels(proof.sqnr_db) if proof else words.ABSENT,
        _over(*words.estimate(timing.p50_ms, timing.p50_ci95_ms, words.milliseconds))
        if timing
        else words.ABSENT,
        _over(*words.estimate(timing.vs_fp32, timing.vs_fp32_ci95, words.speed_up))
        if timing
        else words.ABSENT,
        _tag(row.standing),
    ]


def _story(report: Report) -> str:
    found = story_table(report)
    if found is None:
        return ""
    body = [[_over(_safe(number), _safe(between)) for number, between in row] for row in found.body]
    lines = "\n".join(commands(report))
    return _section(
        "How the model came to be",
        f"{_table(found.header, body, found.numbers)}{_list(explained(report))}"
        + (f"<pre>{escape(lines)}</pre>" if lines else ""),
    )


def _layers(report: Report) -> str:
    return "\n".join(
        _section(
            f"Layer by layer: {title}",
            _table(found.header, ([_safe(cell[0]) for cell in row] for row in found.body), found.numbers),
        )
        for title, found in layer_tables(report)
    )


def _plan(report: Report) -> str:
    found = rescue_table(report)
    if found is None or report.plan is None:
        return ""
    body = [[_over(_safe(number), _safe(between)) for number, between in row] for row in found.body]
    table = f"{_table(found.header, body, found.numbers)}{_list(explained_rescue(report.plan))}"
    return _section(f"The plan for {report.plan.scheme}", table)


def _over(number: str, interval: str) -> str:
    return f'<span>{number}<span class="under">{interval}</span></span>' if interval else number


def _tag(standing: Standing) -> str:
    return f'<span class="tag {standing}">{WORDS[standing]}</span>'


def _table(header: Iterable[str], body: Iterable[list[str]], numbers: range) -> str:
    """A table whose rows turn into cards on a phone. The cells are HTML, the header is text."""
    names = [_safe(name) for name in header]
    css = ["number" if index in numbers else "" for index in range(len(names))]
    head = "".join(f'<th scope="col" class="{css[i]}">{name}</th>' for i, name in enumerate(names))
    lines = []
    for first, *rest in body:
        cells = [
            f'<td class="{style}{" empty" if cell == words.ABSENT else ""}" data-label="{name}">{cell}</td>'
            for style, name, cell in zip(css[1:], names[1:], rest, strict=True)
        ]
        lines.append(f'<tr><th scope="row">{_breakable(first)}</th>{"".join(cells)}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="table"><table class="cards">'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def _breakable(name: str) -> str:
    """A long file name may be broken after a dot, a hyphen or an underscore."""
    return re.sub(r"([._-])", r"\1<wbr>", name)


def _reasons(title: str, found: list[tuple[str, list[str]]]) -> str:
    if not found:
        return ""
    items = "".join(f"<li><strong>{_safe(what)}</strong>{_list(reasons)}</li>" for what, reasons in found)
    return _section(title, f"<ul>{items}</ul>")


def _feeding(report: Report) -> str:
    # The sentences put names between backquotes.
    spans = [_safe(line).split("`") for line in summary.feeding(report)]
    lines = (
        "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(line)) for line in spans
    )
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def _tensors(report: Report) -> str:
    body = [
        [_safe(artifact.file), kind, *(_safe(cell) for cell in summary.tensor_facts(tensor))]
        for artifact in report.artifacts
        for kind, tensors in (("input", artifact.inputs), ("output", artifact.outputs))
        for tensor in tensors
    ]
    header = ("Artifact", "Which", "Name", "Shape", "Dtype", "Scale", "Zero point")
    return _section("Inputs and outputs", _table(header, body, range(5, 7))) if body else ""


def _costs(report: Report) -> str:
    body = [
        [_safe(cost.stage), words.seconds(cost.seconds), words.size(cost.peak_bytes)] for cost in report.costs
    ]
    header = ("Stage", "Wall time", "Peak memory")
    return _section("Cost of each stage", _table(header, body, range(1, 3))) if body else ""


def _repeat(report: Report) -> str:
    line = summary.command(report)
    return _section("How to repeat it", f"<pre>{escape(line)}</pre>") if line else ""
