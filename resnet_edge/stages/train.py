"""Runs in a worker. Train a network of the zoo and write it as `.keras` with a sidecar."""

from __future__ import annotations

import hashlib
import math
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_edge import __version__, zoo
from resnet_edge.core.errors import DataError, ResnetEdgeError
from resnet_edge.core.progress import Progress, Report
from resnet_edge.core.sidecar import Sidecar, write_sidecar
from resnet_edge.data import ImageSet, load
from resnet_edge.stages.augment import AugmentedBatches
from resnet_edge.stages.checkpoint import Checkpoint, open_checkpoint, write
from resnet_edge.stages.recipe import Recipe, TrainRequest, TrainResult


def train(request: TrainRequest, report: Report) -> TrainResult:
    """Train as the recipe says. Raises UsageError, DataError, UnknownName; ResnetEdgeError where
    the training diverges."""
    recipe, out = request.recipe, Path(request.out)
    keras.utils.set_random_seed(recipe.seed)
    images = load(recipe.data, "train", recipe.input_shape, report=report)
    # Now, so that files that are not there are told before the training and not after it.
    test = load(recipe.data, "test", report=report) if _has_test_images(recipe.data) else None
    labels = _labels(images)
    fitted, held_out = _split(images.images, labels, recipe)
    classes = _class_count(images, labels)
    shape = tuple(images.images.shape[1:])
    plain = zoo.build(recipe.arch, shape, classes)
    model = _trainable(recipe, plain)
    batches = AugmentedBatches(*fitted, recipe.batch_size, recipe.augment, recipe.seed)
    stamp = {"recipe": asdict(recipe), "data": _identity(images)}
    folder = open_checkpoint(out, stamp, request.resume)
    _compile(model, recipe, len(batches))
    watcher, checkpoint = _Watcher(batches, recipe, report, folder), Checkpoint(folder)
    model.fit(
        batches,
        initial_epoch=checkpoint.restore(model),
        epochs=recipe.epochs,
        # Keras would shuffle the batches, shuffled already, with a generator that a resumed
        # run starts anew.
        shuffle=False,
        validation_data=held_out,
        validation_batch_size=500,
        # The history first: on resuming it is cut to the epochs of the checkpoint.
        callbacks=[watcher, checkpoint],
        verbose=0,
    )

    plain.set_weights(model.get_weights())
    test_top1, test_n = _test(plain, test, report)
    _save(plain, folder, out)
    write_sidecar(out, _sidecar(recipe, images, watcher.history, test_top1, test_n))
    shutil.rmtree(folder)
    validation_top1 = watcher.history[-1].get("val_accuracy") if watcher.history else None
    return TrainResult(str(out), plain.count_params(), validation_top1, test_top1, test_n)


def _has_test_images(data: str) -> bool:
    """Whether DATA is a set with test images of its own. A user's folder or file is the same for
    training and test: an accuracy on it would be one on the images that were trained on."""
    return data.partition(":")[0] == "fashion-mnist"


def _labels(images: ImageSet) -> NDArray[np.int64]:
    """The labels. Raises DataError unless there are some, of two classes or more."""
    if images.labels is None:
        raise DataError(
            f"{images.source} has no labels: training needs one sub-folder per class, or 'labels'"
        )
    if len(np.unique(images.labels)) < 2:
        raise DataError(f"{images.source} has images of one class only: a classifier needs two")
    return images.labels


def _class_count(images: ImageSet, labels: NDArray[np.int64]) -> int:
    count = len(images.class_names) or int(labels.max()) + 1
    if labels.max() >= count:
        raise DataError(f"{images.source} has label {labels.max()} and only {count} class names")
    return count


Arrays = tuple[NDArray[Any], NDArray[np.int64]]


def _split(images: NDArray[Any], labels: NDArray[np.int64], recipe: Recipe) -> tuple[Arrays, Arrays | None]:
    """Training and held-out arrays; the same share of every class is held out."""
    random = np.random.default_rng(recipe.seed)
    held: list[int] = []
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        held += rows[: round(recipe.validation * len(rows))].tolist()
    mask = np.zeros(len(images), bool)
    mask[held] = True
    fitted = (images[~mask], labels[~mask])
    return fitted, (images[mask], labels[mask]) if held else None


def _trainable(recipe: Recipe, plain: keras.Model) -> keras.Model:
    """A copy of the float32 network under the recipe's precision, fast to train here."""
    keras.config.set_dtype_policy(recipe.precision)
    try:
        model = zoo.build(recipe.arch, plain.input_shape[1:], plain.output_shape[-1])
    finally:
        keras.config.set_dtype_policy("float32")
    model.set_weights(plain.get_weights())
    if keras.backend.backend() != "tensorflow":
        return model
    from resnet_edge.stages.fused_batchnorm import with_fused_batchnorm

    return with_fused_batchnorm(model)


