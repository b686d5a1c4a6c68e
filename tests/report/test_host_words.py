"""What people read of a host."""

from __future__ import annotations

from dataclasses import replace

from resnet_edge.core.results.host import HostEnvironment, HostPreparation, HostRemoval
from resnet_edge.report import host_words
from tests.hosts.pythons import python, state

ENVIRONMENT = HostEnvironment(
    resnet_edge="0.1.0",
    python="3.11.2",
    machine="aarch64",
    packages={"numpy": "2.4.6", "resnet-edge": "0.1.0"},
    wheels={"numpy.whl": "0" * 64},
)
PREPARATION = HostPreparation(
    host="pi4",
    system="Linux",
    machine="aarch64",
    libc="glibc 2.36",
    environment=ENVIRONMENT,
    copied_bytes=66_567_521,
    copied_files=20,
    seconds=75.3,
    changed=True,
    notes=("the clock is wrong",),
)


def test_what_was_prepared() -> None:
    assert list(host_words.preparation(PREPARATION)) == [
        "pi4: Linux on aarch64, glibc 2.36",
        "  Python 3.11.2",
        "  numpy 2.4.6, resnet-edge 0.1.0",
        "Prepared in 75.3 s: 20 files, 66.6 MB, copied.",
        "warning: the clock is wrong",
    ]
    upgrade = replace(PREPARATION, copied_bytes=1_291_384, copied_files=1, notes=())
    assert list(host_words.preparation(upgrade))[-1] == "Prepared in 75.3 s: 1 file, 1.3 MB, copied."
    nothing = replace(PREPARATION, copied_bytes=0, copied_files=0, notes=())
    assert list(host_words.preparation(nothing))[-1] == "Prepared in 75.3 s: nothing copied."
    again = replace(nothing, changed=False, seconds=1.5)
    assert list(host_words.preparation(again))[-1] == "It was prepared already: nothing copied (1.5 s)."


def test_what_is_there() -> None:
    bare = state(python(), replace(python("3.9.2"), problem="it has no module venv"))
    assert list(host_words.state(bare)) == [
        "pi4: Linux on aarch64, 10.7 GB free in the home",
        "  Python 3.11.2, glibc 2.36 (/usr/bin/python3.11.2)",
        "  Python 3.9.2, glibc 2.36 (/usr/bin/python3.9.2): it has no module venv",
        "Not prepared: resnet-edge host prepare pi4",
    ]
    assert "  no python3" in host_words.state(state())
    taken = state(python(), taken_bytes=1_300_000_000)
    assert list(host_words.state(taken))[-1] == "1.3 GB of resnet-edge there: resnet-edge host remove pi4"
    broken = state(python(), environment=replace(ENVIRONMENT, starts=False), clock_ahead_seconds=-7200.0)
    *_, start, clock = host_words.state(broken)
    assert start == "It does not start: resnet-edge host prepare pi4"
    assert clock.startswith("warning: the clock of pi4 is 2.0 hours behind this machine's")


def test_what_was_removed() -> None:
    gone = HostRemoval(host="pi4", freed_bytes=272_785_408)
    assert host_words.removal(gone) == "pi4: removed, 272.8 MB freed."
    assert host_words.removal(replace(gone, freed_bytes=0)) == "pi4: nothing of resnet-edge was there."
