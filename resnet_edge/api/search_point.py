"""A point of a search as a folder of its own, as `convert` would have left it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resnet_edge.core.errors import OutputError
from resnet_edge.core.files.atomic import write_whole
from resnet_edge.core.files.bundled import DATA
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.results.search import FrontierPoint
from resnet_edge.core.results.stored_report import REPORT, report_in
from resnet_edge.report.readable_json import readable_json


def write_point(folder: Path, point: FrontierPoint, out: Path, *, overwrite: bool) -> Path:
    """Copy the files of a point of the search in `folder` to `out`, a new folder, all or nothing; what its
    report says of other files leads to them from there. Raises DataError, OutputError, UsageError."""
    source = folder / point.folder
    document = _document(source)
    with Workspace(out, writer="convert", overwrite=overwrite, inputs=(folder,)) as workspace:
        try:
            shutil.copytree(source, workspace.folder, dirs_exist_ok=True)
            content = {**document, "inputs": _moved(document.get("inputs"), source, out)}
            write_whole(workspace.folder / REPORT, readable_json(content, indent=2))
        except (OSError, shutil.Error) as error:
            workspace.check_space()
            raise OutputError(f"{source} cannot be copied to {out}: {error}") from error
        return workspace.publish()


def _document(source: Path) -> dict[str, Any]:
    return report_in(
        source / REPORT,
        "report of a point",
        "the files of the search are no longer whole: search again with its study, which is quick",
    )


def _moved(inputs: object, source: Path, out: Path) -> dict[str, str]:
    """Words for MODEL and DATA that read from within `source`, as they read from within `out`, whether they
    are there or will be again. Paths to what is not in `source` begin with `..`, see `source_paths`; what is
    in it is copied, and names are names."""
    words = inputs if isinstance(inputs, Mapping) else {}
    return {key: _from(source, out, str(word)) for key, word in words.items()}


def _from(source: Path, out: Path, word: str) -> str:
    kind, colon, path = word.rpartition(":") if word.startswith(f"{DATA}:") else ("", "", word)
    if Path(path).parts[:1] != ("..",):
        return word
    return f"{kind}{colon}{Path(os.path.relpath(source / path, out)).as_posix()}"
