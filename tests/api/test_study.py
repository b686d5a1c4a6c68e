"""The Optuna study of a search, at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from resnet_edge import errors
from resnet_edge.api.study import open_study
from resnet_edge.searching.study_task import NAME


def test_without_optuna_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(errors.MissingDependency, match=r"pip install 'resnet-edge\[search\]'"):
        open_study(tmp_path / "a.study")


def test_a_study_has_its_trials(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna", reason="the extra [search] is not installed")
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = str(tmp_path / "a.study")
    storage = optuna.storages.JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path)))
    study = optuna.create_study(study_name=NAME, storage=storage)
    study.tell(study.ask(), 1.5)
    assert [trial.value for trial in open_study(Path(path)).trials] == [1.5]


def test_what_is_no_study_is_said_to_be_none(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna", reason="the extra [search] is not installed")
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    with pytest.raises(errors.DataError, match="there is no such file"):
        open_study(tmp_path / "none.study")
    (tmp_path / "empty.study").write_text("")
    with pytest.raises(errors.DataError, match="is no study of a search"):
        open_study(tmp_path / "empty.study")
    path = str(tmp_path / "other.study")
    storage = optuna.storages.JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path)))
    optuna.create_study(study_name="another", storage=storage)
    with pytest.raises(errors.DataError, match="is no study of a search"):
        open_study(Path(path))
    (tmp_path / "text.study").write_text("no journal\n")
    with pytest.raises(errors.DataError, match="is no study"):
        open_study(tmp_path / "text.study")
