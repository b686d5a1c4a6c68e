"""Reports as their readers see them: what a run found, as Markdown and as a page."""

from __future__ import annotations

from resnet_edge.core.results.bench import Bench
from resnet_edge.core.results.report import Report
from resnet_edge.core.results.verification import Verification
from resnet_edge.report.bench_sections import bench_document
from resnet_edge.report.blocks import Document
from resnet_edge.report.convert_sections import convert_document
from resnet_edge.report.html.page import page as html_of
from resnet_edge.report.markdown import markdown as markdown_of
from resnet_edge.report.verify_sections import verify_document

Result = Report | Verification | Bench


def document(result: Result) -> Document:
    """What both writers are given."""
    if isinstance(result, Report):
        return convert_document(result)
    return verify_document(result) if isinstance(result, Verification) else bench_document(result)


def markdown(result: Result) -> str:
    """Its Markdown."""
    return markdown_of(document(result))


def page(result: Result) -> str:
    """Its HTML."""
    return html_of(document(result))
