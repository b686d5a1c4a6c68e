"""Networks of 64 to 96 pixels for defects.py, with the layers that small ResNets have not.

Pairs differ in their seed alone: what a stale file is made of. Files are those of `convert` that agree with
Keras on 97 % of the images by a plain loop, so that what the command under test says of them plays no part.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.good_files.make import GOOD, do, judge
from benchmarks.good_files.networks import Network, bottlenecks, conv, group_norm, model, norm, residual
from benchmarks.good_files.store import Good, Store

PROOF = 1000
HARD: dict[str, Any] = {"proof": PROOF, "jitter": 30}
"""Answers that are all sure would hide what a defect does."""
STEPS = {"auto": "ours-auto-auto", "all": "ours-all-auto", "none": "ours-none-auto"}
"""By --repair."""


def _joined() -> Any:
    """PReLU, bilinear resizing, a transposed convolution, padded average pooling and additions."""
    from keras import layers

    def body(x: Any) -> Any:
        x = conv(x, 12, stride=2, act=None)
        x = layers.PReLU(alpha_initializer="random_uniform", shared_axes=[1, 2])(x)
        y = residual(x, 24, 2)
        up = layers.UpSampling2D(2, interpolation="bilinear")(layers.Conv2D(12, 1)(y))
        other = layers.Conv2DTranspose(12, 3, 2, padding="same")(y)
        x = layers.ReLU()(norm()(layers.Add()([layers.Add()([up, other]), x])))
        x = layers.AveragePooling2D(3, 2, padding="same")(x)
        return residual(conv(x, 24), 32, 2)

    return model(body)


def _shared() -> Any:
    """One convolution in three places, and padded average pooling, at 96 pixels. No batch normalization
    follows it: folded into its weights, it would tell the uses apart."""
    from keras import layers

    def body(x: Any) -> Any:
        x = conv(x, 16, stride=2)
        again = layers.Conv2D(16, 3, padding="same")
        x = layers.AveragePooling2D(3, 2, padding="same")(layers.ReLU()(again(x)))
        x = layers.Add()([x, layers.ReLU()(again(layers.ReLU()(again(x))))])
        return residual(x, 32, 2)

    return model(body, size=96)


def _pair(family: str, build: Any, size: int, prepare: str = "model") -> tuple[tuple[str, Network], ...]:
    names = ((f"{family}_a", 1), (f"{family}_b", 2))
    return tuple(
        (family, Network(name=n, build=build, size=size, seed=s, prepare=prepare, **HARD)) for n, s in names
    )


LARGER = (
    *_pair("joined", _joined, 64),
    *_pair("shared96", _shared, 96),
    ("normed", Network(name="normed", build=group_norm, **HARD)),
    ("padded", Network(name="padded", build=bottlenecks, prepare="caffe", **HARD)),
)


def good_exports(network: Network, work: Path, repair: str) -> Iterator[tuple[Good, Path, Path]]:
    """Each good file with its model and images; made where they are missing, in a process of its own."""
    store = Store(work / f"larger-{repair}", network.name)
    if not (store.folder / "judged.json").exists():
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        call = [sys.executable, "-m", "benchmarks.defects.networks", str(work), network.name, repair]
        subprocess.run(call, check=True, env=environment)
    known = store.judged()
    for file in store.files():
        if known[file.path.name]["agreement"] >= GOOD:
            yield file, store.folder / store.facts()["model"], store.data("proof")


def _make(network: Network, work: Path, repair: str) -> None:
    folder = work / f"larger-{repair}"
    store = Store(folder, network.name)
    store.folder.mkdir(parents=True, exist_ok=True)
    do(network, STEPS[repair], folder)
    judge(store)
    bad = [name for name, one in store.judged().items() if one["agreement"] < GOOD]
    print(f"{network.name}: not good: {', '.join(bad) or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    _make(next(one for _, one in LARGER if one.name == sys.argv[2]), Path(sys.argv[1]), sys.argv[3])
