"""Runs in the parent. Where a run writes, so that nothing looks finished before it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from resnet_edge.core.errors import OutputError


class Workspace:
    """A hidden folder beside the output folder, renamed to it at the end.

    `folder` takes what the user gets; `scratch` what nobody keeps; `logs` what workers print,
    kept where a run fails. Raises OutputError at once where the output cannot be written.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        _check(out)
        try:
            self.folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".unfinished", dir=out.parent))
            self.folder.chmod(0o755)
            self.scratch = Path(tempfile.mkdtemp(prefix="resnet-edge-"))
            self.logs = self.scratch / "logs"
            self.logs.mkdir()
        except OSError as error:
            raise OutputError(f"cannot write beside {out}: {error.strerror}: choose another --out") from error

    def scratch_folder(self, name: str) -> Path:
        """A new folder below the scratch folder."""
        folder = self.scratch / name
        folder.mkdir(parents=True)
        return folder

    def publish(self) -> Path:
        """Give the finished folder its name."""
        return self._rename(self.out)

    def publish_partial(self) -> Path:
        """Give what there is a name that says so, with the logs; replaces an earlier one."""
        partial = self.out.with_name(f"{self.out.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(self.logs, self.folder / "logs")
        return self._rename(partial)

    def _rename(self, to: Path) -> Path:
        try:
            os.rename(self.folder, to)
        except OSError as error:
            raise OutputError(f"cannot rename the finished folder to {to}: {error.strerror}") from error
        return to

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if error is not None and any(log.stat().st_size for log in self.logs.glob("*")):
            kept = self.out.with_name(f"{self.out.name}.logs")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.move(self.logs, kept)
        shutil.rmtree(self.scratch, ignore_errors=True)


def _check(out: Path) -> None:
    if out.is_symlink() or out.exists():
        kind = "a folder" if out.is_dir() else "a file"
        raise OutputError(f"--out {out} exists and is {kind}: remove it or choose another")
    parent = out.parent
    if not parent.is_dir():
        raise OutputError(f"the folder {parent} for --out does not exist: make it first")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {parent} for --out is not writable: choose another")
