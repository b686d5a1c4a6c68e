"""Keras to the portable graph, by TensorFlow's own converter. The one place that needs TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from resnet_edge.core.errors import ModelError
from resnet_edge.core.preprocessing import Preprocessing
from resnet_edge.graph.model import load_model, op_name, save_model
from resnet_edge.graph.rewrites.bounded_exponentials import bound_exponentials

SIGNATURE = "serving_default"


class _Exported(tf.Module):
    """A SavedModel holds what a tf.Module reaches. It does not reach into a keras.Variable, so
    those of a Keras model are unpacked; a loaded SavedModel is reached as it is."""

    def __init__(self, trackable: Any) -> None:
        super().__init__()
        inside = [getattr(variable, "value", None) for variable in getattr(trackable, "variables", ())]
        # `value` of a tf.Variable is a method
        self.variables_of_model = [variable for variable in inside if not callable(variable)]
        self.model = None if self.variables_of_model else trackable


def convert(
    network: Callable[[Any], Any],
    trackable: Any,
    preprocessing: Preprocessing,
    input_shape: tuple[int, int, int],
    output: str,
    out: Path,
    *,
    dynamic_batch: bool = False,
) -> None:
    """Write the float32 portable graph of `network` to `out`.

    Input `image` (1 or dynamic, H, W, C) float32; one output named `output`. It goes through
    a SavedModel, because `from_keras_model` masks every failure behind a `_get_save_spec`
    error (keras-team/keras#18430) and unfrozen concrete functions keep their variables.
    Raises ModelError where the network needs an operation that TFLite does not have built in.
    """
    module = _Exported(trackable)
    image = tf.TensorSpec((None if dynamic_batch else 1, *input_shape), tf.float32, name="image")

    @tf.function(input_signature=[image])  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def serve(image: Any) -> dict[str, Any]:
        return {output: network(_preprocessed(image, preprocessing))}

    with tempfile.TemporaryDirectory(prefix="resnet-edge-saved-") as folder:
        # As a concrete function: a tf.function would be traced again for the file.
        tf.saved_model.save(module, folder, signatures={SIGNATURE: serve.get_concrete_function()})
        try:
            content = _converted(folder, module)
        except Exception as error:  # the converter raises its own private class with pages of MLIR
            raise ModelError(f"TensorFlow's converter refuses the model: {_reason(error)}") from error
    out.write_bytes(content)
    del content
    _finish(out, output)


def _converted(folder: str, module: Any) -> bytes:
    """The SavedModel as TFLite, by what `TFLiteConverter.from_saved_model(folder).convert()` ends in.

    The public way reads the SavedModel into Python three times before that, for its signatures, a count of
    operations and the line numbers in error messages: 4 of 14 s of processor time on a ResNet-50. The bytes
    are the same (tests/graph/test_convert.py holds it); it may go when TensorFlow reads it once.
    """
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.lite.python.lite import TFLiteSavedModelConverterV2

    converter = TFLiteSavedModelConverterV2(folder, {tf.saved_model.SERVING}, [SIGNATURE], module)
    converter.exclude_conversion_metadata = True
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    content: bytes = converter._convert_from_saved_model(GraphDef())
    return content


def _preprocessed(image: Any, preprocessing: Preprocessing) -> Any:
    """Apply what belongs into the graph.

    One value for all channels is a multiplication and an addition, which the converter folds
    into the first convolution where padding allows. One per channel, or BGR, is a 1x1
    convolution: a single int8 kernel where a reversal plus two broadcasts would be three.
    """
    if preprocessing.where != "graph" or preprocessing.identity:
        return image
    channels = image.shape[-1]
    scale, offset = list(preprocessing.scale), list(preprocessing.offset)
    if preprocessing.channels == "RGB" and len(set(scale)) == len(set(offset)) == 1:
        image = image * scale[0] if scale[0] != 1 else image
        return image + offset[0] if offset[0] else image
    for values in (scale, offset):
        if len(values) not in (1, channels):
            raise ModelError(
                f"preprocessing {preprocessing.name!r} has {len(values)} values, "
                f"and the model has {channels} channels"
            )
    scale, offset = (v * channels if len(v) == 1 else v for v in (scale, offset))
    kernel = [[0.0] * channels for _ in range(channels)]
    for target in range(channels):
        source = channels - 1 - target if preprocessing.channels == "BGR" else target
        kernel[source][target] = scale[target]
    return tf.nn.conv2d(image, tf.constant([[kernel]], tf.float32), 1, "VALID") + tf.constant(
        offset, tf.float32
    )


def _reason(error: Exception) -> str:
    """The telling line of a converter error, which is pages long."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "Flex ops" in line or "not supported" in line]
    return (telling or lines or [type(error).__name__])[0][:300]


def _finish(path: Path, output: str) -> None:
    """Give the tensors the names of the signature, and refuse what no mobile runtime has built in. What the
    converter lowers to exponentials that overflow is put another way (rewrites/bounded_exponentials.py)."""
    model = load_model(path)
    subgraph = model.subgraphs[0]
    foreign = sorted(
        {n for o in subgraph.operators if (n := op_name(o, model.operatorCodes)).startswith("CUSTOM:")}
    )
    if foreign:
        raise ModelError(
            f"the model needs operations that TFLite does not have built in: {', '.join(foreign)}"
        )
    if len(subgraph.inputs) != 1 or len(subgraph.outputs) != 1:
        raise ModelError(
            f"the graph has {len(subgraph.inputs)} inputs and {len(subgraph.outputs)} outputs; "
            "an image classifier has one each"
        )
    subgraph.tensors[subgraph.inputs[0]].name = b"image"
    subgraph.tensors[subgraph.outputs[0]].name = output.encode()
    bound_exponentials(model)
    save_model(model, path)
