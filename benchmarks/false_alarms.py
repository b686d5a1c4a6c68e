"""What `resnet-edge verify` says of good files: ours and others', of networks of many kinds.

    python -m benchmarks.false_alarms --work DIR [--networks NAME,…] [--seed N] [--random N] [--limit N]
                                      [--steps NAME,…] [--cases DIR] [--workers N] [--make | --verify]

Networks: small ones of the kinds that people bring (good_files/networks.py), one of every family of
keras.applications at 64 to 96 pixels, `--random` ones that are drawn from `--seed`, and with `--cases` models
that are made already (NAME.keras or .h5, NAME.npz, NAME.answers.npy). Files: by TensorFlow's converter,
litert-quantizer, tf2onnx, Keras, ONNX Runtime's quantizers and float16 converter at several settings, and by
`convert` with every --repair and --calibrator.

A file is good where a plain loop over its runtime (good_files/plain_loop.py), fed what the file declares,
agrees on 97 % of the images with what the saving Keras answered. Only good files are given to `verify`. A
false alarm is a good file with a finding that contradicts the reference, a verdict `fail`, or an error; those
that fail by their accuracy alone are listed apart with their figures.

Networks and files stay in DIR, and what is there is not made again: a second run only verifies. What an
exporter could not do is in failures.json of its folder. `--resume` goes on with the verdicts of a run that
was ended (results.json).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from benchmarks.good_files.applications import APPLICATIONS
from benchmarks.good_files.make import GOOD, SLOW, STEPS, do, make
from benchmarks.good_files.networks import KINDS, Network
from benchmarks.good_files.our_exports import MAX_DROP, preprocess
from benchmarks.good_files.random_networks import random_network
from benchmarks.good_files.store import Good, Store, read, write
from benchmarks.verdicts import Said, verify

CASES = {"caffe": "caffe", "article": "unit"}
"""Models of --cases that take prepared images, and how."""


def main() -> None:
    """Make, judge, verify, print."""
    options = _options()
    networks = chosen(options)
    if options.one:
        network, _, step = options.one.partition(":")
        do(next(n for n in networks if n.name == network), step, options.work)
        return
    if not options.verify:
        make(networks, options)
    good, bad = judged(networks, options)
    print("\n".join(inventory(good, bad)))
    if not options.make:
        print("\n".join(alarm_report(*verified(good, options))))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where networks and files are kept")
    parser.add_argument("--networks", type=_words, default=(), help="only these")
    parser.add_argument("--steps", type=_words, default=STEPS, help=f"only these of {', '.join(STEPS)}")
    parser.add_argument("--random", type=int, default=6, help="networks that are drawn")
    parser.add_argument("--seed", type=int, default=1, help="other draws of weights, images and networks")
    parser.add_argument("--cases", type=Path, help="a folder of models that are made already")
    parser.add_argument("--limit", type=int, help="so many good files, evenly from all")
    parser.add_argument("--workers", type=int, default=2, help="networks at once")
    parser.add_argument("--results", type=Path, help="where verdicts are kept [default: DIR/results.json]")
    parser.add_argument("--resume", action="store_true", help="go on with the verdicts that are there")
    parser.add_argument("--make", action="store_true", help="make and judge files, verify none")
    parser.add_argument("--verify", action="store_true", help="make nothing, verify what is there")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # NETWORK:STEP, in a process of its own
    options = parser.parse_args()
    if unknown := set(options.steps) - set(STEPS):
        parser.error(f"--steps: no {', '.join(sorted(unknown))}; choose from {', '.join(STEPS)}")
    options.work.mkdir(parents=True, exist_ok=True)
    options.results = options.results or options.work / "results.json"
    return options


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def chosen(options: argparse.Namespace) -> list[Network]:
    """The networks of the options, kinds and families in turns, so that an early end leaves some of all."""
    drawn = [random_network(options.seed + n) for n in range(options.random)]
    kinds, families = (
        [replace(one, seed=one.seed + options.seed - 1) for one in part] for part in (KINDS, APPLICATIONS)
    )
    parts: tuple[Sequence[Network], ...] = (kinds, families, drawn, list(_cases(options.cases)))
    turns = [((n + 0.5) / len(part), one) for part in parts for n, one in enumerate(part)]
    networks = [one for _, one in sorted(turns, key=lambda turn: turn[0])]
    if unknown := set(options.networks) - {n.name for n in networks}:
        raise SystemExit(f"no network {', '.join(sorted(unknown))}")
    return [n for n in networks if not options.networks or n.name in options.networks]


def _cases(folder: Path | None) -> Iterator[Network]:
    for answers in sorted(folder.glob("*.answers.npy")) if folder else ():
        name = answers.name.removesuffix(".answers.npy")
        prepare = CASES.get(name, "model")
        given = str(answers.with_name(name))
        yield Network(name=f"case_{name}", build=lambda: None, prepare=prepare, given=given)


def judged(networks: Iterable[Network], options: argparse.Namespace) -> tuple[list[Good], list[Good]]:
    """Good files, at most `--limit`, and those that are not good."""
    good: list[Good] = []
    bad: list[Good] = []
    for network in networks:
        store = Store(options.work, network.name)
        known = store.judged() if store.folder.exists() else {}
        for file in store.files():
            if file.path.parent.name in options.steps and file.path.name in known:
                (good if known[file.path.name]["agreement"] >= GOOD else bad).append(file)
    if options.limit and options.limit < len(good):
        good = [good[i] for i in np.linspace(0, len(good) - 1, options.limit).round().astype(int)]
    return good, bad


def inventory(good: Sequence[Good], bad: Sequence[Good]) -> Iterator[str]:
    """What there is, by network, exporter and scheme."""
    yield f"{len(good)} good files of {len({f.network for f in good})} networks; {len(bad)} more are not good"
    for title, key in (("network", "network"), ("exporter", "how"), ("scheme", "scheme")):
        counts = Counter(getattr(file, key) for file in good)
        yield f"by {title}: " + ", ".join(f"{name} {n}" for name, n in counts.items())


def verified(good: Sequence[Good], options: argparse.Namespace) -> tuple[list[Good], dict[str, Said]]:
    """What the command says of every file, by its name."""
    kept = read(options.results) if options.resume else {}
    said = {name: Said(**one) for name, one in kept.items()}
    groups: defaultdict[tuple[str, str, int | None], list[Good]] = defaultdict(list)
    for file in good:
        if file.path.name not in said:
            groups[file.network, file.takes, SLOW.get(file.scheme)].append(file)

    def one(group: tuple[tuple[str, str, int | None], list[Good]]) -> dict[Path, Said]:
        (network, takes, images), files = group
        store = Store(options.work, network)
        facts = store.facts()
        words = [*preprocess(facts["prepare"]), "--feed", takes]
        words += ["--images", str(images)] if images else []
        paths = [file.path for file in files]
        return verify(paths, store.folder / facts["model"], store.data("proof"), MAX_DROP, words)

    with ThreadPoolExecutor(options.workers) as pool:
        for (key, _), verdicts in zip(groups.items(), pool.map(one, groups.items()), strict=True):
            said |= {path.name: one_said for path, one_said in verdicts.items()}
            write(options.results, {name: asdict(each) for name, each in said.items()})
            tell(
                f"verified {key[0]}: {len(verdicts)} files, {sum(s.caught for s in verdicts.values())} alarms"
            )
    return list(good), said


def alarm_report(good: Sequence[Good], said: dict[str, Said]) -> Iterator[str]:
    """The counts, and what was not good."""
    names = {file.path.name: file for file in good}
    alarms = [name for name in names if said[name].caught]
    refused = [name for name in alarms if said[name].verdict == "error" and not said[name].certain]
    alone = [name for name in alarms if said[name].verdict == "fail" and not said[name].certain]
    against = [name for name in alarms if said[name].certain]
    verdicts = Counter(one.verdict for name, one in said.items() if name in names)
    yield f"\n{len(names)} good files: {len(alarms)} false alarms ({len(against)} contradicted,"
    yield f"{len(refused)} not verified, {len(alone)} fail by their answers alone); {json.dumps(verdicts)}"
    for title, key in (("network", "network"), ("exporter", "how"), ("scheme", "scheme")):
        yield ""
        yield from _table(
            title, Counter(getattr(f, key) for f in good), (getattr(names[a], key) for a in alarms)
        )
    yield f"\nContradicted, {len(against)}:"
    for name in against:
        one = said[name]
        yield f"- {name}: {one.verdict}: {one.layer} {one.cause}: {one.sentence or one.why}"
    yield f"\nNot verified, {len(refused)}:"
    yield from (f"- {name}: {said[name].why}" for name in refused)
    yield f"\nFail by their answers alone, {len(alone)}:"
    yield from (f"- {name}: {said[name].why}{_figures(names[name])}" for name in alone)


def _table(title: str, whole: Counter[str], alarms: Iterable[str]) -> Iterator[str]:
    counts = Counter(alarms)
    yield f"| {title} | good files | false alarms |"
    yield "| --- | ---: | ---: |"
    yield from (f"| {name} | {count} | {counts[name]} |" for name, count in whole.items())


def _figures(file: Good) -> str:
    """What the plain loop measured."""
    known = read(file.path.parents[1] / "judged.json")[file.path.name]
    return f" (plain loop: agreement {known['agreement']:.3f}, drop {100 * known['drop']:.1f} points)"


def tell(news: str) -> None:
    """Progress, apart from the tables."""
    print(news, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
