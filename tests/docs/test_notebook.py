"""docs/quickstart.ipynb, run in a real kernel, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs/quickstart.ipynb"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Jupyter's own packages
def test_the_notebook_runs(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    tables = [one["data"]["text/html"] for one in shown if "text/html" in one.get("data", {})]
    assert [table.partition("</caption>")[0] for table in tables] == [
        "<table><caption>quarters: proved",
        "<table><caption>Verified against quarters",
        "<table><caption>Latency",
        "<table><caption>Bundle of quarters",
        "<table><caption>half.keras: channels pruned to 0.50 of the MACs",
        "<table><caption>half_int8.keras: trained for int8, 2 epochs",
        "<table><caption>half_int8: proved",
    ]
    assert "Ship " in tables[2]
    assert shown[-1]["data"]["text/plain"] == (
        "\"--schemes: no scheme is called 'int4' (did you mean int8?); choose from: dynamic, fp16, fp32, "
        'int16x8, int8"'
    )
    assert [one for one in shown if one.output_type == "stream"] == []  # nothing is printed
    assert (tmp_path / "bundle/bundle.json").is_file()
