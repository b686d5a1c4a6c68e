"""The report of `convert`, section by section."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_edge.core.results.report import Report
from resnet_edge.report import summary, words
from resnet_edge.report.blocks import (
    Block,
    Bullets,
    Cell,
    Document,
    Entry,
    Facts,
    Figure,
    Item,
    Paragraph,
    Shell,
    Tag,
    TextTable,
    bullets,
    sections,
)
from resnet_edge.report.charts import line_plot, svg
from resnet_edge.report.charts.accuracy_figure import accuracy_blocks, accuracy_title
from resnet_edge.report.charts.accuracy_latency import chart
from resnet_edge.report.charts.scheme_colours import line_styles
from resnet_edge.report.first_reasons import first_reasons
from resnet_edge.report.growth import HOW, growth_sentences, growth_table
from resnet_edge.report.layer_tables import layer_tables
from resnet_edge.report.lineage_table import commands, explained, lineage_table
from resnet_edge.report.mixed_precision_table import explained_plan, mixed_precision_table
from resnet_edge.report.proof_sections import ANSWERS, DIAGNOSIS, DOUBTS, FAILURES, NOTES, REPEAT
from resnet_edge.report.rows import WORDS, Row, conditions, rows, target


def convert_document(report: Report) -> Document:
    """The whole report, for every writer."""
    verdict = summary.verdict(report)
    return Document(
        name=report.model.name,
        kind="parity report",
        version=report.resnet_edge,
        outcome=verdict.word,
        word=verdict.word,
        sentence=verdict.sentence,
        why=() if report.passed else first_reasons(report),
        sections=sections(SECTIONS, report),
    )


def _results(report: Report) -> Iterator[Block]:
    body = tuple(_result(report, row) for row in rows(report))
    if not body:
        yield Paragraph("Nothing was made.")
        return
    latency = f" Latency: {conditions(report)}." if conditions(report) else ""
    yield Paragraph(f"In brackets: the 95 % interval of a number.{latency}")
    header = (
        *("Artifact", "Backend", "Size", "Top-1", "Drop, pp", "Agreement", "SQNR", "p50, ms", "Speed-up"),
        "Verdict",
    )
    yield TextTable(header, body, range(2, 9), names=range(1))


def _result(report: Report, row: Row) -> tuple[Cell, ...]:
    proof, timing = row.parity, row.latency
    accuracy: tuple[Cell, ...] = (words.ABSENT,) * 4
    speed: tuple[Cell, ...] = (words.ABSENT,) * 2
    if proof:
        accuracy = (
            words.percent(proof.top1, proof.n),
            words.estimate(proof.drop_pp, proof.drop_ci95_pp, words.points),
            words.percent(proof.agreement, proof.n),
            words.decibels(proof.sqnr_db),
        )
    if timing:
        speed = (
            words.estimate(timing.p50_ms, timing.p50_ci95_ms, words.milliseconds),
            words.estimate(timing.vs_fp32, timing.vs_fp32_ci95, words.speed_up),
        )
    return (
        row.file,
        target(report, row),
        words.size(row.artifact.size_bytes) if row.artifact else words.ABSENT,
        *accuracy,
        *speed,
        Tag(WORDS[row.standing], row.standing),
    )


def _plan(report: Report) -> Iterator[Block]:
    if report.plan is not None:
        yield mixed_precision_table(report.plan)
        yield Bullets(explained_plan(report.plan))


def _growth(report: Report) -> Iterator[Block]:
    schemes = {artifact.file: artifact.scheme for artifact in report.artifacts}
    styles = line_styles(schemes[growth.artifact] for growth in report.error_growth)
    if drawn := line_plot.both(report.error_growth, styles):
        keys = [
            (svg.legend_stroke(style), growth.artifact)
            for growth, style in zip(report.error_growth, styles, strict=True)
        ]
        yield Figure(drawn, [*keys, (svg.legend_marker(css="ink hollow"), "the largest fall")])
    if lines := growth_sentences(report):
        yield Paragraph(HOW)
        yield Bullets(lines)
    if table := growth_table(report):
        yield table


def _lineage(report: Report) -> Iterator[Block]:
    if table := lineage_table(report):
        yield table
        yield from bullets(explained(report))
        if lines := commands(report):
            yield Shell("\n".join(lines))


def _layers(report: Report) -> Iterator[Block]:
    for title, table in layer_tables(report):
        yield Paragraph(title)
        yield table


def _not_passed(report: Report) -> list[Bullets]:
    return bullets([Item(label=title, below=reasons) for title, reasons in summary.troubles(report)])


def _model(report: Report) -> Iterator[Block]:
    yield Facts([*summary.model_facts(report), *summary.data_facts(report)], names={"Source", "SHA-256"})


def _tensors(report: Report) -> Iterator[Block]:
    body = tuple(
        (artifact.file, kind, *summary.tensor_facts(tensor))
        for artifact in report.artifacts
        for kind, tensors in (("input", artifact.inputs), ("output", artifact.outputs))
        for tensor in tensors
    )
    header = ("Artifact", "Which", "Name", "Shape", "Dtype", "Scale", "Zero point")
    if body:
        yield TextTable(header, body, range(5, 7), names=range(1))


def _costs(report: Report) -> Iterator[Block]:
    body = tuple(
        (cost.stage, words.seconds(cost.seconds), words.size(cost.peak_bytes)) for cost in report.costs
    )
    if body:
        yield TextTable(("Stage", "Wall time", "Peak memory"), body, range(1, 3))


SECTIONS: tuple[Entry[Report], ...] = (
    DOUBTS,
    Entry(
        "accuracy",
        lambda report: accuracy_title(chart(report)),
        lambda report: accuracy_blocks(chart(report), summary.images(report)),
    ),
    Entry("results", "Results", _results),
    *ANSWERS,
    Entry("plan", lambda report: f"The plan for {report.plan.scheme if report.plan else ''}", _plan),
    Entry("growth", "Error growth per layer", _growth),
    *DIAGNOSIS,
    Entry("lineage", "History of the model", _lineage),
    Entry("layers", "Layer by layer", _layers),
    Entry("not-passed", "What did not pass", _not_passed),
    FAILURES,
    Entry("model", "Model and data", _model),
    Entry("feeding", "How to feed an artifact", lambda r: [Bullets(summary.feeding(r), quoted=True)]),
    Entry("tensors", "Inputs and outputs", _tensors),
    Entry("machine", "Machine and versions", lambda report: [Facts(summary.machine_facts(report))]),
    Entry("costs", "Cost of each stage", _costs),
    REPEAT,
    NOTES,
)
"""A section of the report is one entry here, or in `proof_sections` where `verify` has it too, and the
function that gives its blocks."""
