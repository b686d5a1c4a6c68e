"""Makes the tables of docs of what benchmarks measured.

    python -m benchmarks.tables [--check]

A table stands between `<!-- table: NAME -->` and `<!-- table ends -->`, made of results/NAME.json by
the `table` of the benchmark that wrote it. A line below says which run it is of.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks.results import FOLDER, ROOT, processor, read

PAGES = (
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
BLOCK = re.compile(r"<!-- table: (\w+) -->\n.*?<!-- table ends -->", re.DOTALL)


def main() -> None:
    """Write them, or say which pages are not as they would be written."""
    stale = [page for page in PAGES if page.read_text("utf-8") != with_tables(page)]
    for page in stale:
        print(page.relative_to(ROOT))
        if "--check" not in sys.argv:
            page.write_text(with_tables(page), "utf-8")
    sys.exit(bool(stale) and "--check" in sys.argv)


def with_tables(page: Path) -> str:
    """The page with its tables as they are to be."""
    return BLOCK.sub(lambda match: block(match[1]), page.read_text("utf-8"))


def block(name: str) -> str:
    """A table with the line below it. Raises FileNotFoundError where nothing was measured."""
    document = read(name)
    module = importlib.import_module(f"benchmarks.{document['benchmark']}")
    table: str = module.table(document["result"])
    return f"<!-- table: {name} -->\n{table}\n\n{source(name, document)}\n<!-- table ends -->"


def source(name: str, document: dict[str, Any]) -> str:
    """Where figures are from."""
    link = f"benchmarks/results/{name}.json"
    return (
        f"`{document['command']}` at {document['commit']}, {document['date']}, {processor(document)}: {link}"
    )


def used() -> set[str]:
    """Benchmarks whose results stand in a page."""
    return {match[1] for page in PAGES for match in BLOCK.finditer(page.read_text("utf-8"))}


def kept() -> set[str]:
    """Benchmarks that have left results."""
    return {path.stem for path in FOLDER.glob("*.json")}


if __name__ == "__main__":
    main()
