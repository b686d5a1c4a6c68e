"""The study of a search at hand, in the process of who asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnet_edge.core.errors import DataError, MissingDependency
from resnet_edge.core.packages import missing_package
from resnet_edge.searching.study_task import NAME


def open_study(journal: Path) -> Any:
    """The optuna.Study of all trials in a journal. Raises MissingDependency, and DataError where there is
    none."""
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    except ModuleNotFoundError as error:
        raise MissingDependency(missing_package("optuna") or str(error)) from error
    fix = "it is the file that --study named, or DIR.study beside the folder of the search"
    if not journal.is_file():
        raise DataError(f"{journal} is no study (there is no such file): {fix}")
    path = str(journal)
    storage = optuna.storages.JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path)))
    if NAME not in optuna.get_all_study_names(storage):
        raise DataError(f"{journal} is no study of a search: {fix}")
    return optuna.load_study(study_name=NAME, storage=storage)
