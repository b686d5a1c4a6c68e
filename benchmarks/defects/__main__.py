"""What `resnet-edge verify` catches: defects seeded into good artifacts, and good artifacts as they are.

    python -m benchmarks.defects --work DIR [--dry] [--kinds NAME,…] [--schemes NAME,…] [--variants N]
                                 [--repair none|auto|all]

Every kind of seeding/ is seeded `--variants` times, in turns over formats, schemes and networks
(exports.py makes those, at the first run, in about ten minutes). What a defect does to the answers is
measured apart from `verify` (line.py): who changes the top-1 of 0.3 % of the images, or moves the
logits by more than the scheme may, must be caught, and in 95 % of cases the first layer that is named must be
the one that is broken. A file of another input size takes none of these images: there the message must say
so. A file that the runtime refuses counts as refused. What does less is listed with its figures. Good
artifacts must raise no alarm.

`--dry` seeds and measures only. Seeded files stay in DIR/seeded with `--keep`. LiteRT has no fast kernels for
int16x8, which takes most of the time: `--int16-images 200`, or leave it out with `--schemes`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.defects import table
from benchmarks.defects.cases import Case, kinds, listed, pairs_table
from benchmarks.defects.exports import NETWORKS, Export, exports
from benchmarks.defects.line import Runner, line, misfit
from benchmarks.defects.seeding import KINDS, Kind, Seeded, applies, open_good, seed
from benchmarks.good_files.our_exports import preprocess
from benchmarks.results import keep
from benchmarks.verdicts import Said, verify

SCHEMES = ("fp32", "fp16", "dynamic", "int8", "int16x8")


@dataclass(frozen=True)
class Turn:
    """A defect to seed into an export."""

    kind: Kind
    variant: int
    export: Export


def main() -> None:
    """Seed, measure, verify, print."""
    options = _options()
    held = exports(options.work, options.networks, options.repair)
    good = [one for one in held if one.scheme in options.schemes]
    runner = Runner(options.work / "outputs", options.workers)
    tell(f"{len(good)} good exports")
    folder = options.work / "seeded"
    shutil.rmtree(folder, ignore_errors=True)
    cases = measured(list(turns(good, held, options)), held, folder, runner, options)
    dry = {"kinds": kinds(cases), "good": 0, "verdicts": {}, "alarms": []}
    print(f"\n{table(dry) if options.dry else judged(cases, good, options)}")
    print(f"\n{pairs_table(cases)}")
    ran = [case for case in cases if not case.line.refused]
    below = [case for case in ran if not case.line.above]
    print(listed(below, "Below the line"))
    print(listed((case for case in cases if case.line.refused), "Refused by the runtime"))
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where exports are made and kept")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--int16-images", type=int, help="for int16x8, whose kernels take 10 ms an image")
    parser.add_argument("--variants", type=int, default=24, help="of each kind, over all its files")
    parser.add_argument(
        "--repair", choices=("none", "auto", "all"), default="auto", help="of the good exports"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dry", action="store_true", help="do not run verify")
    parser.add_argument("--keep", action="store_true", help="keep the seeded files")
    for name, known in (("kinds", tuple(KINDS)), ("schemes", SCHEMES), ("networks", _names())):
        parser.add_argument(f"--{name}", type=lambda text: tuple(text.split(",")), default=known)
    options = parser.parse_args()
    for name, known in (("kinds", tuple(KINDS)), ("schemes", SCHEMES), ("networks", _names())):
        if unknown := set(getattr(options, name)) - set(known):
            parser.error(f"--{name}: no {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
    return options


def _names() -> tuple[str, ...]:
    return tuple(network.name for network in NETWORKS)


def turns(good: Sequence[Export], held: Sequence[Export], options: argparse.Namespace) -> Iterator[Turn]:
    """The variants of each kind: formats and schemes first, so that few variants see all of them, each
    time with the next network."""
    opened = [(export, open_good(export.path, export.scheme)) for export in good]
    for number, name in enumerate(options.kinds):
        pairs: defaultdict[tuple[str, str], list[Export]] = defaultdict(list)
        for export, file in opened:
            if applies(KINDS[name], file, sibling(export, held)):
                pairs[export.scheme, export.format].append(export)
        for variant in range(options.variants if pairs else 0):
            turn, pair = divmod(variant, len(pairs))
            files = pairs[list(pairs)[pair]]
            # The number goes up by one with each turn: a kind that has four ways shows a pair all of them.
            yield Turn(KINDS[name], turn + pair, files[(number + turn + pair) % len(files)])


def sibling(export: Export, held: Sequence[Export]) -> Path | None:
    """The export of the same network with other weights."""
    for other in held:
        same = (other.scheme, other.format, other.network.family)
        if same == (export.scheme, export.format, export.network.family) and other.network != export.network:
            return other.path
    return None


def measured(
    plan: Sequence[Turn], held: Sequence[Export], folder: Path, runner: Runner, options: argparse.Namespace
) -> list[Case]:
    """Every defect seeded, and what it does."""
    folder.mkdir(parents=True)
    files: list[tuple[Turn, Seeded]] = []
    for turn in plan:
        out = folder / f"{turn.kind.name}-{turn.variant}-{turn.export.path.name}"
        other = sibling(turn.export, held)
        seeded = seed(turn.kind, turn.export.path, turn.export.scheme, turn.variant, out, other)
        assert seeded is not None  # `turns` asked whether it applies
        files.append((turn, seeded))
    tell(f"{len(files)} seeded files")
    used = list(dict.fromkeys(turn.export for turn, _ in files))
    jobs = [(export.path, images(export, options)) for export in used]
    answers = dict(zip(used, runner.outputs(jobs), strict=True))
    outputs = runner.outputs([(seeded.path, images(turn.export, options)) for turn, seeded in files])
    cases = []
    for (turn, seeded), output in zip(files, outputs, strict=True):
        truth = answers[turn.export]
        if isinstance(truth, str):
            raise SystemExit(f"{turn.export.path}: {truth}")
        drawn = line(truth, output, turn.export.scheme) if turn.kind.fits else misfit()
        cases.append(Case(seeded, turn.export.network.name, turn.export.scheme, drawn))
    return cases


def count(scheme: str, options: argparse.Namespace) -> int:
    """How many images a file of the scheme is run on."""
    fewer = options.int16_images if scheme == "int16x8" else None
    return int(fewer or options.images)


def _drawn(export: Export) -> str:
    """Networks of 28 pixels share their images."""
    network = export.network
    return f"images{network.channels}" if network.size == 28 else f"images-{network.name}"


def images(export: Export, options: argparse.Namespace) -> Path:
    """The first images of the proof, as .npy; data() has the same ones."""
    n = count(export.scheme, options)
    path: Path = options.work / f"{_drawn(export)}-{n}.npy"
    if not path.exists():
        with np.load(export.data) as kept:
            np.save(path, kept["images"][:n])
    return path


def data(export: Export, options: argparse.Namespace) -> Path:
    """The same images as .npz, with labels."""
    n = count(export.scheme, options)
    path: Path = options.work / f"{_drawn(export)}-{n}.npz"
    if not path.exists():
        with np.load(export.data) as kept:
            np.savez(path, images=kept["images"][:n], labels=kept["labels"][:n])
    return path


def judged(cases: Sequence[Case], good: Sequence[Export], options: argparse.Namespace) -> str:
    """What verify says, as text: of the defects, and of the good exports."""
    said: dict[Path, Said] = {}
    alarms: list[str] = []
    verdicts: defaultdict[str, int] = defaultdict(int)
    for network, n in dict.fromkeys((export.network, count(export.scheme, options)) for export in good):
        mine = [e for e in good if (e.network, count(e.scheme, options)) == (network, n)]
        ran = [c for c in cases if c.network == network.name and count(c.scheme, options) == n]
        files = [c.seeded.path for c in ran if not c.line.refused]
        by_file = verify(
            [*(e.path for e in mine), *files],
            mine[0].model,
            data(mine[0], options),
            further=preprocess(network.prepare),
        )
        said |= by_file
        for export in mine:
            one = by_file[export.path]
            verdicts[one.verdict] += 1
            if one.caught:
                alarms.append(f"- {export.path.name}: {one.verdict}: {one.layer} {one.cause}: {one.why}")
        tell(f"verified {network.name}: {len(mine)} good files, {len(files)} defective ones")
    full = [replace(case, said=said.get(case.seeded.path)) for case in cases]
    above = [case for case in full if case.line.above]
    missed = [case for case in above if case.said and not case.said.caught]
    elsewhere = [case for case in above if case.said and case.said.caught and not case.localized]
    result = {
        "images": options.images,
        "repair": options.repair,
        "kinds": kinds(full),
        "good": len(good),
        "verdicts": verdicts,
        "alarms": alarms,
    }
    keep("defects", result, "defects_repaired" if options.repair == "all" else "defects")
    lists = (listed(missed, "Above the line and missed"), listed(elsewhere, "Caught and not localized"))
    return "\n".join((table(result), *alarms, *lists))


def tell(news: str) -> None:
    """Progress, apart from the tables."""
    print(news, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
