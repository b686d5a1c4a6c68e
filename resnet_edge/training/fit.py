"""Runs in a worker. Fit a network to labelled images: schedule, progress, checkpoint, history.

One loop for Keras 3 on any backend and for tf_keras, on which tensorflow-model-optimization
works: what differs between the two is the module that is asked for optimizer and callbacks.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge.core.answers import answers, right
from resnet_edge.core.errors import ResnetEdgeError
from resnet_edge.core.files.atomic import write_whole
from resnet_edge.core.files.documents import read_json
from resnet_edge.core.head import Head
from resnet_edge.training.augment import AugmentedBatches
from resnet_edge.training.checkpoint import BEGIN_ANEW, Checkpoint, empty
from resnet_edge.training.held_out import BATCH, HeldOut
from resnet_edge.training.losses import accuracy_of, loss_of
from resnet_edge.training.moving_statistics import forget_in_time
from resnet_edge.training.placement import ONE, Placement, severed
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_data import LabelledImages, TrainingData
from resnet_edge.workers.progress import OnProgress, Progress

Pixels = NDArray[np.float32]


def as_they_are(pixels: Pixels) -> Pixels:
    """For a model that takes raw pixels."""
    return pixels


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What a fit needs beside the model and the recipe.

    `placement` is where it computes, in whose scope the model was made.
    `label` is what the progress calls it. `head` tells what the model gives. `inputs` makes of (B, H, W, C)
    raw pixels what the model takes; `teacher` makes of them (B, classes) logits, or the embedding that an
    embedding is to become. `penalty` is a scalar of the weights, added to the loss. `framework` is keras or
    tf_keras; `callbacks` are further ones of that framework. `frozen`: layers are kept from training by the
    caller, who sets `trainable`."""

    head: Head
    label: str = "train"
    inputs: Callable[[Pixels], Pixels] = as_they_are
    teacher: Callable[[Pixels], Pixels] | None = None
    penalty: Callable[[], Any] | None = None
    framework: Any = keras
    callbacks: tuple[Any, ...] = ()
    placement: Placement = ONE

    @property
    def measure(self) -> str:
        """What `accuracy_of` is, for people."""
        return {"multilabel": "labels right", "embedding": "cosine"}.get(self.head.kind, "top-1")


History = list[dict[str, float]]


def fit(
    model: Any, data: TrainingData, recipe: Recipe, folder: Path, on_progress: OnProgress, how: Fit
) -> History:
    """Fit `model` in place, from where the checkpoint in `folder` is; gives one row per epoch.

    Raises UnknownName (augmentation); DataError (the checkpoint); UsageError (a batch that does not divide
    among the devices); ResnetEdgeError where the training diverges; PeerLost.
    """
    with how.placement.scope(recipe.seed), severed(how.placement.processes):
        return _fit(model, data, recipe, folder, on_progress, how)


def _fit(
    model: Any, data: TrainingData, recipe: Recipe, folder: Path, on_progress: OnProgress, how: Fit
) -> History:
    fitted, placement = data.fitted, how.placement
    batches = AugmentedBatches(
        fitted.images, fitted.labels, recipe.batch_size, recipe.augment, recipe.seed, placement.share
    )
    placement.check_batch(batches.batch_size, len(fitted))
    forget_in_time(model, recipe.epochs * len(batches))
    _compile(model, recipe, len(batches), how)
    checkpoint = Checkpoint(folder, recipe.epochs, placement)
    done = checkpoint.restore(model)
    if done:
        on_progress(
            Progress(step=how.label, note=f"going on behind epoch {done} of {recipe.epochs}", line=True)
        )
    watcher = _Watcher(len(batches), recipe, on_progress, folder, how)

    def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
        # The history first: on resuming it is cut to the epochs of the checkpoint.
        watcher.epoch_ends(epoch, logs)
        checkpoint.save(model, epoch + 1)

    watched = how.framework.callbacks.LambdaCallback(
        on_epoch_begin=watcher.epoch_begins, on_train_batch_end=watcher.batch_ends, on_epoch_end=on_epoch_end
    )
    held = None if data.held_out is None else HeldOut(data.held_out, placement)
    model.fit(
        _source(lambda: _fed(batches.epochs(done), how), data, how),
        initial_epoch=done,
        epochs=recipe.epochs,
        steps_per_epoch=len(batches),
        validation_data=None
        if held is None
        else _source(lambda: _fed_weighted(held, how), data, how, placement.devices > 1),
        validation_steps=None if held is None else held.steps,
        callbacks=[*how.callbacks, watched],
        verbose=0,
    )
    return watcher.history


