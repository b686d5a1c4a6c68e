"""Makes networks and the files of every exporter, and judges them by a plain loop."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.good_files.networks import Network
from benchmarks.good_files.our_exports import OPTIONS
from benchmarks.good_files.store import Good, Store

GOOD = 0.97
SLOW = {"int16x8": 100}
"""LiteRT has no fast kernels for it: so many images."""
OTHERS = "others"
STEPS = (OTHERS, *OPTIONS)


def make(networks: Sequence[Network], options: argparse.Namespace) -> None:
    """All networks with the first files of ours, then the further options of `convert`."""
    for steps in ([s for s in options.steps if s in STEPS[:2]], [s for s in options.steps if s in STEPS[2:]]):
        pairs = [(network, step) for network in networks for step in steps]
        with ThreadPoolExecutor(options.workers) as pool:
            list(pool.map(lambda pair: _in_process(pair[0], pair[1], options), pairs))


def _in_process(network: Network, step: str, options: argparse.Namespace) -> None:
    """TensorFlow keeps what it has made, and an exporter may take its process down: it is started again and
    goes on behind what failed."""
    store = Store(options.work, network.name)
    done = store.folder / f"{step}.done"
    store.folder.mkdir(parents=True, exist_ok=True)
    words = ["--work", str(options.work), "--one", f"{network.name}:{step}"]
    words += ["--random", str(options.random), "--seed", str(options.seed)]
    words += ["--cases", str(options.cases)] if options.cases else []
    for _ in range(4):
        if done.exists():
            break
        with (store.folder / f"{step}.log").open("a") as log:
            environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
            call = [sys.executable, "-m", "benchmarks.false_alarms", *words]
            if subprocess.run(call, stdout=log, stderr=log, check=False, env=environment).returncode == 0:
                done.touch()
    judge(store)
    count = sum(1 for _ in store.files())
    news = (
        f"made {network.name} {step}: {count} files of it"
        if done.exists()
        else f"{network.name} {step} failed"
    )
    print(news, file=sys.stderr, flush=True)


def do(network: Network, step: str, work: Path) -> None:
    """One step of a network, in this process."""
    from benchmarks.good_files import onnx_exports, our_exports, tensorflow_exports, training

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
    from benchmarks.good_files.images import prepared

    images, _ = store.arrays("proof")
    n = SLOW.get(file.scheme, len(images))
    way = store.facts()["prepare"] if file.takes == "preprocessed" else "model"
    fed = folder / f"{way}{n}.npy"
    if not fed.exists():
        np.save(fed, prepared(images[:n], way))
    return str(file.path), str(fed), str(folder / f"{file.path.name}.npy")


def _looped(jobs: Sequence[tuple[str, str, str]]) -> None:
    loop = Path(__file__).with_name("plain_loop.py")
    if jobs:
        call = [sys.executable, str(loop), *(word for job in jobs for word in job)]
        subprocess.run(call, capture_output=True, check=False)


def _agreement(store: Store, out: Path) -> dict[str, Any]:
    from benchmarks.good_files.training import choices

    if not out.exists():
        said = Path(f"{out}.txt")
        return {"agreement": 0.0, "why": said.read_text() if said.exists() else "the process ended"}
    outputs, (_, labels) = np.load(out), store.arrays("proof")
    n = len(outputs)
    right = np.load(store.folder / "answers.npy")[:n]
    agreement = float(np.mean(choices(outputs) == choices(right)))
    drop = float(np.mean(choices(right) == labels[:n]) - np.mean(choices(outputs) == labels[:n]))
    return {"agreement": agreement, "drop": drop, "n": n}
