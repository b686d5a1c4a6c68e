"""report.html: one file with everything in it; no script, nothing fetched from anywhere."""

from __future__ import annotations

from resnet_edge.core.results.report import Report
from resnet_edge.report import summary, words
from resnet_edge.report.charts import line_plot, svg
from resnet_edge.report.charts.accuracy_latency import chart
from resnet_edge.report.doubted import TITLE, doubted
from resnet_edge.report.growth import HOW, growth_sentences, growth_table
from resnet_edge.report.html.accuracy_figure import accuracy_section
from resnet_edge.report.html.elements import (
    document,
    facts,
    figure,
    head,
    listing,
    over,
    reasons,
    safe,
    section,
    shell,
    table,
    tag,
)
from resnet_edge.report.html.integer_sections import ran_section, risk_section
from resnet_edge.report.html.layer_sections import causes_section, explained_section
from resnet_edge.report.html.lint_section import lint_section
from resnet_edge.report.html.table_cards import table_cards
from resnet_edge.report.layer_tables import layer_tables
from resnet_edge.report.lineage_table import commands, explained, lineage_table
from resnet_edge.report.mixed_precision_table import explained_plan, mixed_precision_table
from resnet_edge.report.rows import WORDS, Row, conditions, rows, target


def page(report: Report) -> str:
    """The whole page. Every string from outside is escaped."""
    sections = [
        _head(report),
        section(TITLE, listing(doubted(report.doubts))) if report.doubts else "",
        accuracy_section(chart(report), summary.images(report)),
        _results(report),
        _plan(report),
        _growth(report),
        causes_section(report.attributions),
        explained_section(report.explanations, [e for e in report.explanations if e.findings]),
        ran_section(report.executions),
        risk_section(report.int8_risks),
        lint_section(report.calibration_lint),
        _story(report),
        _layers(report),
        reasons("What did not pass", summary.troubles(report)),
        reasons("What could not be done", [(f.what, [f.message]) for f in report.failures]),
        section("Model and data", facts([*summary.model_facts(report), *summary.data_facts(report)])),
        section("How to feed an artifact", _feeding(report)),
        _tensors(report),
        section("Machine and versions", facts(summary.machine_facts(report))),
        _costs(report),
        _repeat(report),
        section("Notes", listing(report.notes)) if report.notes else "",
    ]
    return document(f"{report.model.name}: parity report", sections)


def _head(report: Report) -> str:
    found = summary.verdict(report)
    by = f"resnet-edge {report.resnet_edge} · parity report"
    return head(by, report.model.name, found.word, found.word, found.sentence)


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
        return section("Results", "<p>Nothing was made.</p>")
    how = [
        "Under a number: its 95 % interval.",
        f"Latency: {conditions(report)}." if conditions(report) else "",
    ]
    return section(
        "Results", f'<p class="soft">{" ".join(how).strip()}</p>{table(_HEADER, body, range(2, 9))}'
    )


def _result(report: Report, row: Row) -> list[str]:
    proof, timing = row.parity, row.latency
    return [
        safe(row.file),
        safe(target(report, row)),
        words.size(row.artifact.size_bytes) if row.artifact else words.ABSENT,
        words.percent(proof.top1, proof.n) if proof else words.ABSENT,
        over(*words.estimate(proof.drop_pp, proof.drop_ci95_pp, words.points)) if proof else words.ABSENT,
        words.percent(proof.agreement, proof.n) if proof else words.ABSENT,
        words.decibels(proof.sqnr_db) if proof else words.ABSENT,
        over(*words.estimate(timing.p50_ms, timing.p50_ci95_ms, words.milliseconds))
        if timing
        else words.ABSENT,
        over(*words.estimate(timing.vs_fp32, timing.vs_fp32_ci95, words.speed_up))
        if timing
        else words.ABSENT,
        tag(row.standing, WORDS[row.standing]),
    ]


def _story(report: Report) -> str:
    found = lineage_table(report)
    if found is None:
        return ""
    lines = "\n".join(commands(report))
    return section(
        "How the model came to be",
        f"{table_cards(found)}{listing(explained(report))}" + (shell(lines) if lines else ""),
    )


def _layers(report: Report) -> str:
    return "\n".join(
        section(
            f"Layer by layer: {title}",
            table(found.header, ([safe(cell[0]) for cell in row] for row in found.body), found.numbers),
        )
        for title, found in layer_tables(report)
    )


def _growth(report: Report) -> str:
    schemes = {artifact.file: artifact.scheme for artifact in report.artifacts}
    order = list(dict.fromkeys(schemes.values()))  # so that a scheme has the colour of the picture above
    colours = [order.index(schemes[growth.artifact]) for growth in report.error_growth]
    drawn = line_plot.both(report.error_growth, colours)
    found = growth_table(report)
    if not drawn:
        return ""
    keys = [
        (svg.legend_marker(css=svg.colour(colour)), growth.artifact)
        for growth, colour in zip(report.error_growth, colours, strict=True)
    ]
    keys.append((svg.legend_marker(css="ink hollow"), "the largest fall"))
    body = [[safe(cell[0]) for cell in row] for row in found.body] if found else []
    told = table(found.header, body, found.numbers) if found else ""
    return section(
        "Error growth per layer", f"{figure(keys, drawn, HOW)}{listing(growth_sentences(report))}{told}"
    )


def _plan(report: Report) -> str:
    found = mixed_precision_table(report)
    if found is None or report.plan is None:
        return ""
    told = f"{table_cards(found)}{listing(explained_plan(report.plan))}"
    return section(f"The plan for {report.plan.scheme}", told)


def _feeding(report: Report) -> str:
    # The sentences put names between backquotes.
    spans = [safe(line).split("`") for line in summary.feeding(report)]
    lines = (
        "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(line)) for line in spans
    )
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def _tensors(report: Report) -> str:
    body = [
        [safe(artifact.file), kind, *(safe(cell) for cell in summary.tensor_facts(tensor))]
        for artifact in report.artifacts
        for kind, tensors in (("input", artifact.inputs), ("output", artifact.outputs))
        for tensor in tensors
    ]
    header = ("Artifact", "Which", "Name", "Shape", "Dtype", "Scale", "Zero point")
    return section("Inputs and outputs", table(header, body, range(5, 7))) if body else ""


def _costs(report: Report) -> str:
    body = [
        [safe(cost.stage), words.seconds(cost.seconds), words.size(cost.peak_bytes)] for cost in report.costs
    ]
    header = ("Stage", "Wall time", "Peak memory")
    return section("Cost of each stage", table(header, body, range(1, 3))) if body else ""


def _repeat(report: Report) -> str:
    line = summary.command(report)
    return section("How to repeat it", shell(line)) if line else ""
