"""Sections that the reports of `convert` and of `verify` share."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_edge.core.results.calibration_lint import Severity
from resnet_edge.core.results.error_growth import ErrorGrowth, LayerError
from resnet_edge.core.results.explanation import Explanation
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.report import causes, integers, lint, summary
from resnet_edge.report.blocks import Block, Entry, Figure, Item, Paragraph, Shell, Tag, bullets
from resnet_edge.report.changed_answers import class_blocks, confusion_blocks, image_blocks
from resnet_edge.report.charts import line_plot, svg
from resnet_edge.report.charts.scheme_colours import line_styles
from resnet_edge.report.doubted import doubted
from resnet_edge.report.label_tables import label_blocks
from resnet_edge.report.rows import Standing

Proved = Report | Verification

TRACE_HOW = (
    "SQNR of the activations of every layer against those of the model's float graph, where layers have a "
    "counterpart, in the units of the model, whatever was scaled on the way."
)
_STANDINGS: dict[Severity, Standing] = {"error": "fail", "warning": "inconclusive", "note": "reference"}


def _causes(report: Proved) -> Iterator[Block]:
    if table := causes.causes_table(report.attributions):
        yield Paragraph(causes.causes_how(report.attributions))
        yield table
        yield from bullets(causes.causes_sentences(report.attributions))
    if kernels := causes.kernels_table(report.attributions):
        yield Paragraph(causes.KERNELS_HOW)
        yield kernels


def _explained(report: Proved) -> Iterator[Block]:
    """What was found in each artifact, and the error of each layer of it. On the page of `convert`, where
    the growth of errors has a section, only artifacts in which something was found are drawn."""
    named = [each for each in report.explanations if each.findings]
    yield from bullets(
        [Item(label=each.artifact, below=[f.sentence for f in each.findings]) for each in named]
    )
    drawn = named if isinstance(report, Report) else report.explanations
    growth = [_growth(each) for each in drawn if any(layer.sqnr_db is not None for layer in each.trace)]
    if growth:
        schemes = {a.path: a.scheme for a in report.artifacts} | {a.file: a.scheme for a in report.artifacts}
        styles = line_styles(schemes.get(each.artifact, "") for each in growth)
        keys = [(svg.legend_stroke(style), g.artifact) for g, style in zip(growth, styles, strict=True)]
        yield Figure(line_plot.both(growth, styles), keys, TRACE_HOW)


def _growth(explanation: Explanation) -> ErrorGrowth:
    layers = tuple(LayerError(each.layer, each.sqnr_db, each.read_db, None) for each in explanation.trace)
    return ErrorGrowth(explanation.artifact, explanation.n, layers)


def _ran(report: Proved) -> Iterator[Block]:
    if table := integers.execution_table(report.executions):
        yield Paragraph(integers.RAN_HOW)
        yield table


def _risk(report: Proved) -> Iterator[Block]:
    yield from bullets(integers.risk_sentences(report.int8_risks))
    if table := integers.risk_table(report.int8_risks):
        yield table


def _lint(report: Proved) -> Iterator[Block]:
    if sentence := lint.lint_summary(report.calibration_lint):
        yield Paragraph(sentence)
    yield from bullets(
        [
            Item(label=Tag(how, _STANDINGS[how]), text=line)
            for how, line in lint.lint_lines(report.calibration_lint)
        ]
    )


def _repeat(report: Proved) -> Iterator[Block]:
    if line := summary.command(report):
        yield Shell(line)


LABELS = Entry[Proved](
    "labels", "Label by label", lambda report: label_blocks(report.parity, report.class_names)
)
CLASSES = Entry[Proved](
    "classes", "Class by class", lambda report: class_blocks(report.changes, report.class_names)
)
CONFUSION = Entry[Proved](
    "confusion",
    "Confusion matrix",
    lambda report: confusion_blocks(report.changes, report.class_names),
)
CHANGED = Entry[Proved](
    "changed",
    "Images whose answer changed",
    lambda report: image_blocks(report.changes, report.class_names),
)
ANSWERS = (LABELS, CLASSES, CONFUSION, CHANGED)
"""What is told of answers, by the head: of labels, or of classes."""
DOUBTS = Entry[Proved]("doubts", "The reference is in doubt", lambda report: bullets(doubted(report.doubts)))
DIAGNOSIS: tuple[Entry[Proved], ...] = (
    Entry("causes", "Where the gap comes from", _causes),
    Entry("parting", "Where artifacts part from the model", _explained),
    Entry("integers", "What int8 really ran as", _ran),
    Entry("vnni", "int8 ONNX on x86 without VNNI", _risk),
    Entry("calibration", "Calibration images", _lint),
)
FAILURES = Entry[Proved](
    "failures",
    "What could not be done",
    lambda report: bullets([Item(label=each.what, text=each.message) for each in report.failures]),
)
REPEAT = Entry[Proved]("repeat", "How to repeat it", _repeat)
NOTES = Entry[Proved]("notes", "Notes", lambda report: bullets(report.notes))
