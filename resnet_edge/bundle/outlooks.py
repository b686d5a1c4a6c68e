"""Runs in a worker. What delegates and accelerators would take of the files of a bundle."""

from __future__ import annotations

from pathlib import Path

from resnet_edge.bundle.delegates import Delegate
from resnet_edge.bundle.task import ForetellDelegates, Outlooks
from resnet_edge.core import registry
from resnet_edge.core.errors import ArtifactError, MissingDependency
from resnet_edge.core.results.outlook import FileOutlook
from resnet_edge.workers.progress import OnProgress, tracked


def ask(request: ForetellDelegates, on_progress: OnProgress) -> Outlooks:
    """Every file before every delegate that its profile names. Raises ArtifactError where an accelerator
    would run nothing of a file that is for it."""
    pairs = [(each.file, name) for each in request.files for name in each.delegates]
    outlooks = []
    for file, name in tracked(pairs, "accelerators", len(pairs), on_progress):
        delegate: Delegate = registry.load("bundle.delegates", name)
        try:
            outlook = delegate.outlook(Path(request.folder) / file.path, file.format)
        except ArtifactError as error:
            profile = registry.option_of(file.profile)
            raise ArtifactError(f"{error}, or leave the profile {profile} out (--profiles)") from error
        except MissingDependency as error:
            outlooks.append(FileOutlook(file.path, name, None, str(error)))
        else:
            outlooks.append(FileOutlook(file.path, name, outlook))
    return Outlooks(tuple(outlooks))
