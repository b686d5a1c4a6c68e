"""What a command may replace: nothing without --overwrite, and a folder only where all in it is ours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from resnet_edge.core.errors import OutputError, UsageError
from resnet_edge.core.files.documents import object_in
from resnet_edge.core.files.scratch import OWNER
from resnet_edge.core.results.search import FRONTIER, NETWORKS, SPACE
from resnet_edge.core.results.stored_report import REPORT, reported, reported_inputs, reported_points
from resnet_edge.core.sidecar import sidecar_path

Writer = Literal["convert", "package", "search"]
INDEX = "bundle.json"
DOCUMENTS: dict[Writer, str] = {"convert": REPORT, "package": INDEX, "search": REPORT}
"""What each leaves in its folder in any case."""
_REPORTS = (REPORT, "report.md", "report.html", "labels.txt")
"""What `convert` writes beside the artifacts."""


def check_new_folder(out: Path) -> None:
    """Raise UsageError where --out gives no name to a folder: `.`, `..`, `/` and nothing at all."""
    if out.name in ("", ".."):
        raise UsageError(f"--out {out} gives the new folder no name: add one, as in --out {out / 'dist'}")


def check_apart(option: str, out: Path, inputs: Iterable[Path]) -> None:
    """Raise UsageError where what `option` names is, or holds, one of the inputs."""
    written = os.path.realpath(out)
    for path in inputs:
        read = os.path.realpath(path)
        if read == written or read.startswith(os.path.join(written, "")):
            raise UsageError(f"{option} {out} would take the place of {path}, which is read: choose another")


def check_replaceable(out: Path, writer: Writer, overwrite: bool) -> None:
    """Raise OutputError where a run of `writer` may not put a folder at `out`; nothing is there, or what an
    earlier run left and nothing else. May raise OSError."""
    if not os.path.lexists(out):
        return
    if out.is_symlink() or not out.is_dir():
        raise OutputError(f"--out {out} exists and is a file: remove it or choose another")
    if not overwrite:
        raise OutputError(
            f"--out {out} exists and is a folder: give --overwrite to replace what {writer!r} left there, "
            "or choose another"
        )
    stranger = next(_strangers(out, _own_files(out, writer)), None)
    if stranger is not None:
        raise OutputError(
            f"--out {out} holds {stranger}, which `resnet-edge {writer}` did not write: it is not replaced; "
            "move that away or choose another"
        )


def check_file(option: str, path: Path, overwrite: bool) -> None:
    """Raise OutputError where a file, or anything else, is in the way of the file that `option` names."""
    if path.is_dir():
        raise OutputError(f"{option} {path} is a folder: name a file")
    if path.exists() and not overwrite:
        raise OutputError(f"{option} {path} exists: give --overwrite to replace it, or name another")


def _own_files(folder: Path, writer: Writer) -> set[str]:
    """What the folder's own document says that `writer` put there, by path from the folder; and the lock of a
    run that was killed as it gave the folder its name."""
    if writer == "convert":
        report = reported(folder)
        if report.schema is None or report.files is None:
            return set()
        return {OWNER, *_REPORTS, *(each.file for each in report.files)}
    if writer == "search":
        below = {file for point in reported_points(folder) for file in _files_of_point(folder, point)}
        inputs = reported_inputs(folder)
        return {OWNER, REPORT, "report.md", FRONTIER, SPACE, *below, *inputs} if below else set()
    index = object_in(folder / INDEX)
    hashes = index.get("sha256")
    if not isinstance(index.get("schema"), int) or not isinstance(hashes, dict):
        return set()
    return {OWNER, INDEX, *hashes}


def _files_of_point(folder: Path, point: str) -> Iterator[str]:
    """Those of its own folder, and the network that they were made of, where the search changed that."""
    yield from (f"{point}/{file}" for file in _own_files(folder / point, "convert"))
    model = reported(folder / point).inputs.get("model", "")
    network = Path(os.path.normpath(Path(point, model)))
    if network.parts[:1] == (NETWORKS,):
        yield from (network.as_posix(), sidecar_path(network).as_posix())


def _strangers(folder: Path, own: set[str]) -> Iterator[str]:
    """The files and links below `folder` that are not `own`."""

    def stop(error: OSError) -> None:
        raise error

    for where, folders, files in os.walk(folder, onerror=stop):
        links = [name for name in folders if os.path.islink(os.path.join(where, name))]
        for name in sorted((*files, *links)):
            path = Path(where, name)
            if path.is_symlink() or path.relative_to(folder).as_posix() not in own:
                yield path.relative_to(folder).as_posix()
