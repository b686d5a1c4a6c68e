"""Runs in a worker. What a fit minimises, on keras.ops: for Keras 3 on any backend, and for tf_keras.

A binary head is trained as the softmax of two logits, 0 and its own: what it gives is the sigmoid. Several
labels are as many of these, whose losses are averaged. An embedding is trained to point where another one
points, that of its teacher.

Targets are (B,) class numbers, or (B, labels) of 0 and 1; where there is a teacher, behind them (B, 1 +
classes) or (B, 2 * labels) are its logits. Packing them lets `fit` pass them through as one array. Of an
embedding they are (B, dimensions), the teacher's.

keras.distillation (Keras 3.15) is not used: its Distiller wraps teacher and student in one
Keras 3 model, so that a student of tensorflow-model-optimization, which is a tf_keras model,
cannot be one, and it runs the teacher in the student's precision and graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from resnet_edge.core.head import Head
from resnet_edge.training.recipe import Recipe

Loss = Callable[[Any, Any], Any]
SMALLEST = 1e-7
"""Below this a float32 softmax tells nothing; its logarithm is cut here, and that of a sigmoid as near 1."""


def loss_of(recipe: Recipe, head: Head, penalty: Callable[[], Any] | None = None) -> Loss:
    """The loss per image, (B,): see Recipe. `penalty`, a scalar of the weights, is added to each."""

    def plain(targets: Any, outputs: Any) -> Any:
        if head.kind == "embedding":
            return 1 - cosine(targets, outputs)
        logits = as_logits(outputs, head)
        labels, teacher = _unpacked(targets, head)
        several = head.kind == "multilabel"
        hard = (cross_entropies if several else cross_entropy)(labels, logits, recipe.label_smoothing)
        if teacher is None:
            return hard
        soft = (divergences if several else divergence)(teacher, logits, recipe.temperature)
        return (1 - recipe.teacher_weight) * hard + recipe.teacher_weight * soft

    def loss(targets: Any, outputs: Any) -> Any:
        total = plain(targets, outputs)
        return total if penalty is None else total + ops.cast(penalty(), total.dtype)

    return loss


def accuracy_of(head: Head) -> Loss:
    """A metric, called accuracy: whether each image is classified right, (B,) float32; of several labels, the
    share of them; of an embedding, the cosine to what it is to be."""

    def accuracy(targets: Any, outputs: Any) -> Any:
        if head.kind == "embedding":
            return cosine(targets, outputs)
        labels, _ = _unpacked(targets, head)
        if head.kind == "classes":
            predicted = ops.argmax(outputs, axis=-1)
        else:
            above = outputs > ops.cast(ops.convert_to_tensor(head.own_thresholds), outputs.dtype)
            predicted = ops.cast(above if head.kind == "multilabel" else above[:, 0], "int64")
        same = ops.cast(ops.equal(predicted, ops.cast(labels, "int64")), "float32")
        return ops.mean(same, axis=-1) if head.kind == "multilabel" else same

    return accuracy


def cross_entropies(labels: Any, logits: Any, smoothing: float) -> Any:
    """Sigmoid cross-entropy on labels (B, labels) of 0 and 1 with label smoothing, the mean of all labels."""
    target = ops.cast(labels, logits.dtype) * (1 - smoothing) + smoothing / 2
    # log(1 + exp(z)) - t z, without an exponential that overflows.
    entropies = ops.maximum(logits, 0) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.mean(entropies, axis=-1)


def divergences(teacher: Any, student: Any, temperature: float) -> Any:
    """As `divergence`, of a yes and a no for each label, the mean of all labels."""
    teacher, student = ops.cast(teacher, student.dtype) / temperature, student / temperature
    yes = ops.sigmoid(teacher)
    divergence_of_each = yes * (ops.log_sigmoid(teacher) - ops.log_sigmoid(student))
    divergence_of_each += (1 - yes) * (ops.log_sigmoid(-teacher) - ops.log_sigmoid(-student))
    return temperature**2 * ops.mean(divergence_of_each, axis=-1)


def cosine(wanted: Any, given: Any) -> Any:
    """Of the angle between two embeddings (B, dimensions), (B,)."""
    wanted = ops.cast(wanted, given.dtype)
    return ops.sum(_unit(wanted) * _unit(given), axis=-1)


def _unit(embeddings: Any) -> Any:
    squares = ops.sum(ops.square(embeddings), axis=-1, keepdims=True)
    return embeddings * ops.rsqrt(ops.maximum(squares, SMALLEST**2))


def cross_entropy(labels: Any, logits: Any, smoothing: float) -> Any:
    """Softmax cross-entropy on class numbers with label smoothing (Szegedy et al., arXiv:1512.00567)."""
    log_p = ops.log_softmax(logits)
    target = ops.one_hot(labels, logits.shape[-1], dtype=log_p.dtype)
    target = target * (1 - smoothing) + smoothing / logits.shape[-1]
    return -ops.sum(target * log_p, axis=-1)


def divergence(teacher: Any, student: Any, temperature: float) -> Any:
    """T^2 KL(teacher || student) of the outputs softened at T (arXiv:1503.02531, section 2)."""
    log_p = ops.log_softmax(ops.cast(teacher, student.dtype) / temperature)
    log_q = ops.log_softmax(student / temperature)
    return temperature**2 * ops.sum(ops.exp(log_p) * (log_p - log_q), axis=-1)


def as_logits(outputs: Any, head: Head) -> Any:
    """Logits (B, classes), up to a constant per image, of what a model gives; of several labels (B, labels),
    of each; an embedding as it is."""
    if head.kind == "embedding":
        return outputs
    if head.kind == "classes":
        return outputs if head.output == "logits" else ops.log(ops.maximum(outputs, SMALLEST))
    logit = outputs
    if head.output == "probabilities":
        inside = ops.clip(outputs, SMALLEST, 1 - SMALLEST)
        logit = ops.log(inside) - ops.log(1 - inside)
    if head.kind == "multilabel":
        return logit
    return ops.concatenate([ops.zeros_like(logit), logit], axis=-1)


def _unpacked(targets: Any, head: Head) -> tuple[Any, Any | None]:
    count = head.classes
    if head.kind == "multilabel":
        packed = targets.shape[-1] == 2 * count
        return ops.cast(targets[:, :count], "int32"), targets[:, count:] if packed else None
    packed = len(targets.shape) == 2 and targets.shape[-1] == 1 + count
    labels = targets[:, 0] if packed else ops.reshape(targets, (-1,))
    return ops.cast(labels, "int32"), targets[:, 1:] if packed else None