def share_right(
    network: Callable[[Pixels], Any], images: LabelledImages, how: Fit, on_progress: OnProgress
) -> NDArray[np.float64]:
    """What `network`, in inference mode, gets right of each of `images`, (N,): 1 or 0; of several labels, the
    fraction of them; of an embedding, whether the nearest neighbour has the image's label. The mean is the
    accuracy."""
    outputs = []
    for start in range(0, len(images), BATCH):
        rows = slice(start, start + BATCH)
        outputs.append(np.asarray(network(how.inputs(images.images[rows].astype(np.float32)))))
        on_progress(Progress(step="test", done=min(start + BATCH, len(images)), total=len(images)))
    answer = answers(how.head, np.concatenate(outputs))
    if how.head.kind == "multilabel":
        return np.asarray((answer == images.labels).mean(axis=1), np.float64)
    return np.asarray(right(how.head, answer, images.labels), np.float64)


def training_details(recipe: Recipe, data: TrainingData, history: History, how: Fit) -> dict[str, Any]:
    """What the sidecar keeps of any training or fine-tuning."""
    name = how.framework.__name__
    return {
        "framework": f"{name} {how.framework.__version__}",
        "backend": keras.backend.backend() if how.framework is keras else "tensorflow",
        "device": device(how),
        "devices": how.placement.devices,
        "processes": how.placement.processes,
        "recipe": recipe.lasting(),
        "data": data.identity,
        "history": history,
    }


def device(how: Fit) -> str:
    """What is computed on, as backends call it: `cpu`, `gpu` or `tpu`."""
    if how.framework is keras and keras.backend.backend() == "jax":
        import jax

        return str(jax.default_backend())
    import tensorflow as tf

    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def _fed(batches: Iterator[tuple[Pixels, NDArray[np.int64]]], how: Fit) -> Iterator[tuple[Pixels, Any]]:
    for pixels, labels in batches:
        yield how.inputs(pixels), _targets(pixels, labels, how)


def _fed_weighted(held: HeldOut, how: Fit) -> Iterator[tuple[Any, ...]]:
    """Without weights where there are none."""
    for pixels, labels, weights in held.batches():
        last = () if weights is None else (weights,)
        yield how.inputs(pixels), _targets(pixels, labels, how), *last


def _targets(pixels: Pixels, labels: NDArray[np.int64], how: Fit) -> NDArray[Any]:
    """As losses.py has them."""
    if how.teacher is None:
        return labels
    if how.head.kind == "embedding":
        return how.teacher(pixels)
    own = labels if labels.ndim == 2 else labels[:, None]
    return np.concatenate([own.astype(np.float32), how.teacher(pixels)], axis=1)


def _source(
    batches: Callable[[], Iterator[tuple[Any, ...]]], data: TrainingData, how: Fit, weighted: bool = False
) -> Any:
    """What `model.fit` reads, `weighted` with a weight for each image. tf_keras forgets the shapes of what a
    generator gives, by which the loss tells class numbers from those with a teacher's logits behind them; a
    dataset has them."""
    if how.framework is keras:
        return batches()
    import tensorflow as tf

    shape = how.inputs(data.fitted.images[:1].astype(np.float32)).shape[1:]
    first = data.fitted
    like = _targets(first.images[:1].astype(np.float32), first.labels[:1], how)
    targets = tf.TensorSpec((None, *like.shape[1:]), like.dtype.name)
    weights = (tf.TensorSpec((None,), "float32"),) if weighted else ()
    signature = (tf.TensorSpec((None, *shape), "float32"), targets, *weights)
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)


