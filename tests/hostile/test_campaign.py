"""A quick run of the campaign: the same files each time. `make fuzz` goes on with others."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.hostile.campaign import ALL, Campaign
from tests.hostile.cases import FOLDERS, KINDS
from tests.hostile.readers import READERS

FILES = {True: 15, False: 50}
"""Of kinds that are slow to read, and of others."""


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")  # zipfile's, of what is to be hostile
@pytest.mark.parametrize("kind", ALL)
def test_a_changed_file_is_taken_or_refused_in_one_line(campaign: Campaign, kind: str) -> None:
    # Without shrinking: the file that was found stays in the folder of the test.
    @settings(
        max_examples=FILES[kind in KINDS and KINDS[kind].slow],
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        finding = campaign.tried(data.draw, kind)
        assert finding is None, f"{finding} ({finding.path})"

    before = campaign.refused
    run()
    assert campaign.refused > before


def test_every_reader_is_tried() -> None:
    absent = set() if find_spec("pyarrow") is not None else {"parquet"}  # an extra
    assert set(ALL) == set(READERS) - absent


def test_seeds_are_taken(campaign: Campaign, seeds: Path) -> None:
    """Else all that is made of them would be refused for one reason."""
    for kind in ALL:
        names = (FOLDERS[kind][0],) if kind in FOLDERS else KINDS[kind].seeds
        for name in names:
            before = campaign.taken
            assert campaign.read(kind, seeds / name) is None
            assert campaign.taken == before + 1, (kind, name)
