"""evaluation/scheduler.py: the parts in which images are run."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from resnet_edge.evaluation.scheduler import spans


@pytest.mark.parametrize("size", [None, 1, 7, 500])
def test_parts_cover_all_images_once(size: int | None) -> None:
    parts = spans((30, 60, 100), size)
    assert (parts[0][0], parts[-1][1]) == (0, 100)
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert size is None or max(stop - start for start, stop in parts) <= size


def test_parts_before_a_cut_stay_the_same_whatever_follows() -> None:
    assert spans((1242, 2484), 500)[:3] == spans((1242,), 500) == [(0, 500), (500, 1000), (1000, 1242)]


INTERRUPTED = """
import sys
from concurrent.futures import ThreadPoolExecutor, thread
from pathlib import Path
from resnet_edge.evaluation.scheduler import Scheduler
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import silent

folder = Path(sys.argv[1])
with WorkerPool(folder) as workers, ThreadPoolExecutor(1) as pool:
    scheduler = Scheduler(workers, pool, folder, silent, hosts={"pi4": 1})
    try:
        with scheduler:
            scheduler._threads.submit(print, "started").result()
            thread._threads_queues.clear()  # as where an interrupt hits `submit` once the thread has started
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        print("ended")
"""


def test_a_thread_that_an_interrupt_left_unknown_is_not_waited_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "started\nended\n"), done.stderr
