"""The portable graph under a scheme, by litert-quantizer: float in, quantized out.

The quantizer's own calibration (a moving average over batches) is not used: it takes the
ranges that calibrate.py measured.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Collection
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from litert_quantizer import quantizer, recipe_manager
from litert_quantizer.algorithm_manager import AlgorithmName
from litert_quantizer.qtyping import QuantGranularity, TFLOperationName

from resnet_edge.core.errors import ArtifactError, UnsupportedScheme
from resnet_edge.core.scheme import Scheme
from resnet_edge.graph.model import load_model, read_graph, save_model
from resnet_edge.graph.quantization.calibrate import KEEPING_ALL_TENSORS, Ranges
from resnet_edge.graph.quantization.grids import layer_of
from resnet_edge.graph.quantization.write_int8_rows import write_int8_rows

LEFT_IN_FLOAT = (TFLOperationName.SOFTMAX, TFLOperationName.INPUT, TFLOperationName.OUTPUT)
"""The border of the graph stays in float here (interface.py narrows it where asked). So does
a softmax: in int8 its output has 256 steps of 1/256, LiteRT's reference kernel aborts
on flat inputs, and ONNX Runtime rounds it differently. A sigmoid that ends the graph stays there for the
same steps (`_last_sigmoid`); others, as in a swish, are read by integers and become some."""

DENSE = TFLOperationName.FULLY_CONNECTED
CASTABLE = (
    TFLOperationName.CONV_2D,
    TFLOperationName.DEPTHWISE_CONV_2D,
    DENSE,
    TFLOperationName.CONV_2D_TRANSPOSE,
)


def quantize(
    float_model: Path,
    scheme: Scheme,
    ranges: Ranges | None,
    out: Path,
    float_layers: Collection[str] = (),
) -> None:
    """Write `float_model` under `scheme` to `out`. Raises UnsupportedScheme, ArtifactError.

    `ranges` is needed where the scheme needs calibration. Weights: symmetric, per output
    channel (dense layers: as `scheme.dense_scales` says), -127 to 127, with int8 activations such that no
    processor's sums of pairs overflow (pair_bound.py); biases int32; int8 activations:
    asymmetric, per tensor.

    `float_layers` names operations of `float_model`, by their first output, that stay float32 in
    an integer graph; QUANTIZE and DEQUANTIZE stand only where integers begin and end. Float, and
    not int16 activations: XNNPACK and ONNX Runtime have fast kernels for the one and none for the
    other (LiteRT falls back to plain loops, ONNX has no such convolution at all), and float is
    exact besides.
    """
    if float_layers and not scheme.activations.startswith("int"):
        raise UnsupportedScheme(f"{scheme.title} has no integers that a layer could stay out of")
    if scheme.weights == "float32":
        shutil.copyfile(float_model, out)
        return
    kept = {*float_layers, *_last_sigmoid(float_model)} if scheme.needs_calibration else float_layers
    recipe = _recipe(scheme, _scopes(float_model, kept))
    if not scheme.needs_calibration:
        _run(float_model, recipe, None, out)
        return
    if ranges is None:
        raise UnsupportedScheme(f"{scheme.title} needs calibration ranges")
    statistics = {name: _statistics(*limits) for name, limits in ranges.items()}
    with tempfile.TemporaryDirectory(prefix="resnet-edge-rows-") as folder:
        on_grid = Path(folder) / "float.tflite"
        paired = scheme.activations == "int8"
        weights = write_int8_rows(
            float_model, on_grid, paired=paired, but=float_layers, dense_scales=scheme.dense_scales
        )
        _run(on_grid if weights else float_model, recipe, statistics | weights, out)
    if scheme.activations == "int16":
        _allow_any_scale(out)


def _run(
    float_model: Path, recipe: list[dict[str, Any]], statistics: dict[str, Any] | None, out: Path
) -> None:
    job = quantizer.Quantizer(str(float_model))
    job.load_quantization_recipe(recipe)
    with redirect_stdout(sys.stderr), warnings.catch_warnings():  # it prints sizes and times
        warnings.filterwarnings("ignore", KEEPING_ALL_TENSORS)
        job.quantize(statistics).export_model(str(out), overwrite=True)


def _last_sigmoid(float_model: Path) -> tuple[str, ...]:
    """The layer of a sigmoid whose output is the graph's; nothing where there is none."""
    graph = read_graph(float_model)
    last = next(node for node in graph.nodes if graph.outputs[0] in node.outputs)
    return (layer_of(graph, last),) if last.op == "LOGISTIC" else ()


