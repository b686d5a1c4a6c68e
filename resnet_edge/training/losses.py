"""Runs in a worker. What a fit minimises, on keras.ops: for Keras 3 on any backend, and for tf_keras.

A binary head is trained as the softmax of two logits, 0 and its own: what it gives is the sigmoid.

Targets are (B,) class numbers, or, where there is a teacher, (B, 1 + classes): the class number
and behind it the teacher's logits. Packing them lets `fit` pass them through as one array.

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

    def loss(targets: Any, outputs: Any) -> Any:
        logits = as_logits(outputs, head)
        labels, teacher = _unpacked(targets, logits.shape[-1])
        total = cross_entropy(labels, logits, recipe.label_smoothing)
        if teacher is not None:
            soft = divergence(teacher, logits, recipe.temperature)
            total = (1 - recipe.teacher_weight) * total + recipe.teacher_weight * soft
        return total if penalty is None else total + ops.cast(penalty(), total.dtype)

    return loss


def accuracy_of(head: Head) -> Loss:
    """A metric, called accuracy: whether each image is classified right, (B,) float32."""

    def accuracy(targets: Any, outputs: Any) -> Any:
        labels, _ = _unpacked(targets, head.classes)
        if head.threshold is None:
            predicted = ops.argmax(outputs, axis=-1)
        else:
            predicted = ops.cast(outputs[:, 0] > head.threshold, "int64")
        return ops.cast(ops.equal(predicted, ops.cast(labels, "int64")), "float32")

    return accuracy


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
    """Logits (B, classes), up to a constant per image, of what a model gives."""
    if head.kind == "classes":
        return outputs if head.output == "logits" else ops.log(ops.maximum(outputs, SMALLEST))
    logit = outputs
    if head.output == "probabilities":
        inside = ops.clip(outputs, SMALLEST, 1 - SMALLEST)
        logit = ops.log(inside) - ops.log(1 - inside)
    return ops.concatenate([ops.zeros_like(logit), logit], axis=-1)


def _unpacked(targets: Any, classes: int) -> tuple[Any, Any | None]:
    packed = len(targets.shape) == 2 and targets.shape[-1] == 1 + classes
    labels = targets[:, 0] if packed else ops.reshape(targets, (-1,))
    return ops.cast(labels, "int32"), targets[:, 1:] if packed else None
