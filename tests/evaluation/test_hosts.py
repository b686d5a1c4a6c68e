"""evaluation/hosts.py: what other machines offer, as a real one and as one that exaggerates."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from resnet_edge.core.machine import boot_id
from resnet_edge.evaluation.hosts import MOST_WORKERS, aliases, hosts_of, offers, same_machines, workers_of
from resnet_edge.workers.pool import WorkerPool
from resnet_edge.workers.progress import silent
from tests.hosts.environment import ROOT, stand_in
from tests.hosts.sshd import Sshd


@pytest.mark.parametrize(("says", "has"), [(0, 1), (3, 3), (1000, MOST_WORKERS)])
def test_a_host_has_some_workers_and_no_crowd(host: Sshd, tmp_path: Path, says: int, has: int) -> None:
    program = tmp_path / "serve.py"
    program.write_text(
        "from resnet_edge.workers.hosts import serve\n"
        "send = serve._Served._send\n"
        "def exaggerated(self, answer, payload=b''):\n"
        "    if isinstance(answer.reply, dict) and 'workers' in answer.reply:\n"
        f"        answer.reply['workers'] = {says}\n"
        "    send(self, answer, payload)\n"
        "serve._Served._send = exaggerated\n"
        "serve.main()\n"
    )
    stand_in(host, f"export PYTHONPATH={ROOT}; exec {sys.executable} -P {program}")
    with WorkerPool(tmp_path) as workers:
        (offer,) = offers(workers, ["litert", "litert@pi4"], silent)
    assert workers_of([offer]) == {"pi4": has}
    assert same_machines([offer]) == (
        "pi4 is this machine under another name: its rows are no second machine's",
    )
    assert hosts_of([offer])["hosts"]["pi4"]["runtimes"] == {"litert": offer.version}


def test_a_machine_is_known_again_under_another_name() -> None:
    boots = {
        "pi4": "b",
        "pi4.local": "b",
        "trainbox": "c",
        "unknown": "",
        "other": "",
        "here": boot_id(),
        "me": boot_id(),
    }
    assert boot_id()
    assert aliases(boots) == {"pi4.local": "pi4", "here": "", "me": "here"}
