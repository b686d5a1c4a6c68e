"""Runs in a worker. The study, in Optuna's journal file, which several processes may share.

Optuna's pruners work on studies of one objective (optuna#2459): so a second study in the same journal holds
one value for each rung of each trial, how many reasons speak against it, and its pruner decides.
"""

from __future__ import annotations

import fcntl
import json
import os
import warnings
from functools import lru_cache
from typing import Any

import msgspec
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from resnet_edge.core.errors import DataError, OutputError, UsageError, first_line
from resnet_edge.core.results.search import Configuration
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.space import configured
from resnet_edge.searching.study_task import (
    NAME,
    RUNGS,
    AskTrial,
    BegunTrial,
    EndedTrials,
    OpenedStudy,
    OpenStudy,
    ReadOutcomes,
    ReportRung,
    StudyPlace,
    TellTrial,
)
from resnet_edge.workers.progress import OnProgress

STAMP, OUTCOME, OWNER, TRIAL = "stamp", "outcome", "owner", "trial"

optuna.logging.set_verbosity(optuna.logging.WARNING)


def open_study(task: OpenStudy, on_progress: OnProgress) -> OpenedStudy:
    """Raises UsageError where the study is of something else, DataError where the file is none, OutputError
    where it cannot be written."""
    storage = _storage(task.place.journal)
    known = {one.study_name for one in storage.get_all_studies()}
    if known and not {NAME, RUNGS} <= known:
        raise UsageError(f"--study {task.place.journal} is the study of another program: name another file")
    objectives = len(task.stamp.objectives)
    # Another process may make it in the same moment: then it is that one's.
    study = optuna.create_study(
        storage=storage, study_name=NAME, directions=["minimize"] * objectives, load_if_exists=True
    )
    optuna.create_study(storage=storage, study_name=RUNGS, direction="minimize", load_if_exists=True)
    stamp = msgspec.json.decode(msgspec.json.encode(task.stamp))  # as the journal gives it back
    if STAMP in study.user_attrs:
        _check(study.user_attrs[STAMP], stamp, task.place.journal)
    else:
        study.set_user_attr(STAMP, stamp)
    left = _give_up_left(task.place)
    return OpenedStudy(ended=len(_ended(_study(task.place))), given_up=left)


def ask(task: AskTrial, on_progress: OnProgress) -> BegunTrial:
    """Begin a trial."""
    study = _study(task.place)
    if task.first is not None:
        study.enqueue_trial(_parameters(task.first), user_attrs={})
    trial = study.ask()
    trial.set_user_attr(OWNER, task.place.owner)
    return BegunTrial(number=trial.number, configuration=configured(task.space, _suggesting(trial)))


def keeps(task: ReportRung, on_progress: OnProgress) -> bool:
    """Whether the pruner lets it go on."""
    study = optuna.load_study(
        storage=_storage(task.place.journal),
        study_name=RUNGS,
        pruner=optuna.pruners.ThresholdPruner(upper=0.0),
    )
    known = [one for one in study.get_trials(deepcopy=False) if one.user_attrs.get(TRIAL) == task.number]
    if known:
        trial = optuna.Trial(study, known[0]._trial_id)
    else:
        trial = study.ask()
        trial.set_user_attr(TRIAL, task.number)
    trial.report(float(task.against), task.rung)
    return not trial.should_prune()


def tell(task: TellTrial, on_progress: OnProgress) -> bool:
    """End a trial. One that another process has given up meanwhile stays so."""
    study, outcome = _study(task.place), task.outcome
    frozen = _trial_of(study, outcome.number)
    if frozen.state.is_finished():
        return False
    trial = optuna.Trial(study, frozen._trial_id)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trial.set_user_attr(OUTCOME, msgspec.to_builtins(outcome))
        for name, violation in task.violations.items():
            trial.set_constraint(name, violation)
    if task.values is not None and outcome.state == "complete":
        study.tell(outcome.number, task.values)
    else:
        state = TrialState.FAIL if outcome.state == "failed" else TrialState.PRUNED
        study.tell(outcome.number, state=state)
    return True


def outcomes(task: ReadOutcomes, on_progress: OnProgress) -> EndedTrials:
    """Raises DataError."""
    ended = _ended(_study(task.place))
    return EndedTrials(outcomes=tuple(_outcome(trial, task.place.journal) for trial in ended))


def _outcome(trial: FrozenTrial, journal: str) -> Outcome:
    try:
        return msgspec.convert(trial.user_attrs[OUTCOME], Outcome)
    except msgspec.ValidationError as error:
        raise DataError(f"--study {journal} is damaged ({first_line(error)}): name another file") from error


def _ended(study: optuna.Study) -> list[FrozenTrial]:
    return [trial for trial in study.get_trials(deepcopy=False) if OUTCOME in trial.user_attrs]


@lru_cache(maxsize=4)
def _storage(journal: str) -> JournalStorage:
    try:
        _cut_torn_line(journal)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return JournalStorage(JournalFileBackend(journal, lock_obj=_Lock(journal)))
    except OSError as error:
        raise OutputError(f"--study {journal} cannot be written ({error.strerror}): name another") from error
    except Exception as error:  # whatever stands in the file, it is replayed as it comes, by assertions too
        raise DataError(f"--study {journal} is no journal of Optuna: name another file") from error