def _compile(model: Any, recipe: Recipe, steps: int, how: Fit) -> None:
    warmup = round(recipe.warmup_epochs * steps)
    optimizers = how.framework.optimizers
    optimizer = optimizers.SGD(
        optimizers.schedules.CosineDecay(
            0.0 if warmup else recipe.learning_rate,
            decay_steps=max(1, recipe.epochs * steps - warmup),
            warmup_target=recipe.learning_rate if warmup else None,
            warmup_steps=warmup,
        ),
        momentum=0.9,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )
    # Keras 3 looks at the variable's own name, tf_keras at a path: bn/gamma:0.
    own = r"%s" if how.framework is keras else r"(^|/)%s:\d+$"
    optimizer.exclude_from_weight_decay(var_names=[own % name for name in ("gamma", "beta", "bias")])
    model.compile(
        optimizer,
        loss_of(recipe, how.head, how.penalty),
        # Weighted where images are filled in (`held_out`); the training has no weights.
        **{"metrics" if how.placement.devices == 1 else "weighted_metrics": [accuracy_of(how.head)]},
        # XLA:CPU runs convolutions without oneDNN, at about half the speed. tfmot's wrappers
        # branch on variables in a way that XLA does not compile.
        jit_compile="auto" if how.framework is keras and _accelerated() else False,
    )


def _accelerated() -> bool:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    return True


def _history_in(file: Path) -> History:
    """Raises DataError."""
    history: History = read_json(file, list[dict[str, int | float]], "history of a training", BEGIN_ANEW)
    return history


class _Watcher:
    """Tells the progress and keeps the history."""

    def __init__(self, steps: int, recipe: Recipe, on_progress: OnProgress, folder: Path, how: Fit) -> None:
        self._steps, self._recipe, self._on_progress = steps, recipe, on_progress
        self._label, self._measure = how.label, how.measure
        self._file = folder / "history.json"
        self.history: History = _history_in(self._file) if self._file.is_file() else []
        self._epoch, self._began = 0, 0.0
        self._first = True

    def epoch_begins(self, epoch: int, logs: Any = None) -> None:
        if self._first:
            self._on_progress(Progress(step="first batch", note=f"compiling the step of {self._label}"))
        self._epoch, self._began = epoch, time.monotonic()
        del self.history[epoch:]

    def batch_ends(self, batch: int, logs: Any = None) -> None:
        if self._first:
            self._first = False
            self._on_progress(Progress(step="first batch", done=1, total=1))
        if batch % 10 == 9 or batch + 1 == self._steps:
            done, total = self._epoch * self._steps + batch + 1, self._recipe.epochs * self._steps
            state = f"loss {logs['loss']:.3f} {self._measure} {logs['accuracy']:.4f}"
            note = f"epoch {self._epoch + 1}/{self._recipe.epochs} {state}"
            self._on_progress(Progress(step=self._label, done=done, total=total, note=note))

    def epoch_ends(self, epoch: int, logs: Any = None) -> None:
        seconds = time.monotonic() - self._began
        row = {key: round(float(value), 5) for key, value in (logs or {}).items()}
        self._check_finite(row)
        self.history.append({"epoch": epoch + 1, **row, "seconds": round(seconds, 1)})
        write_whole(self._file, msgspec.json.encode(self.history))
        held_out = ""
        if "val_loss" in row:
            held_out = f", held out: loss {row['val_loss']:.3f} {self._measure} {row['val_accuracy']:.4f}"
        note = (
            f"epoch {epoch + 1:>3}/{self._recipe.epochs}  loss {row['loss']:.3f} {self._measure} "
            f"{row['accuracy']:.4f}{held_out}  ({seconds:.0f} s)"
        )
        self._on_progress(Progress(step=self._label, note=note, line=True))

    def _check_finite(self, row: dict[str, float]) -> None:
        """A run that diverged is over: going on would end in a model that holds NaN."""
        if all(map(math.isfinite, row.values())):
            return
        empty(self._file.parent)  # to resume it would diverge once more
        raise ResnetEdgeError(
            f"the training diverged in epoch {self._epoch + 1} (its loss is NaN or infinite): lower "
            "--learning-rate, or lengthen --warmup-epochs"
        )
