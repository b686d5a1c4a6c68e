"""What `resnet-edge verify` says of good files: ours and others', of networks of many kinds.

    python benchmarks/false_alarms.py --work DIR [--networks NAME,…] [--seed N] [--random N] [--limit N]
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
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from defect_verify import Said, verify
from good_files.applications import APPLICATIONS
from good_files.networks import KINDS, Network
from good_files.our_exports import MAX_DROP, OPTIONS, preprocess
from good_files.random_networks import random_network
from good_files.store import Good, Store, read, write

GOOD = 0.97
SLOW = {"int16x8": 100}
"""LiteRT has no fast kernels for it: so many images."""
OTHERS = "others"
STEPS = (OTHERS, *OPTIONS)
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
    print("\n".join(made_told(good, bad)))
    if not options.make:
        print("\n".join(told(*verified(good, options))))


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
    found = parser.parse_args()
    if unknown := set(found.steps) - set(STEPS):
        parser.error(f"--steps: no {', '.join(sorted(unknown))}; choose from {', '.join(STEPS)}")
    found.work.mkdir(parents=True, exist_ok=True)
    found.results = found.results or found.work / "results.json"
    return found


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


# -- making ----------------------------------------------------------------------------------


def make(networks: Sequence[Network], options: argparse.Namespace) -> None:
    """All networks with the first files of ours, then the further options of `convert`."""
    for steps in ([s for s in options.steps if s in STEPS[:2]], [s for s in options.steps if s in STEPS[2:]]):
        pairs = [(network, step) for network in networks for step in steps]
        with ThreadPoolExecutor(options.workers) as pool:
            list(pool.map(lambda pair: _in_process(*pair, options), pairs))


def _in_process(network: Network, step: str, options: argparse.Namespace) -> None:
    """TensorFlow keeps what it has made, and an exporter may take its process down: it is started again and
    goes on behind what failed."""
    store = Store(options.work, network.name)
    done = store.folder / f"{step}.done"
    store.folder.mkdir(parents=True, exist_ok=True)
    words = ("--work", str(options.work), "--one", f"{network.name}:{step}")
    words += ("--random", str(options.random), "--seed", str(options.seed))
    words += ("--cases", str(options.cases)) if options.cases else ()
    for _ in range(4):
        if done.exists():
            break
        with (store.folder / f"{step}.log").open("a") as log:
            told = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
            call = [sys.executable, __file__, *words]
            if subprocess.run(call, stdout=log, stderr=log, check=False, env=told).returncode == 0:
                done.touch()
    judge(store)
    count = sum(1 for _ in store.files())
    news = (
        f"made {network.name} {step}: {count} files of it"
        if done.exists()
        else f"{network.name} {step} failed"
    )
    tell(news)


def do(network: Network, step: str, work: Path) -> None:
    """One step of a network, in this process."""
    from good_files import onnx_exports, our_exports, tensorflow_exports, training

    store = Store(work, network.name)
    if not (store.folder / "network.json").exists():
        (training.adopt if network.given else training.train)(network, store)
    if step in OPTIONS:
        print(our_exports.export(store, step))
        return
    import keras

    model = keras.models.load_model(store.folder / store.facts()["model"], compile=False)
    tensorflow_exports.export(store, model)
    onnx_exports.export(store, model)


def judge(store: Store) -> None:
    """Agreement of every new file with the answers of Keras, by the plain loop."""
    known = store.judged()
    new = [f for f in store.files() if known.get(f.path.name, {}).get("size") != f.path.stat().st_size]
    with TemporaryDirectory() as folder:
        jobs = {file: _job(store, file, Path(folder)) for file in new}
        _looped(list(jobs.values()))
        for job in jobs.values():  # a file that takes its process down does so alone
            if not (Path(job[2]).exists() or Path(f"{job[2]}.txt").exists()):
                _looped([job])
        for file, (*_, out) in jobs.items():
            known[file.path.name] = {**_agreement(store, Path(out)), "size": file.path.stat().st_size}
    store.keep_judged(known)


def _job(store: Store, file: Good, folder: Path) -> tuple[str, str, str]:
    """File, images as it takes them, and where its answers go."""
    from good_files.images import prepared

    images, _ = store.arrays("proof")
    n = SLOW.get(file.scheme, len(images))
    way = store.facts()["prepare"] if file.takes == "preprocessed" else "model"
    fed = folder / f"{way}{n}.npy"
    if not fed.exists():
        np.save(fed, prepared(images[:n], way))
    return str(file.path), str(fed), str(folder / f"{file.path.name}.npy")


def _looped(jobs: Sequence[tuple[str, str, str]]) -> None:
    loop = Path(__file__).parent / "good_files" / "plain_loop.py"
    if jobs:
        call = [sys.executable, str(loop), *(word for job in jobs for word in job)]
        subprocess.run(call, capture_output=True, check=False)


def _agreement(store: Store, out: Path) -> dict[str, Any]:
    from good_files.training import choices

    if not out.exists():
        said = Path(f"{out}.txt")
        return {"agreement": 0.0, "why": said.read_text() if said.exists() else "the process ended"}
    found, (_, labels) = np.load(out), store.arrays("proof")
    n = len(found)
    right = np.load(store.folder / "answers.npy")[:n]
    agreement = float(np.mean(choices(found) == choices(right)))
    drop = float(np.mean(choices(right) == labels[:n]) - np.mean(choices(found) == labels[:n]))
    return {"agreement": agreement, "drop": drop, "n": n}


def judged(networks: Iterable[Network], options: argparse.Namespace) -> tuple[list[Good], list[Good]]:
    """Good files, at most `--limit`, and those that are not good."""
    good, bad = [], []
    for network in networks:
        store = Store(options.work, network.name)
        known = store.judged() if store.folder.exists() else {}
        for file in store.files():
            if file.path.parent.name in options.steps and file.path.name in known:
                (good if known[file.path.name]["agreement"] >= GOOD else bad).append(file)
    if options.limit and options.limit < len(good):
        good = [good[i] for i in np.linspace(0, len(good) - 1, options.limit).round().astype(int)]
    return good, bad


def made_told(good: Sequence[Good], bad: Sequence[Good]) -> Iterator[str]:
    """What there is, by network, exporter and scheme."""
    yield f"{len(good)} good files of {len({f.network for f in good})} networks; {len(bad)} more are not good"
    for title, key in (("network", "network"), ("exporter", "how"), ("scheme", "scheme")):
        counts = Counter(getattr(file, key) for file in good)
        yield f"by {title}: " + ", ".join(f"{name} {n}" for name, n in counts.items())


# -- verifying -------------------------------------------------------------------------------


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
        for (key, _), found in zip(groups.items(), pool.map(one, groups.items()), strict=True):
            said |= {path.name: one_said for path, one_said in found.items()}
            write(options.results, {name: asdict(each) for name, each in said.items()})
            tell(f"verified {key[0]}: {len(found)} files, {sum(s.caught for s in found.values())} alarms")
    return list(good), said


def told(good: Sequence[Good], said: dict[str, Said]) -> Iterator[str]:
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
    found = Counter(alarms)
    yield f"| {title} | good files | false alarms |"
    yield "| --- | ---: | ---: |"
    yield from (f"| {name} | {count} | {found[name]} |" for name, count in whole.items())


def _figures(file: Good) -> str:
    """What the plain loop measured."""
    known = read(file.path.parents[1] / "judged.json")[file.path.name]
    return f" (plain loop: agreement {known['agreement']:.3f}, drop {100 * known['drop']:.1f} points)"


def tell(news: str) -> None:
    """Progress, apart from the tables."""
    print(news, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
