"""A network gets answers that differ between images, and its images are kept with them."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.files.bundled import CALIBRATION_FILE, TEST_FILE, bundled

from .images import figures, prepared
from .networks import Network
from .store import Store, write

CALIBRATION = 64
BATCH, RATE = 32, 2e-3
SETTLING = 10
"""Batches that batch normalizations see anew: those of keras.applications forget too slowly for few steps."""
SEPARABLE = 0.7
"""Share of images that a last layer must get right to be taken for one that knows the classes."""
SURE = 4
"""Times as many images from which the surest are taken."""
CONFIDENCE = 6.0
"""Logits of a last layer that is solved for are between about 0 and this."""


def train(network: Network, store: Store) -> None:
    """Save the model, its images and what the saving Keras itself answers for them."""
    import keras

    keras.utils.set_random_seed(network.seed)
    parts = _images(network)
    for name in ("proof", "calibration"):
        np.savez(store.data(name), images=parts[name][0], labels=parts[name][1])
    images, labels = parts["training"]
    fed = prepared(images, network.prepare)
    model = network.build()
    _fit(model, fed, labels, network.steps)
    if network.probe:
        _settle(model, fed)
        if not _solve(model, fed[:800], labels[:800]):
            _own_labels(model, network, store)
    model.save(store.model)
    _keep(store, model, network)


def adopt(network: Network, store: Store) -> None:
    """Take a model that was made elsewhere: `network.given` with .keras or .h5, .npz and .answers.npy."""
    given = Path(network.given)
    model = next(given.with_suffix(s) for s in (".keras", ".h5") if given.with_suffix(s).exists())
    shutil.copy(model, store.folder / f"model{model.suffix}")
    with np.load(given.with_suffix(".npz")) as held:
        images, labels = held["images"], held["labels"]
    rows = slice(len(images) - network.proof, None)
    np.savez(store.data("proof"), images=images[rows], labels=labels[rows])
    np.savez(store.data("calibration"), images=images[:CALIBRATION], labels=labels[:CALIBRATION])
    np.save(store.folder / "answers.npy", np.load(given.with_suffix(".answers.npy"))[rows])
    write(store.folder / "network.json", {"prepare": network.prepare, "model": f"model{model.suffix}"})


def _images(network: Network) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Parts that have no image in common."""
    if network.images == "fashion":
        return _fashion(network.proof)
    draw = zlib.crc32(f"{network.name} {network.seed}".encode())
    counts = {"training": network.training, "proof": network.proof, "calibration": CALIBRATION}
    return {
        name: figures(n, network.size, draw + i, network.jitter) for i, (name, n) in enumerate(counts.items())
    }


