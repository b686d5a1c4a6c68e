"""`make fuzz`: changed files of every kind, as long as asked, each run with others.

    python -m tests.hostile.fuzz SECONDS [--kinds tflite,onnx] [--seed 0] [--keep FOLDER]

Prints each finding once, and at the end how many files were read, by kind. What was found is kept in FOLDER:
make a case of it in corpus.py. Exit code 1 where something was found.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.hostile import seeds
from tests.hostile.campaign import ALL, Campaign, Finding
from tests.hostile.cases import KINDS

ROUND = {True: 20, False: 100}
"""Files in a round, of kinds that are slow to read and of others."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--kinds", default=",".join(ALL))
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"))
    options = parser.parse_args()
    until = time.monotonic() + options.seconds
    counts: Counter[str] = Counter()
    findings: dict[str, Finding] = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        seeds_folder = Path(folder, "seeds")
        seeds_folder.mkdir()
        seeds.write(seeds_folder)
        with Campaign(seeds_folder, Path(folder, "place")) as campaign:
            number = 0
            while time.monotonic() < until:
                for kind in options.kinds.split(","):
                    _round(campaign, kind, options.seed + number, counts, findings, options.keep)
                number += 1
            died = f"in {campaign.died:,} of them a library crashed"
            print(f"seed {options.seed}: {campaign.taken:,} taken, {campaign.refused:,} refused, {died}")
    for kind, count in counts.items():
        print(f"{kind:<14} {count:>8,}")
    print(f"{'all':<14} {counts.total():>8,}, {len(findings)} kinds of findings")
    return 1 if findings else 0


def _round(
    campaign: Campaign,
    kind: str,
    number: int,
    counts: Counter[str],
    findings: dict[str, Finding],
    keep: Path,
) -> None:
    @seed(number)
    @settings(
        max_examples=ROUND[kind in KINDS and KINDS[kind].slow],
        phases=[Phase.generate],
        database=None,
        derandomize=False,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def one(data: st.DataObject) -> None:
        finding = campaign.tried(data.draw, kind)
        counts[kind] += 1
        if finding is None:
            return
        alike = re.sub(r"\S*/\S+|[0-9]+|'[^']*'", "", str(finding))[:70]
        if alike not in findings:
            findings[alike] = finding
            print(f"FOUND {str(finding)[:600]}", flush=True)
            kept = keep / f"{len(findings)}-{kind.replace(' ', '-')}-{finding.path.name}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            copied = shutil.copytree if finding.path.is_dir() else shutil.copyfile
            copied(finding.path, kept)

    one()


if __name__ == "__main__":
    sys.exit(main())
