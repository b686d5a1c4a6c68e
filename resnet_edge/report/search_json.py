"""report.json of a search."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from resnet_edge.core.results.search import SearchResult
from resnet_edge.report.contract import strict


def search_json(result: SearchResult) -> dict[str, Any]:
    """All of it as JSON values, from which `load_report` reads the same again. NaN and infinity become null,
    and a note says so."""
    notes = [*result.notes]
    values = {field.name: getattr(result, field.name) for field in fields(SearchResult)}
    body = asdict(result)
    document: dict[str, Any] = strict({name: body[name] for name in values if name != "notes"}, "", notes)
    first = {"schema": document.pop("schema"), "kind": document.pop("kind")}
    return {**first, **document, "notes": strict(notes, "notes", [])}
