"""The study of a search at hand, in the process of who asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnet_edge.core.errors import DataError, MissingDependency
from resnet_edge.core.packages import missing_package


def open_study(journal: Path) -> Any:
    """The optuna.Study in a journal file. Raises MissingDependency, and DataError where there is none."""
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend
    except ModuleNotFoundError as error:
        raise MissingDependency(missing_package("optuna") or str(error)) from error
    fix = "it is the file that --study named, or DIR.study beside the folder"
    if not journal.is_file():
        raise DataError(f"{journal} is no study (there is no such file): {fix}")
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
    names = optuna.get_all_study_names(storage)
    if len(names) != 1:
        raise DataError(f"{journal} holds {len(names)} studies, and one is expected: {fix}")
    return optuna.load_study(study_name=names[0], storage=storage)
