"""report.json of a search: strict JSON, from which the same comes again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_edge.api.load_report import load_report
from resnet_edge.api.reports import SearchReport, extended
from resnet_edge.core.errors import DataError
from resnet_edge.report import write_frontier
from resnet_edge.report.search_json import search_json
from tests.report.searches import POINTS, RESULT


def test_what_was_written_is_read_as_the_same(tmp_path: Path) -> None:
    write_frontier(RESULT, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["frontier.html", "report.json", "report.md"]
    assert load_report(tmp_path) == extended(SearchReport, RESULT, folder=tmp_path)


def test_the_same_search_gives_the_same_bytes(tmp_path: Path) -> None:
    texts = []
    for _ in range(2):
        write_frontier(RESULT, tmp_path)
        texts.append([file.read_bytes() for file in sorted(tmp_path.iterdir())])
    assert texts[0] == texts[1]


def test_keys_that_readers_tell_it_by_come_first() -> None:
    assert [*search_json(RESULT)][:2] == ["schema", "kind"]
    assert search_json(RESULT)["kind"] == "search"


def test_what_json_cannot_hold_becomes_null_and_is_said() -> None:
    broken = replace(RESULT, points=(replace(POINTS[0], p50_ms=float("nan")),))
    document = search_json(broken)
    assert document["points"][0]["p50_ms"] is None
    assert document["notes"] == [
        "two trials failed: their logs are kept",
        "points[0].p50_ms is null because it is not a number",
    ]
    json.loads(json.dumps(document, allow_nan=False))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": (replace(POINTS[0], size_bytes=0),)}, "a file without a byte"),
        ({"points": (replace(POINTS[0], p50_ms=0.0),)}, "no latency above 0"),
        ({"limits": {"max_price": 3.0}}, "a limit called 'max_price'"),
    ],
)
def test_what_no_search_can_say_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    (tmp_path / "report.json").write_text(json.dumps(search_json(replace(RESULT, **change))))
    with pytest.raises(DataError, match=message):
        load_report(tmp_path)
