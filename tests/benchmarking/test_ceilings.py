"""What the cores can do, measured on these."""

from __future__ import annotations

import os

import pytest

from resnet_edge.benchmarking import ceilings as stage
from resnet_edge.benchmarking.ceilings import ceilings
from resnet_edge.benchmarking.instructions import FLOAT, INT8, fitting
from resnet_edge.benchmarking.task import MeasureCeilings
from resnet_edge.core.machine import processor_flags
from resnet_edge.workers.progress import silent


@pytest.mark.parametrize("threads", [1, 2])
def test_every_ceiling_is_that_of_an_instruction_which_is_here(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "TRIES", 2)
    measured = ceilings(MeasureCeilings(threads=threads), silent)
    flags = processor_flags()
    for loops, rate, by in (
        (FLOAT, measured.float_gmacs, measured.float_by),
        (INT8, measured.int8_gmacs, measured.int8_by),
    ):
        if fitting(loops, flags):
            assert rate is not None
            assert by in {loop.name for loop in fitting(loops, flags)}
            assert 0.1 < rate < 10_000  # a rate of a unit that is not mistaken
    assert 0.1 < measured.gigabytes < 10_000
    assert measured.tiles == ("amx_int8" in flags)


def test_it_stays_on_the_cores_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no affinity")
    before = os.sched_getaffinity(0)
    monkeypatch.setattr(stage, "TRIES", 1)
    try:
        ceilings(MeasureCeilings(threads=1, cores=(max(before),)), silent)
        assert os.sched_getaffinity(0) == {max(before)}
    finally:
        os.sched_setaffinity(0, before)


def test_a_processor_without_loops_has_no_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "TRIES", 1)
    monkeypatch.setattr(stage, "processor_flags", frozenset)
    measured = ceilings(MeasureCeilings(threads=1), silent)
    assert measured.float_gmacs is None
    assert measured.int8_gmacs is None


def test_a_system_that_runs_no_new_code_has_no_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("no memory may be written and executed")

    monkeypatch.setattr(stage, "TRIES", 1)
    monkeypatch.setattr("resnet_edge.benchmarking.instructions.mmap.mmap", refused)
    assert ceilings(MeasureCeilings(threads=1), silent).float_gmacs is None