def _scopes(float_model: Path, float_layers: Collection[str]) -> list[str]:
    """The layers as the quantizer knows them: by the names of all their outputs, "a;b;"."""
    if not float_layers:
        return []
    graph = read_graph(float_model)
    known = {
        layer_of(graph, node): "".join(f"{graph.tensors[i].name};" for i in node.outputs)
        for node in graph.nodes
    }
    unknown = sorted(set(float_layers) - known.keys())
    if unknown:
        raise ArtifactError(f"no operation of the graph gives {unknown[0]!r}: it cannot stay in float")
    return [known[name] for name in sorted(float_layers)]


def _allow_any_scale(path: Path) -> None:
    """Say of every int16 addition that its scales need not be powers of two, in place.

    Left at its default, `pot_scale_int16` makes LiteRT take scales that are nearly powers of
    two for exact ones, and then refuse to open the file where an operand has the larger scale:
    so it is with Rescaling(1 / 127.5, offset=-1). TFLiteConverter clears the flag, and
    litert-quantizer 0.11 does not; remove this when it does.
    """
    model = load_model(path)
    for operator in model.subgraphs[0].operators:
        if hasattr(operator.builtinOptions, "potScaleInt16"):
            operator.builtinOptions.potScaleInt16 = False
    save_model(model, path)


def _statistics(low: float, high: float) -> dict[str, Any]:
    return {"min": np.full((1, 1, 1, 1), low, np.float32), "max": np.full((1, 1, 1, 1), high, np.float32)}


def _recipe(scheme: Scheme, kept: Collection[str]) -> list[dict[str, Any]]:
    manager = recipe_manager.RecipeManager()
    everything = {"regex": ".*", "operation_name": TFLOperationName.ALL_SUPPORTED}
    match scheme.weights, scheme.activations:
        case "float16", _:
            for operation in CASTABLE:
                manager.add_weight_only_config(".*", operation, 16, algorithm_key=AlgorithmName.FLOAT_CASTING)
        case "int8", "float32":
            manager.add_dynamic_config(**everything, num_bits=8)
            if scheme.dense_scales == "per-tensor":
                manager.add_dynamic_config(".*", DENSE, num_bits=8, granularity=QuantGranularity.TENSORWISE)
        case "int8", ("int8" | "int16") as activations:
            manager.add_static_config(
                **everything, activation_num_bits=int(activations[3:]), weight_num_bits=8
            )
            if scheme.dense_scales == "per-tensor":
                manager.add_static_config(
                    *(".*", DENSE),
                    activation_num_bits=int(activations[3:]),
                    weight_num_bits=8,
                    weight_granularity=QuantGranularity.TENSORWISE,
                )
            for operation in LEFT_IN_FLOAT:
                manager.add_quantization_config(".*", operation, algorithm_key=AlgorithmName.NO_QUANTIZE)
            for scope in kept:
                manager.add_quantization_config(
                    f"^{re.escape(scope)}$",
                    TFLOperationName.ALL_SUPPORTED,
                    algorithm_key=AlgorithmName.NO_QUANTIZE,
                )
        case weights, activations:
            raise UnsupportedScheme(f"no quantizer for {weights} weights with {activations} activations")
    recipe: list[dict[str, Any]] = manager.get_quantization_recipe()
    return recipe
