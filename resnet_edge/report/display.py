"""What a report shows in a notebook and to `print`: a table, and the sentences that it was run for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from resnet_edge.core.printable import one_line
from resnet_edge.report.html.notebook import Cells, table
from resnet_edge.report.html.page import safe


class Display:
    """Of the rows the first is the head; of the sentences the last is the answer."""

    def __init__(self, title: str, rows: Sequence[Cells], sentences: Iterable[str] = ()) -> None:
        self.title, self.rows = title, rows
        self.sentences = tuple(filter(None, sentences))

    def html(self) -> str:
        """One piece of HTML."""
        return table(self.title, self.rows) + "".join(f"<p>{safe(line)}</p>" for line in self.sentences)

    def text(self) -> str:
        """The same in columns, one line for each row and each sentence, without what moves the cursor."""
        cells = [[one_line(cell) for cell in row] for row in self.rows]
        columns = max(map(len, cells))
        widths = [max(len(row[column]) for row in cells if column < len(row)) for column in range(columns)]
        rows = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        return "\n".join([one_line(self.title), *filter(None, rows), *map(one_line, self.sentences)])


class Displayed:
    """A report that shows itself."""

    def _display(self) -> Display:
        raise NotImplementedError  # each report says what it shows

    def _repr_html_(self) -> str:
        return self._display().html()

    def __str__(self) -> str:
        return self._display().text()
