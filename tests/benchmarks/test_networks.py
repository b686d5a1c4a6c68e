"""What the benchmark makes of the documents of commands, and the table of that."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.good_files.store import Store
from benchmarks.networks.commands import COMMANDS, Outcome, outcome, read
from benchmarks.networks.table import COLUMNS, table

PRUNED = {"step": {"before": {"macs": 200}, "after": {"macs": 120}}}
FAILED = {"parity": [{"artifact": "a.onnx", "verdict": "fail", "reasons": ["other answers"]}]}


@pytest.mark.parametrize(
    ("exit_code", "document", "result", "why"),
    [
        (0, PRUNED, "yes", ""),
        (5, {"passed": False}, "yes", ""),
        (3, {"error": "the layer x cannot: do y"}, "refused", "the layer x cannot: do y"),
        (4, FAILED, "fails", "a.onnx: other answers"),
        (1, {"error": "ValueError: 3"}, "breaks", "ValueError: 3"),
        (3, {}, "breaks", ""),
    ],
)
def test_an_exit_code_says_what_came_of_a_command(
    tmp_path: Path, exit_code: int, document: dict[str, object], result: str, why: str
) -> None:
    one = outcome(Store(tmp_path, "net"), "channel", 1.0, exit_code, document)
    assert (one.result, one.why) == (result, why)
    assert one.left == (0.6 if document is PRUNED else None)


def test_where_there_is_no_document_the_last_line_stands_for_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("Traceback\nKeyError: 'a'\n\n")
    assert read("", log) == {"error": "KeyError: 'a'"}
    assert read('{"passed": true}', log) == {"passed": True}


def test_every_command_has_a_column_and_every_reason_one_note() -> None:
    assert list(COLUMNS) == list(COMMANDS)
    refused = [
        Outcome(network=name, command="qat", result="refused", exit_code=3, seconds=1, why="no <layer> a_b")
        for name in ("one", "two")
    ]
    done = Outcome(network="one", command="channel", result="yes", exit_code=0, seconds=1, left=0.7)
    text = table(
        {"networks": ["one", "two", "three"], "outcomes": [asdict(each) for each in (done, *refused)]}
    )
    assert "| `one` | not run | not run | yes, 0.70x | not run | refused (1) |" in text
    assert "| `three` | not run | not run | not run | not run | not run |" in text
    assert "Of 3 cells that were run: 1 yes, 2 refused." in text
    assert len(re.findall(r"^1\. no &lt;layer> a\\_b$", text, re.MULTILINE)) == 1
    assert "2. " not in text
