"""Runs in a worker: importing tensorflow-model-optimization changes a process for good."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from resnet_edge import zoo
from resnet_edge.compression.tfmot.bridge import to_keras, to_tf_keras
from resnet_edge.compression.tfmot.head import split_head
from resnet_edge.compression.tfmot.magnitude import (
    LayerSparsity,
    check_sparsity,
    layers_to_prune,
    masked,
    plan,
    sparsity,
    stripped,
    update_step,
)
from resnet_edge.core.head import Head
from resnet_edge.models.functional.flat import FlatGraph, flat_graph
from resnet_edge.training.fit import Fit, fit
from resnet_edge.training.recipe import Recipe
from resnet_edge.training.training_copy import training_copy
from resnet_edge.training.training_data import LabelledImages, TrainingData
from resnet_edge.workers.progress import OnProgress
from tests.models import nets


@dataclass(frozen=True)
class PruneOptions:
    """`steps` of training with a plan for so many."""

    amount: float = 0.5
    schedule: Any = "polynomial"
    steps: int = 20
    exclude: tuple[str, ...] | None = None


def keras_of_tensorflow(options: PruneOptions, on_progress: OnProgress) -> str:
    """Which Keras a module of the user's gets as `tf.keras`."""
    import tensorflow as tf

    return str(tf.keras.__version__)


def plans(options: PruneOptions, on_progress: OnProgress) -> dict[str, Any]:
    return asdict(plan(options.schedule, options.amount, options.steps))


def names(options: PruneOptions, on_progress: OnProgress) -> tuple[str, ...]:
    return layers_to_prune(flat_graph(_network(), nets.SHAPE), options.exclude)


def check(layers: list[LayerSparsity], on_progress: OnProgress) -> None:
    check_sparsity(layers, 0.5)


def trained(options: PruneOptions, on_progress: OnProgress) -> dict[str, Any]:
    """Prune `nets.classifier` on noise: the sparsity of the first pruned kernel as seen after each
    step, and what is in Keras 3 in the end."""
    import tf_keras

    graph = flat_graph(_network(), nets.SHAPE)
    chosen = layers_to_prune(graph, options.exclude)
    model = masked(to_tf_keras(graph), chosen, plan(options.schedule, options.amount, options.steps))
    model.compile(tf_keras.optimizers.SGD(0.01), "mse")
    wrapper = model.get_layer(f"prune_low_magnitude_{chosen[0]}")
    seen = []

    def note(batch: int, logs: Any) -> None:
        seen.append(float(1 - np.mean(wrapper.pruning_vars[0][1].numpy())))

    noted = tf_keras.callbacks.LambdaCallback(on_train_batch_end=note)
    batch = nets.images(count=4)
    targets = np.eye(nets.CLASSES, dtype=np.float32)[:4]
    images, labels = np.tile(batch, (options.steps, 1, 1, 1)), np.tile(targets, (options.steps, 1))
    model.fit(images, labels, batch_size=4, shuffle=False, verbose=0, callbacks=[update_step(), noted])
    bare = stripped(model)
    to_keras(bare, graph)
    layers = sparsity(graph, chosen)
    check_sparsity(layers, options.amount)
    return {
        "seen": seen,
        "layers": [layer.name for layer in bare.layers],
        "sparsity": {layer.name: [layer.zeros, layer.weights] for layer in layers},
        "dense": [layer.sparsity for layer in sparsity(graph, {"trunk_stem"} - set(chosen))],
    }


def _network() -> keras.Model:
    return nets.classifier()


@dataclass(frozen=True)
class FitTwice:
    folder: str
    teacher: bool


@dataclass(frozen=True)
class Fitted:
    """The losses and held-out accuracies per epoch, and the largest difference of a weight."""

    keras: list[list[float]]
    tf_keras: list[list[float]]
    moved: float
    apart: float


def fitted_twice(request: FitTwice, on_progress: OnProgress) -> Fitted:
    """The same recipe on the same network, by Keras 3 and by tf_keras."""
    import tf_keras

    shape = (8, 8, 1)
    recipe = Recipe(
        data="none",
        epochs=3,
        batch_size=8,
        learning_rate=0.05,
        warmup_epochs=1.0,
        weight_decay=0.01,
        augment=("flip",),
        validation=0.25,
    )
    teacher = teaching if request.teacher else None
    random = np.random.default_rng(0)
    labels = np.arange(64) % 3
    images = (random.integers(0, 60, (64, *shape)) + 80 * labels[:, None, None, None]).astype(np.uint8)
    fitted, held = LabelledImages(images[:48], labels[:48], ""), LabelledImages(images[48:], labels[48:], "")
    data = TrainingData(fitted=fitted, held_out=held, test=None, classes=3, class_names=(), identity={})
    model = zoo.build("resnet8", shape, 3)
    head, trunk = split_head(flat_graph(model, shape))
    assert head is not None
    ours, theirs = training_copy(trunk, "float32"), to_tf_keras(trunk)
    before = _arrays(theirs, trunk)
    rows = []
    for name, copy, framework in (("ours", ours, keras), ("theirs", theirs, tf_keras)):
        folder = Path(request.folder) / name
        folder.mkdir()
        how = Fit(
            head=Head.of_classes(data.classes, "logits"),
            label="fit",
            inputs=head,
            teacher=teacher,
            framework=framework,
        )
        history = fit(copy, data, recipe, folder, on_progress, how)
        rows.append([[row["loss"], row["accuracy"], row["val_accuracy"]] for row in history])
    pairs = list(zip(_arrays(ours, trunk), _arrays(theirs, trunk), strict=True))
    moved = max(float(np.abs(b - c).max()) for (_, b), c in zip(pairs, before, strict=True))
    return Fitted(rows[0], rows[1], moved, max(float(np.abs(a - b).max()) for a, b in pairs))


def teaching(pixels: Any) -> Any:
    """Logits that are wrong for every second image, so that the teacher can be told from the labels."""
    return np.stack([pixels.mean((1, 2, 3)), pixels.std((1, 2, 3)), pixels.max((1, 2, 3))], 1) / 50


def _arrays(model: Any, graph: FlatGraph) -> list[Any]:
    """Layer by layer: the two frameworks list the weights of a model in different orders."""
    return [array for call in graph.calls for array in model.get_layer(call.name).get_weights()]
