"""Every configuration of a space, measured on all images that trials see: what searches are replayed on.

    python -m benchmarks.search.measured DIR

Minutes for each network that is fine-tuned. What was made is kept in DIR, and an ended run goes on.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from resnet_edge.cli._progress import Lines
from resnet_edge.core.files.bundled import CALIBRATION_FILE, DATA, MODEL_FILE, bundled
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.results.search import Objective
from resnet_edge.models import ModelRequest
from resnet_edge.searching.comparison import PointComparison
from resnet_edge.searching.outcome import Outcome
from resnet_edge.searching.request import SearchLimits, SearchRequest, Training
from resnet_edge.searching.search import baseline_of
from resnet_edge.searching.setup import prepared
from resnet_edge.searching.space import Space, everything
from resnet_edge.searching.store import SearchStore
from resnet_edge.searching.trials import Rivals, Trials
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import workers_and_threads
from resnet_edge.workers.progress import Progress
from resnet_edge.workers.side_by_side import how_many

SPACE = Space(
    amount=(0.2, 0.3, 0.4, 0.5, 0.6),
    multiple=(4, 8),
    scheme=("fp32", "fp16", "dynamic", "int8"),
    calibrator=("auto", "minmax", "percentile", "mse"),
    float_layers=(0, 2),
)
OBJECTIVES: tuple[Objective, ...] = ("accuracy", "latency", "size")


class Table(msgspec.Struct, frozen=True):
    """All outcomes; `p50_ms` of the model's own file, and `model` the images on which the model is right, of
    `n` that trials see and as many others, as bits in hexadecimal."""

    n: int
    images: int
    p50_ms: float
    model: str
    unseen: dict[int, str]
    outcomes: list[Outcome]


def main(folder: Path) -> None:
    """Measure, and write DIR/measured.json."""
    folder.mkdir(exist_ok=True)
    request = SearchRequest(
        model=ModelRequest(str(bundled(MODEL_FILE))),
        data=DATA,
        calibration=str(bundled(CALIBRATION_FILE)),
        training=Training(data=DATA),
        objectives=OBJECTIVES,
        backend="litert",
        limits=SearchLimits(),
        space=SPACE,
        trials=1000,
        budget_seconds=None,
        study=str(folder / "study"),
    )
    progress = Lines()
    with ExitStack() as stack:
        workspace = stack.enter_context(Workspace(folder / "unused"))
        store = stack.enter_context(SearchStore(Path(f"{request.study}.files").absolute()))
        grant = Grant(writes=(str(workspace.folder), str(workspace.scratch)))
        env = {"TMPDIR": str(workspace.scratch), "OPENBLAS_NUM_THREADS": "1"}
        workers, pool = stack.enter_context(
            workers_and_threads(workspace.logs, 2 + how_many(), env, workspace.check_space, grant)
        )
        context = stack.enter_context(prepared(request, workspace, store, workers, pool, None, progress))
        comparison = PointComparison(objectives=OBJECTIVES, equal_pp=0.5, equal_latency=0.05)
        trials = Trials(context, comparison)
        baseline = baseline_of(trials)
        rivals = Rivals(keeps=lambda *_: True, outcomes=lambda: ())
        outcomes, unseen = [], {}
        every = sorted(everything(SPACE) or (), key=repr)
        for number, configuration in enumerate(every):
            outcome = trials.run(number, configuration, baseline, rivals)
            answers = trials.answers(trials.file_of(outcome), context.images.n)
            unseen[number] = f"{int(answers.right, 16) >> context.searched_on:x}"
            outcomes.append(outcome)
            note = f"{number + 1} of {len(every)}: {configuration.words}"
            progress(Progress(step="measured", note=note, line=True))
        table = Table(
            n=context.searched_on,
            images=context.images.n,
            p50_ms=baseline.p50_ms,
            model=f"{baseline.bits:x}",
            unseen=unseen,
            outcomes=outcomes,
        )
        (folder / "measured.json").write_bytes(msgspec.json.encode(table))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
