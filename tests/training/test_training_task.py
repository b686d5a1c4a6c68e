"""The files of tasks that train."""

from __future__ import annotations

from resnet_edge.compression.channel_task import Candidate, ChannelRequest, Chosen, FineTuneChosen
from resnet_edge.compression.fine_tune_task import FineTune
from resnet_edge.compression.pruning import Cost, PruningSummary, Rules
from resnet_edge.compression.step_latency import TimedAs
from resnet_edge.models import ModelRequest
from resnet_edge.training.recipe import Compressed, Recipe

MODEL, RECIPE = ModelRequest("a/net.keras"), Recipe(data="train.npz", epochs=1)


def test_the_sidecar_of_the_model_goes_with_it_and_the_unfinished_run_comes_back() -> None:
    task = FineTune(model=MODEL, recipe=RECIPE, out="b/new.keras")
    assert [*task.files_read()] == ["a/net.keras", "train.npz", "a/net.json"]
    assert [*task.files_written()] == ["b/new.keras", "b/new.keras.checkpoint"]
    assert task.reply_type() is Compressed


def test_what_was_chosen_goes_with_what_fine_tunes_it() -> None:
    none = Cost(macs=1, parameters=1)
    candidate = Candidate("cut/cut.keras", PruningSummary((), none, none))
    wanted = ChannelRequest(
        model=MODEL,
        recipe=RECIPE,
        target=None,
        target_latency=None,
        timed=TimedAs(),
        rules=Rules(),
        importance="norm",
        sparse_epochs=0,
        sparsity=0.0,
        out="b/new.keras",
    )
    task = FineTuneChosen(wanted=wanted, chosen=Chosen(candidate, ()))
    assert {*task.files_read()} == {"a/net.keras", "a/net.json", "train.npz", "cut/cut.keras"}
    assert [*task.files_written()] == ["b/new.keras", "b/new.keras.checkpoint"]
