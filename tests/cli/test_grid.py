"""Tables of a terminal: a grid where it fits, a block for each row where not."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from resnet_edge.cli._grid import print_grid, spelled
from resnet_edge.report.words import printable

HEADER, BODY = (
    ["File", "p50, ms", "By"],
    [["net.int8.tflite", "0.884", "litert"], ["net.fp32.onnx", "12.5", "ort"]],
)


def printed(width: int, body: list[list[str]] = BODY) -> list[str]:
    out = io.StringIO()
    print_grid(Console(file=out, width=width, markup=False, emoji=False), HEADER, body, left={"By"})
    return out.getvalue().splitlines()


def test_numbers_stand_under_each_other() -> None:
    _, _, first, second, *_ = printed(80)
    assert first.index("0.884") + len("0.884") == second.index("12.5") + len("12.5")
    assert first.index("litert") == second.index("ort")


@pytest.mark.parametrize("width", [12, 20, 28])
def test_where_it_does_not_fit_each_row_is_a_block_and_nothing_is_cut(width: int) -> None:
    text = "".join(line.strip() for line in printed(width))
    assert all(cell in text for row in BODY for cell in row)
    assert "…" not in text


def test_a_name_may_fold_and_a_number_may_not() -> None:
    name = "a-very-long-model-name-that-goes-on-and-on.int8.tflite"
    lines = printed(46, [[name, "0.884", "litert"]])
    assert name in "".join(line.split()[0] for line in lines)
    assert sum("0.884" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("utf-8", "1.67× – \x1b[31m", "1.67× – \\x1b[31m"),
        ("ascii", "1.67× – ∞ é", "1.67x - inf \\xe9"),
        ("latin-1", "1.67× é 日", "1.67x é \\u65e5"),
    ],
)
def test_what_a_terminal_cannot_show_is_spelled(encoding: str, text: str, shown: str) -> None:
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding))
    assert spelled(console, text) == shown
    assert printable(shown) == shown
