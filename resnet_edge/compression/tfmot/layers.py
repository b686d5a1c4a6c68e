"""Runs in a worker. One Keras 3 layer as a tf_keras layer of the same name.

What may cross stands in two lists; everything else is refused. A config is translated key by
key, and a key that tf_keras does not know is an error unless it has the value that changes
nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tf_keras
from tf_keras.src.applications import convnext as tf_keras_convnext
from tf_keras.src.applications import inception_resnet_v2 as tf_keras_inception

from resnet_edge.compression.tfmot.mirrored import replicas
from resnet_edge.compression.tfmot.synchronized import SynchronizedBatchNormalization
from resnet_edge.core.errors import ModelError, first_line
from resnet_edge.models.functional.flat import Call, FlatTensor

LAYERS = frozenset(
    {
        *("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"),
        *("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"),
        *("AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "MaxPooling2D"),
        *("BatchNormalization", "GroupNormalization", "LayerNormalization", "Rescaling", "UnitNormalization"),
        *("Conv2D", "Conv2DTranspose", "Dense", "DepthwiseConv2D", "SeparableConv2D"),
        *("Cropping2D", "Flatten", "Permute", "Reshape", "UpSampling2D", "ZeroPadding2D"),
        *("Dropout", "GaussianDropout", "GaussianNoise", "Identity", "SpatialDropout2D"),
    }
)
"""The classes of keras.layers that tf_keras has under the same name and with the same arithmetic."""

APPLICATIONS = {
    "LayerScale": tf_keras_convnext.LayerScale,
    "CustomScaleLayer": tf_keras_inception.CustomScaleLayer,
}
"""The same of keras.applications."""

ACTIVATIONS = frozenset(
    {
        *("elu", "exponential", "gelu", "linear", "relu", "relu6", "selu", "sigmoid", "softmax"),
        *("softplus", "softsign", "swish", "tanh"),
    }
)
"""Not leaky_relu: another default."""


def _hard_sigmoid(x: Any) -> Any:
    return tf.nn.relu6(x + 3.0) / 6.0


_OWN_ACTIVATIONS = {"hard_sigmoid": _hard_sigmoid, "hard_silu": lambda x: x * _hard_sigmoid(x)}
"""Those that tf_keras has with another slope, or not at all."""

_SAME_ACTIVATION = {"silu": "swish"}
_REGULARIZERS = frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"})
_CONSTRAINTS = frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"})

_CHANGES_NOTHING: dict[str, tuple[Any, ...]] = {
    "quantization_config": (None,),
    "synchronized": (False,),
    "renorm": (False,),
    "rms_scaling": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "data_format": ("channels_last",),
}
"""Arguments that tf_keras may lack, with the values at which they need not be there. The renorm
arguments act only where `renorm` is set, so that the momentum alone may be anything."""

_RENAMED = {("LeakyReLU", "negative_slope"): "alpha"}

_WEIGHT_NAMES = {("DepthwiseConv2D", "kernel"): "depthwise_kernel"}


def weight_name(kind: str, name: str) -> str:
    """What tf_keras calls the weight `name` of a layer of the class `kind`."""
    if kind == "LayerScale":
        return "gamma"  # its only one, which Keras 3 gives no name
    return _WEIGHT_NAMES.get((kind, name), name)


def tf_keras_layer(call: Call) -> Any:
    """A fresh tf_keras layer, or a callable for an operator such as `x + y`, called `call.name`.

    Regularizers and constraints are made again, initializers are not: the weights are about to
    be set. Raises ModelError that names the layer and says what to do.
    """
    operation = call.operation
    if not isinstance(operation, keras.Layer):
        return _operator(call)
    kind = _kind(call)
    config = _config(call, kind)
    try:
        return kind.from_config(config)
    except (TypeError, ValueError) as error:
        raise ModelError(f"tf_keras cannot build the layer {call.name}: {first_line(error)}") from error


def _kind(call: Call) -> Any:
    """The class of tf_keras. Raises ModelError where there is none."""
    operation = call.operation
    if call.kind in LAYERS and type(operation) is getattr(keras.layers, call.kind):
        if call.kind == "BatchNormalization" and replicas() > 1:
            return _synchronized(call)
        return getattr(tf_keras.layers, call.kind)
    if call.kind in APPLICATIONS and type(operation).__module__.startswith("keras.src.applications."):
        return APPLICATIONS[call.kind]
    raise ModelError(_refusal(call))


def _synchronized(call: Call) -> Any:
    if call.operation.get_config().get("renorm"):
        raise ModelError(f"the layer {call.name} has renorm=True, which trains on one device: no --devices")
    return SynchronizedBatchNormalization


def _config(call: Call, kind: Any) -> dict[str, Any]:
    known = inspect.signature(kind).parameters
    config: dict[str, Any] = {}
    for key, value in call.operation.get_config().items():
        if key == "dtype" or key.endswith("_initializer"):
            continue
        if key in _CHANGES_NOTHING and key not in known:
            if value not in _CHANGES_NOTHING[key] and key != "renorm_momentum":
                raise ModelError(f"the layer {call.name} has {key}={value!r}, which tf_keras does not have")
            continue
        config[_RENAMED.get((call.kind, key), key)] = _translated(call, key, value)
    return {**config, "name": call.name, "dtype": "float32"}


def _translated(call: Call, key: str, value: Any) -> Any:
    if key == "activation":
        return _activation(call, value)
    if value is None:
        return None
    if key.endswith("_regularizer"):
        return _rebuilt(call, value, _REGULARIZERS, tf_keras.regularizers)
    if key.endswith("_constraint"):
        return _rebuilt(call, value, _CONSTRAINTS, tf_keras.constraints)
    return value


def _activation(call: Call, value: Any) -> Any:
    name = "linear" if value is None else value
    name = _SAME_ACTIVATION.get(name, name) if isinstance(name, str) else name
    if isinstance(name, str) and name in _OWN_ACTIVATIONS:
        return _OWN_ACTIVATIONS[name]
    if not isinstance(name, str) or name not in ACTIVATIONS:
        shown = name if isinstance(name, str) else (name or {}).get("class_name", name)
        raise ModelError(
            f"the layer {call.name} has the activation {shown}, which is not the same in tf_keras: use one "
            f"of {', '.join(sorted(ACTIVATIONS | _OWN_ACTIVATIONS.keys()))}, or a layer of its own"
        )
    return name


def _rebuilt(call: Call, value: dict[str, Any], names: frozenset[str], module: Any) -> Any:
    """A regularizer or constraint: L2 on a kernel changes what fine-tuning gives."""
    name = value["class_name"]
    if name not in names:
        raise ModelError(
            f"the layer {call.name} has a {name}, which tf_keras does not have: use one of "
            f"{', '.join(sorted(names))}, or none"
        )
    return getattr(module, name)(**value["config"])


def _joined(kind: str) -> Callable[[Call], Any]:
    """For an operator on two tensors, `x + y`, or on a tensor and a number."""

    def make(call: Call) -> Any:
        if len(call.inputs) != 2 or len(call.args) != 2 or call.kwargs:
            return _with_number(call)
        layer = getattr(tf_keras.layers, kind)(name=call.name)
        return lambda one, other: layer([one, other])

    return make


def _with_number(call: Call) -> Any:
    """`x + 3`, `1 - x`, `x / 6` and the like. Raises ModelError for another constant."""
    numbers = [leaf for leaf in call.args if isinstance(leaf, int | float)]
    first = bool(call.args) and isinstance(call.args[0], FlatTensor)
    known = len(call.args) == 2 and len(numbers) == 1 and (first or not call.kind.endswith("Divide"))
    scalings: dict[str, Callable[[float], tuple[float, float]]] = {
        "Add": lambda number: (1.0, number),
        "Subtract": lambda number: (1.0, -number) if first else (-1.0, number),
        "Multiply": lambda number: (number, 0.0),
        "Divide": lambda number: (1 / number, 0.0),
        "TrueDivide": lambda number: (1 / number, 0.0),
    }
    if not known or call.kwargs or call.kind not in scalings:
        raise ModelError(
            f"{call.name} ({call.kind}) joins a tensor and a constant in the middle of the network: put "
            "a Rescaling layer there, or make it part of the preprocessing at the head"
        )
    layer = tf_keras.layers.Rescaling(*scalings[call.kind](numbers[0]), name=call.name)
    return lambda one, other: layer(one if first else other)


def _pooled(call: Call) -> Any:
    axis = tuple(call.operation.axis or ())
    if axis not in ((1, 2), (-3, -2)) or len(call.shape) != (4 if call.operation.keepdims else 2):
        raise ModelError(_refusal(call))
    return tf_keras.layers.GlobalAveragePooling2D(keepdims=call.operation.keepdims, name=call.name)


def _softmax(call: Call) -> Any:
    return tf_keras.layers.Softmax(axis=call.operation.axis, name=call.name)


def _relu(call: Call) -> Any:
    """Of keras.activations, which has the arguments of the layer."""
    relu = call.operation
    return tf_keras.layers.ReLU(relu.max_value, relu.negative_slope, relu.threshold, name=call.name)


def _activated(activation: str) -> Callable[[Call], Any]:
    return lambda call: tf_keras.layers.Activation(activation, name=call.name)


_OPERATORS: dict[str, Callable[[Call], Any]] = {
    "Add": _joined("Add"),
    "Multiply": _joined("Multiply"),
    "Subtract": _joined("Subtract"),
    "Divide": _with_number,
    "TrueDivide": _with_number,
    "Maximum": _joined("Maximum"),
    "Minimum": _joined("Minimum"),
    "Relu": lambda call: tf_keras.layers.ReLU(name=call.name),
    "Relu6": lambda call: tf_keras.layers.ReLU(6.0, name=call.name),
    "ReLU": _relu,
    "Elu": lambda call: tf_keras.layers.ELU(call.operation.alpha, name=call.name),
    "Selu": _activated("selu"),
    "Sigmoid": _activated("sigmoid"),
    "Silu": _activated("swish"),
    "Softplus": _activated("softplus"),
    "Softsign": _activated("softsign"),
    "Tanh": _activated("tanh"),
    "Softmax": _softmax,
    "Mean": _pooled,
}
"""Functions of keras.ops and keras.activations, which a model leaves in its graph beside its layers."""


def _operator(call: Call) -> Any:
    if call.kind not in _OPERATORS or not type(call.operation).__module__.startswith("keras.src."):
        raise ModelError(_refusal(call))
    return _OPERATORS[call.kind](call)


def _refusal(call: Call) -> str:
    what = "layer" if isinstance(call.operation, keras.Layer) else "operation"
    return (
        f"the {what} {call.name} ({call.kind}) has no equal in tf_keras, on which "
        "tensorflow-model-optimization works: replace it by built-in layers (Conv2D, BatchNormalization, "
        "ReLU, Add, pooling, Dense and the like), or prune with --method channel"
    )
