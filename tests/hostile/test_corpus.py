"""What the campaign found stays fixed."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_edge.core.errors import ResnetEdgeError
from resnet_edge.workers.process import WorkerProcess
from tests.hostile.campaign import Campaign
from tests.hostile.corpus import CASES
from tests.hostile.readers import Read, Reading
from tests.hostile.verdicts import fault


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_in_one_line_or_taken(
    campaign: Campaign, seeds: Path, tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    campaign.place = tmp_path / "place"
    campaign.place.mkdir()
    path = case.make(seeds, campaign.place)
    refused = campaign.refused
    finding = campaign.read(case.kind, path)
    assert finding is None, finding
    assert (campaign.refused > refused) == bool(case.says)
    if case.says:
        assert case.says in campaign.said


def test_a_crash_is_a_fault(tmp_path: Path) -> None:
    """A reader that is not there breaks the worker's call."""
    here = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with WorkerProcess("reader", tmp_path / "log", here) as worker, pytest.raises(ResnetEdgeError) as caught:
        worker.call("tests.hostile.readers:read", Reading(kind="none", path="x"), Read)
    assert fault(str(caught.value), "x") == "it says 'broke:'"