def _fashion(proof: int) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Of the bundled test images, so that nothing is fetched."""
    with np.load(bundled(TEST_FILE)) as held:
        images, labels = held["images"], held["labels"].astype(np.int64)
    with np.load(bundled(CALIBRATION_FILE)) as held:
        few = held["images"][:CALIBRATION], held["labels"][:CALIBRATION].astype(np.int64)
    return {
        "training": (images[proof:], labels[proof:]),
        "proof": (images[:proof], labels[:proof]),
        "calibration": few,
    }


def _fit(model: Any, fed: NDArray[np.float32], labels: NDArray[Any], steps: int) -> None:
    import keras

    if not steps:
        return
    binary = model.output_shape[-1] == 1
    logits = getattr(model.layers[-1], "activation", None) is keras.activations.linear
    loss: Any = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    rows = np.resize(np.arange(len(fed)), steps * BATCH)
    model.compile(keras.optimizers.Adam(RATE), "binary_crossentropy" if binary else loss)
    model.fit(fed[rows], labels[rows], batch_size=BATCH, epochs=1, verbose=0)


def _settle(model: Any, fed: NDArray[np.float32]) -> None:
    """Moving statistics from a few batches; those of a new network are 0 and 1."""
    import keras

    changed = [one for one in model._flatten_layers() if isinstance(one, keras.layers.BatchNormalization)]
    before = [one.momentum for one in changed]
    for batch in range(min(SETTLING, len(fed) // BATCH)):
        for one in changed:
            one.momentum = 0.8 if batch else 0.0  # the first one replaces what there was
        model(fed[batch * BATCH : (batch + 1) * BATCH], training=True)
    for one, momentum in zip(changed, before, strict=True):
        one.momentum = momentum


def _solve(model: Any, fed: NDArray[np.float32], labels: NDArray[Any]) -> bool:
    """Ridge regression of the classes on what the last layer reads; whether that tells them apart. Where it
    does not, as with random weights and many layers, the classes are the ends of the main axes of what it
    reads, so that answers are sure enough to be compared."""
    import keras

    last = model.layers[-1]
    reads = keras.Model(model.input, last.input)
    parts = [np.asarray(reads(fed[i : i + BATCH], training=False)) for i in range(0, len(fed), BATCH)]
    features = np.concatenate(parts).astype(np.float64)
    half = len(features) * 3 // 4
    kernel, bias = _ridge(features[:half], labels[:half], last.units)
    separable = float(np.mean((features[half:] @ kernel + bias).argmax(axis=1) == labels[half:])) > SEPARABLE
    if not separable:
        kernel, bias = _axes(features, last.units)
    last.set_weights([kernel.astype(np.float32), bias.astype(np.float32)])
    return separable


def _ridge(features: Any, labels: NDArray[Any], count: int) -> tuple[Any, Any]:
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread += 1e-3 * spread.max() + 1e-12
    scaled, wanted = (features - mean) / spread, np.eye(count)[labels] - 1 / count
    gram = scaled.T @ scaled + 0.05 * len(scaled) * np.eye(scaled.shape[1])
    kernel = CONFIDENCE * np.linalg.solve(gram, scaled.T @ wanted) / spread[:, None]
    return kernel, -mean @ kernel


def _axes(features: Any, count: int) -> tuple[Any, Any]:
    """Classes 2k and 2k + 1 are where the k-th principal component is high and low."""
    mean = features.mean(axis=0)
    _, sizes, axes = np.linalg.svd(features - mean, full_matrices=False)
    unit = axes[: count // 2].T / (sizes[: count // 2] / np.sqrt(len(features)))
    kernel = 2 * np.stack([unit, -unit], axis=2).reshape(len(mean), count)
    return kernel, -mean @ kernel


def _own_labels(model: Any, network: Network, store: Store) -> None:
    """Labels that the network agrees with on 19 of 20 images: those of the figures mean nothing to it. Of
    many images those are kept on which it is surest, else rounding alone would turn answers."""
    random = np.random.default_rng(network.seed)
    for name in ("proof", "calibration"):
        count = len(store.arrays(name)[1])
        images, labels = figures(SURE * count, network.size, int(random.integers(2**31)), network.jitter)
        answers = np.asarray(model.predict(prepared(images, network.prepare), verbose=0))
        best = np.sort(answers, axis=1)
        kept = np.sort(np.argsort(best[:, -2] - best[:, -1], kind="stable")[:count])
        agreeing = choices(answers)[kept]
        some = random.random(count) < 0.05
        agreeing[some] = labels[kept][some]
        np.savez(store.data(name), images=images[kept], labels=agreeing.astype(np.int64))


def _keep(store: Store, model: Any, network: Network) -> None:
    images, labels = store.arrays("proof")
    answers = np.asarray(model.predict(prepared(images, network.prepare), batch_size=BATCH, verbose=0))
    np.save(store.folder / "answers.npy", answers)
    right = float(np.mean(choices(answers) == labels))
    facts = {"prepare": network.prepare, "model": store.model.name, "right": right, "seed": network.seed}
    write(store.folder / "network.json", facts)


def choices(answers: NDArray[Any]) -> NDArray[Any]:
    """The class of each row; of one sigmoid, whether it is above a half."""
    return (answers[:, 0] > 0.5).astype(np.int64) if answers.shape[1] == 1 else answers.argmax(axis=1)
