"""Tests of search.study: Optuna's own journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="pip install 'resnet-edge[search]'")

from resnet_edge.core.errors import DataError, UsageError
from resnet_edge.core.results.search import Configuration
from resnet_edge.searching import study
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.request import Training
from resnet_edge.searching.space import Space
from resnet_edge.searching.store import SearchStore
from resnet_edge.searching.study_task import (
    AskTrial,
    BegunTrial,
    OpenStudy,
    ReadOutcomes,
    ReportRung,
    StudyPlace,
    StudyStamp,
    TellTrial,
)
from resnet_edge.workers.progress import silent

SPACE = Space(amount=(0.1, 0.2, 0.3), scheme=("fp32", "int8"), calibrator=("auto", "mse"))
STAMP = StudyStamp(
    resnet_edge="0.1.0",
    model_sha256="a",
    data_sha256="b",
    training=None,
    training_sha256="",
    calibration="c",
    objectives=("accuracy", "size"),
    backend="litert",
    threads=1,
    equal_within_pp=0.5,
    equal_within_latency=0.05,
    limits={},
    space=SPACE,
)


@pytest.fixture
def place(tmp_path: Path) -> StudyPlace:
    (tmp_path / "net.study").touch()
    place = StudyPlace(journal=str(tmp_path / "net.study"), seed=0, owner=str(tmp_path / "owner"))
    study.open_study(OpenStudy(place=place, stamp=STAMP), silent)
    return place


def another(place: StudyPlace) -> StudyPlace:
    """As another process sees it."""
    study._storage.cache_clear()
    study._study.cache_clear()
    return replace(place, owner=f"{place.owner}.2")


def ask(place: StudyPlace, first: Configuration | None = None) -> BegunTrial:
    return study.ask(AskTrial(place=place, space=SPACE, first=first), silent)


def tell(place: StudyPlace, trial: BegunTrial, drop: float = 0.0, **known: object) -> None:
    outcome = Outcome(number=trial.number, configuration=trial.configuration, state="complete", n=9)
    outcome = replace(outcome, **known)  # type: ignore[arg-type]  # fields of it
    task = TellTrial(place=place, outcome=outcome, values=(drop, 100.0), violations={"max_drop_pp": drop - 1})
    study.tell(task, silent)


def test_what_is_asked_for_first_comes_first(place: StudyPlace) -> None:
    wanted = Configuration(pruning="channel", amount=0.3, epochs=1, scheme="int8", calibrator="mse")
    assert ask(place, wanted).configuration == wanted


def test_outcomes_come_back_to_whoever_opens_it(place: StudyPlace) -> None:
    trial = ask(place)
    tell(place, trial, right="1ff", latency_ratio_ci95=(0.5, 0.6))
    tell(place, ask(place), state="failed", reason="no room")
    tell(place, ask(place), state="infeasible")
    second = another(place)
    opened = study.open_study(OpenStudy(place=second, stamp=STAMP), silent)
    assert (opened.ended, opened.given_up) == (3, 0)
    first, *others = study.outcomes(ReadOutcomes(place=second), silent).outcomes
    assert (first.right, first.latency_ratio_ci95) == ("1ff", (0.5, 0.6))
    assert first.configuration == trial.configuration
    assert [one.state for one in others] == ["failed", "infeasible"]


def test_a_study_goes_on_with_other_configurations(place: StudyPlace) -> None:
    """The sampler knows what was told before, and does not draw the same ones again from the start."""
    for _ in range(12):
        tell(place, ask(place))
    before = {one.configuration for one in study.outcomes(ReadOutcomes(place=place), silent).outcomes}
    assert len(before) > 3


def test_trials_of_a_process_that_is_gone_are_given_up(place: StudyPlace, tmp_path: Path) -> None:
    ask(place)
    with SearchStore(tmp_path / "store") as held:
        ask(replace(place, owner=str(held.owner)))
        opened = study.open_study(OpenStudy(place=another(place), stamp=STAMP), silent)
        assert opened.given_up == 1, "the other one is under way"
    assert study.open_study(OpenStudy(place=another(place), stamp=STAMP), silent).given_up == 1


def test_what_was_given_up_is_not_told(place: StudyPlace) -> None:
    trial = ask(place)
    study.open_study(OpenStudy(place=another(place), stamp=STAMP), silent)
    tell(another(place), trial)
    assert study.outcomes(ReadOutcomes(place=another(place)), silent).outcomes == ()


def test_the_pruner_ends_what_something_speaks_against(place: StudyPlace) -> None:
    first, second = ask(place), ask(place)

    def keeps(trial: BegunTrial, rung: int, against: int) -> bool:
        return study.keeps(ReportRung(place=place, number=trial.number, rung=rung, against=against), silent)

    assert keeps(first, 0, 0)
    assert keeps(second, 0, 0)
    assert keeps(first, 1, 0)
    assert not keeps(second, 1, 2)
    assert keeps(first, 2, 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resnet_edge": "0.2.0"}, "was made by version 0.1.0 of resnet-edge, and this is 0.2.0"),
        ({"model_sha256": "x"}, "is of another model"),
        ({"data_sha256": "x"}, "is of other images"),
        ({"objectives": ("accuracy",)}, "has other --objectives ([accuracy,size], now [accuracy])"),
        ({"threads": 2}, "has other --threads (1, now 2)"),
        ({"equal_within_pp": 1.0}, "has another --equal-within (0.5, now 1.0)"),
        ({"equal_within_latency": 0.2}, "has another --equal-latency (0.05, now 0.2)"),
        ({"backend": "onnxruntime"}, "has another --backend (litert, now onnxruntime)"),
        (
            {"space": replace(SPACE, amount=(0.5,))},
            "has another space (amount:[0.1,0.2,0.3], now amount:[0.5])",
        ),
        ({"limits": {"max_size": 5.0}}, "has other limits (max_size:none, now max_size:5.0)"),
        ({"calibration": "x"}, "is of other images to calibrate with"),
        ({"training": Training(data="", batch_size=1)}, "trains in another way"),
        ({"training_sha256": "x"}, "trains on other images: give the same"),
    ],
)
def test_a_study_of_something_else_is_refused(
    place: StudyPlace, change: dict[str, object], said: str
) -> None:
    stamp = replace(STAMP, **change)  # type: ignore[arg-type]  # fields of it
    with pytest.raises(UsageError, match="name another file") as caught:
        study.open_study(OpenStudy(place=another(place), stamp=stamp), silent)
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"no journal\n", b"\x00\xff\n", b"[1, 2]\n", b'{"op_code": 99}\n'])
def test_a_file_that_is_no_study_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "net.study"
    file.write_bytes(content)
    place = StudyPlace(journal=str(file), seed=0, owner=str(tmp_path / "owner"))
    with pytest.raises(DataError, match=r"net\.study is no journal of Optuna: name another"):
        study.open_study(OpenStudy(place=place, stamp=STAMP), silent)
    assert file.read_bytes() == content


def test_a_line_that_was_torn_by_a_kill_costs_nothing_before_it(place: StudyPlace) -> None:
    tell(place, ask(place))
    with Path(place.journal).open("ab") as stream:
        stream.write(b'{"op_code":4,"worker_id":"a","tri')
    second = another(place)
    tell(second, ask(second))
    assert len(study.outcomes(ReadOutcomes(place=another(place)), silent).outcomes) == 2


def test_the_study_of_another_program_is_refused(tmp_path: Path) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    file = tmp_path / "other.log"
    optuna.create_study(storage=JournalStorage(JournalFileBackend(str(file))), study_name="theirs")
    place = StudyPlace(journal=str(file), seed=0, owner=str(tmp_path / "owner"))
    with pytest.raises(UsageError, match="another program"):
        study.open_study(OpenStudy(place=place, stamp=STAMP), silent)


def test_a_damaged_outcome_is_said(place: StudyPlace) -> None:
    tell(place, ask(place))
    file = Path(place.journal)
    text = file.read_text("utf-8")
    assert '"n":9' in text
    file.write_text(text.replace('"n":9', '"n":"nine"'), "utf-8")
    with pytest.raises(DataError, match="is damaged"):
        study.outcomes(ReadOutcomes(place=another(place)), silent)