def _cut_torn_line(journal: str) -> None:
    """Take away what a process that was killed wrote of its last line: Optuna passes over it, writes behind
    it, and cannot read the two together. Raises ValueError where the file begins with nothing of Optuna's:
    it stays as it is."""
    lock = _Lock(journal)
    with open(journal, "r+b") as stream:
        lock.acquire()
        try:
            content = stream.read()
            if content and "op_code" not in json.loads(content.partition(b"\n")[0]):
                raise ValueError("no journal")
            stream.truncate(content.rfind(b"\n") + 1)
        finally:
            lock.release()


class _Lock(JournalFileOpenLock):
    """Of the journal itself: Optuna's own are files beside it, which a process that is killed leaves there,
    and then others wait for half a minute."""

    def __init__(self, journal: str) -> None:
        super().__init__(journal)
        self._journal, self._lock = journal, -1

    def acquire(self) -> bool:
        """Waits until no other process writes."""
        self._lock = os.open(self._journal, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        """Let others write."""
        os.close(self._lock)


@lru_cache(maxsize=4)
def _study(place: StudyPlace) -> optuna.Study:
    """With a sampler whose draws go on where those of the study so far ended. It draws all choices together,
    since what a share to prune is worth depends on the scheme, and stays away from trials under way."""
    storage = _storage(place.journal)
    begun = len(optuna.load_study(storage=storage, study_name=NAME).get_trials(deepcopy=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls these options experimental
        sampler = optuna.samplers.TPESampler(
            seed=place.seed + begun, multivariate=True, group=True, constant_liar=True
        )
    return optuna.load_study(storage=storage, study_name=NAME, sampler=sampler)


def _trial_of(study: optuna.Study, number: int) -> FrozenTrial:
    return study.get_trials(deepcopy=False)[number]


def _suggesting(trial: optuna.Trial) -> Any:
    """Numbers that are evenly spaced are a range, in which neighbours are alike; all else are names."""

    def suggest(name: str, values: tuple[Any, ...]) -> Any:
        if all(isinstance(value, int | float) for value in values):
            step = _step(values)
            if step is not None and all(isinstance(value, int) for value in values):
                return trial.suggest_int(name, values[0], values[-1], step=int(step))
            if step is not None:
                drawn = trial.suggest_float(name, values[0], values[-1], step=step)
                return min(values, key=lambda value: abs(value - drawn))
            return trial.suggest_categorical(name, values)
        spelled = {_spelled(value): value for value in values}
        return spelled[trial.suggest_categorical(name, tuple(spelled))]

    return suggest


def _step(values: tuple[float, ...]) -> float | None:
    """Of evenly spaced, rising values; None where they are not."""
    step = values[1] - values[0]
    even = all(abs(after - before - step) < 1e-9 for before, after in zip(values, values[1:], strict=False))
    return round(step, 9) if even and step > 0 else None


def _spelled(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _parameters(configuration: Configuration) -> dict[str, Any]:
    """As `_suggesting` names values."""
    plain = {name: getattr(configuration, name) for name in configuration.__dataclass_fields__}
    return {
        name: value if isinstance(value, int | float) else _spelled(value) for name, value in plain.items()
    }


OTHER = {
    "model_sha256": "is of another model",
    "data_sha256": "is of other images",
    "calibration": "is of other images to calibrate with",
    "training": "trains in another way",
    "training_sha256": "trains on other images",
    "objectives": "has other --objectives",
    "backend": "has another --backend",
    "threads": "has other --threads",
    "equal_within_pp": "has another --equal-within",
    "equal_within_latency": "has another --equal-latency",
    "limits": "has other limits",
    "space": "has another space",
}
"""What is said of a part of the stamp that differs."""


def _check(known: dict[str, Any], wanted: dict[str, Any], journal: str) -> None:
    """Raises UsageError where they differ."""
    ours, theirs = wanted["resnet_edge"], known.get("resnet_edge")
    if theirs != ours:
        raise UsageError(
            f"--study {journal} was made by version {theirs} of resnet-edge, and this is {ours}: install "
            "that one, or name another file"
        )
    for name, what in OTHER.items():
        now, before = wanted[name], known.get(name)
        if now == before:
            continue
        if isinstance(now, dict) and isinstance(before, dict):  # only what differs
            apart = [key for key in {**before, **now} if now.get(key) != before.get(key)]
            now, before = ({key: each.get(key) for key in apart} for each in (now, before))
        values = (
            "" if "sha256" in name or name == "calibration" else f" ({_short(before)}, now {_short(now)})"
        )
        raise UsageError(f"--study {journal} {what}{values}: give the same, or name another file")


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode().replace('"', "").replace("null", "none").strip("{}")
    return text if len(text) <= 80 else f"{text[:79]}…"


def _give_up_left(place: StudyPlace) -> int:
    """End trials whose process is gone, so that nobody waits for them; how many there were."""
    study = _study(place)
    left = 0
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        owner = trial.user_attrs.get(OWNER, "")
        if owner != place.owner and not _is_held(owner):
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
            left += 1
    return left


def _is_held(owner: str) -> bool:
    """Whether a process holds the lock of its file."""
    try:
        lock = os.open(owner, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