def _compile(model: keras.Model, recipe: Recipe, steps: int) -> None:
    warmup = round(recipe.warmup_epochs * steps)
    optimizer = keras.optimizers.SGD(
        keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else recipe.learning_rate,
            decay_steps=max(1, recipe.epochs * steps - warmup),
            warmup_target=recipe.learning_rate if warmup else None,
            warmup_steps=warmup,
        ),
        momentum=0.9,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(
        optimizer,
        _cross_entropy(recipe.label_smoothing),
        metrics=["accuracy"],
        # XLA:CPU runs convolutions without oneDNN, at about half the speed.
        jit_compile="auto" if _accelerated() else False,
    )


def _cross_entropy(smoothing: float) -> Any:
    """Softmax cross-entropy on integer labels with label smoothing (Szegedy et al., arXiv:1512.00567)."""

    def loss(labels: Any, logits: Any) -> Any:
        ops = keras.ops
        log_p = ops.log_softmax(logits)
        target = ops.one_hot(
            ops.reshape(ops.cast(labels, "int32"), (-1,)), logits.shape[-1], dtype=log_p.dtype
        )
        target = target * (1 - smoothing) + smoothing / logits.shape[-1]
        return -ops.sum(target * log_p, axis=-1)

    return loss


def _accelerated() -> bool:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    return True


class _Watcher(keras.callbacks.Callback):
    """Tells the progress, counts the epochs for the batches, and keeps the history."""

    def __init__(self, batches: AugmentedBatches, recipe: Recipe, report: Report, checkpoint: Path) -> None:
        super().__init__()
        self._batches, self._recipe, self._report = batches, recipe, report
        self._file = checkpoint / "history.json"
        self.history: list[dict[str, float]] = (
            msgspec.json.decode(self._file.read_bytes()) if self._file.is_file() else []
        )
        self._epoch, self._began = 0, 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch, self._batches.epoch, self._began = epoch, epoch, time.monotonic()
        del self.history[epoch:]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        steps = len(self._batches)
        if batch % 10 == 9 or batch + 1 == steps:
            done, total = self._epoch * steps + batch + 1, self._recipe.epochs * steps
            state = f"loss {logs['loss']:.3f} top-1 {logs['accuracy']:.4f}"
            note = f"epoch {self._epoch + 1}/{self._recipe.epochs} {state}"
            self._report(Progress("train", done, total, note))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.monotonic() - self._began
        row = {key: round(float(value), 5) for key, value in (logs or {}).items()}
        self._check_finite(row)
        self.history.append({"epoch": epoch + 1, **row, "seconds": round(seconds, 1)})
        write(self._file, msgspec.json.encode(self.history))
        held_out = ""
        if "val_loss" in row:
            held_out = f", held out: loss {row['val_loss']:.3f} top-1 {row['val_accuracy']:.4f}"
        note = (
            f"epoch {epoch + 1:>3}/{self._recipe.epochs}  loss {row['loss']:.3f} top-1 {row['accuracy']:.4f}"
            f"{held_out}  ({seconds:.0f} s)"
        )
        self._report(Progress("train", note=note, line=True))

    def _check_finite(self, row: dict[str, float]) -> None:
        """A run that diverged is over: going on would end in a model that holds NaN."""
        if all(map(math.isfinite, row.values())):
            return
        shutil.rmtree(self._file.parent)  # to resume it would diverge once more
        raise ResnetEdgeError(
            f"the training diverged in epoch {self._epoch + 1} (its loss is NaN or infinite): lower "
            "--learning-rate, or lengthen --warmup-epochs"
        )


def _test(model: keras.Model, test: ImageSet | None, report: Report) -> tuple[float | None, int]:
    """Top-1 on the data set's own test images, where it has some."""
    if test is None:
        return None, 0
    report(Progress("test", 0, len(test)))
    logits = model.predict(test.images.astype(np.float32), batch_size=500, verbose=0)
    report(Progress("test", len(test), len(test)))
    return float(np.mean(logits.argmax(-1) == test.labels)), len(test)


def _save(model: keras.Model, folder: Path, out: Path) -> None:
    part = folder / "finished.keras"  # in a folder beside `out`, so that a rename suffices
    model.save(part)
    part.replace(out)


def _identity(images: ImageSet) -> dict[str, Any]:
    def digest(array: NDArray[Any]) -> str:
        return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()

    assert images.labels is not None
    return {
        "n": len(images),
        "images_sha256": digest(images.images),
        "labels_sha256": digest(images.labels),
    }


def _sidecar(
    recipe: Recipe, images: ImageSet, history: list[dict[str, float]], test_top1: float | None, test_n: int
) -> Sidecar:
    step = {
        "step": "train",
        "resnet_edge": __version__,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "recipe": asdict(recipe),
        "data": {"source": images.source, **_identity(images)},
        "history": history,
        "test": {"top1": test_top1, "n": test_n},
    }
    return Sidecar(class_names=images.class_names, steps=(step,))
