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

Found = Report | Verification | Bench


def document(found: Found) -> Document:
    """What both writers are given."""
    if isinstance(found, Report):
        return convert_document(found)
    return verify_document(found) if isinstance(found, Verification) else bench_document(found)


def markdown(found: Found) -> str:
    """Its Markdown."""
    return markdown_of(document(found))


def page(found: Found) -> str:
    """Its HTML."""
    return html_of(document(found))
