"""The sizes of weights and tensors that a Keras config declares, without Keras: a bomb is refused at once.

Only what is certain counts: a layer that is not in `_RULES`, or an argument that is not understood, gives a
tensor of which nothing is known, and so do those behind it. `_budget` counts them while Keras builds.
Shapes are without the batch: (height, width, channels) of images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import ceil, prod
from typing import Any

from resnet_edge.core.errors import ModelError
from resnet_edge.models._allowed import names
from resnet_edge.models._file_budget import Budget

Shape = tuple[int, ...]
Known = Shape | None
Config = dict[str, Any]
Rule = Callable[[Config, list[Shape]], tuple[Shape, list[Shape]] | None]
"""From a layer's config and its inputs to its output and its largest weights."""

PASSES = 4
"""Layers are written in the order in which they are called; a file may have another, and is left to Keras."""


def check_sizes(config: Any, file: str, held_bytes: int | None) -> None:
    """Hold what `config` certainly asks for against the budget of a file that declares `held_bytes` of
    weights. Raises ModelError."""
    try:
        _Sizes(Budget(file, held_bytes)).of_model(config, None)
    except ModelError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
        return  # no config that is understood here: Keras will say what is wrong with it


class _Sizes:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._weighed: set[int] = set()  # layers whose weights are counted: each may be called often

    def of_model(self, entry: Config, given: Known) -> Known:
        config = entry["config"]
        if entry["class_name"] == "Sequential":
            return self._of_sequence(config["layers"] if isinstance(config, dict) else config, given)
        if entry["class_name"] in ("Functional", "Model"):
            return self._of_graph(config, given)
        return None

    def _of_sequence(self, entries: list[Config], shape: Known) -> Known:
        for number, entry in enumerate(entries):
            if number == 0 and shape is None:
                shape = _declared(entry["config"])
            shape = self._of_layer(entry, [shape])
        return shape

    def _of_graph(self, config: Config, given: Known) -> Known:
        known: dict[tuple[str, int], Known] = {}
        for _ in range(PASSES):
            open_ones = False
            for entry in config["layers"]:
                name = entry.get("name") or entry["config"]["name"]
                for number, node in enumerate(entry["inbound_nodes"] or [None]):
                    key = (name, number)
                    if key in known:
                        continue
                    called = [] if node is None else list(_called(node))
                    if any(each not in known for each in called if each is not None):
                        open_ones = True
                    elif entry["class_name"] == "InputLayer":
                        known[key] = given or _declared(entry["config"])
                    else:
                        shapes = [None if each is None else known[each] for each in called]
                        known[key] = self._of_layer(entry, shapes)
            if not open_ones:
                break
        outputs = config["output_layers"]
        name, node, tensor = outputs[0] if isinstance(outputs[0], list) else outputs
        return known.get((name, node)) if tensor == 0 else None

    def _of_layer(self, entry: Config, inputs: list[Known]) -> Known:
        shapes = [shape for shape in inputs if shape is not None]
        if not shapes or len(shapes) < len(inputs):
            return None
        kind, config = entry["class_name"], entry["config"]
        if kind == "InputLayer" or kind in _SAME:
            return shapes[0]
        if kind in ("Sequential", "Functional", "Model"):
            return self.of_model(entry, shapes[0])
        rule = _RULES.get(kind)
        if rule is None or config.get("data_format") == "channels_first":
            return None
        sizes = rule(config, shapes)
        if sizes is None or min(sizes[0], default=1) < 1:
            return None
        if id(entry) not in self._weighed:
            self._weighed.add(id(entry))
            for weights in sizes[1]:
                self._budget.add_weight(weights, _item_bytes(config))
        self._budget.add_tensor((None, *sizes[0]), _item_bytes(config))
        return sizes[0]


def _declared(config: Config) -> Known:
    for key in ("batch_shape", "batch_input_shape"):
        if key in config:
            sizes = config[key][1:]
            return None if None in sizes else tuple(map(_size, sizes))
    return None


def _called(node: Any) -> Iterator[tuple[str, int] | None]:
    """The calls whose first outputs a call reads; None: another output, of which nothing is known."""
    if isinstance(node, dict):  # of Keras 3
        stack = [[node["args"], node["kwargs"]]]
        while stack:
            for item in stack.pop():
                if isinstance(item, dict) and item.get("class_name") == "__keras_tensor__":
                    yield _reference(*item["config"]["keras_history"])
                elif isinstance(item, dict):
                    stack.append([*item.values()])
                elif isinstance(item, list):
                    stack.append(item)
        return
    for name, number, tensor, *_ in node:
        yield _reference(name, number, tensor)


def _reference(name: str, node: int, tensor: int) -> tuple[str, int] | None:
    return (name, node) if tensor == 0 else None


def _item_bytes(config: Config) -> int:
    """No more than Keras takes for each number: of a mixed policy, what is computed with."""
    dtype = config.get("dtype") or "float32"
    name = dtype["config"]["name"] if isinstance(dtype, dict) else dtype
    bits = re.search(r"\d+", name)
    return min(4, max(1, int(bits[0]) // 8)) if bits else 1


def _size(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"{value!r} is no size")
    return value


def _pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, list) else (value, value)
    return _size(first), _size(second)


def _pairs(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """What stands before and behind the rows, and the columns."""
    rows, columns = value if isinstance(value, list) else (value, value)
    return _pair(rows), _pair(columns)


def _window(config: Config, shape: Shape, kernel: Any, strides: Any) -> tuple[int, int]:
    """Rows and columns behind a convolution or a pooling."""
    dilations = _pair(config.get("dilation_rate", 1))
    sizes = zip(shape[:2], _pair(kernel), _pair(strides), dilations, strict=True)
    if config["padding"] == "same":
        rows, columns = (ceil(size / stride) for size, _, stride, _ in sizes)
    else:
        rows, columns = ((size - dilation * (k - 1) - 1) // stride + 1 for size, k, stride, dilation in sizes)
    return rows, columns


def _conv(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    rows, columns = _window(config, shapes[0], config["kernel_size"], config["strides"])
    filters = _size(config["filters"])
    inputs = shapes[0][2] // (config.get("groups") or 1)
    return (rows, columns, filters), [(*_pair(config["kernel_size"]), inputs, filters)]


def _depthwise(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    rows, columns = _window(config, shapes[0], config["kernel_size"], config["strides"])
    channels = shapes[0][2] * _size(config["depth_multiplier"])
    return (rows, columns, channels), [(*_pair(config["kernel_size"]), channels)]


def _separable(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    (rows, columns, channels), weights = _depthwise(config, shapes)
    filters = _size(config["filters"])
    return (rows, columns, filters), [*weights, (channels, filters)]


def _transposed(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]] | None:
    if config.get("output_padding") is not None or _pair(config.get("dilation_rate", 1)) != (1, 1):
        return None
    kernel, strides = _pair(config["kernel_size"]), _pair(config["strides"])
    more = (
        [0, 0]
        if config["padding"] == "same"
        else [max(k - s, 0) for k, s in zip(kernel, strides, strict=True)]
    )
    rows, columns = (size * s + m for size, s, m in zip(shapes[0][:2], strides, more, strict=True))
    filters = _size(config["filters"])
    return (rows, columns, filters), [(*kernel, filters, shapes[0][2])]


def _dense(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    units = _size(config["units"])
    return (*shapes[0][:-1], units), [(shapes[0][-1], units)]


def _pooled(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    strides = config.get("strides") or config["pool_size"]
    return (*_window(config, shapes[0], config["pool_size"], strides), shapes[0][2]), []


def _global(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    return ((1, 1) if config.get("keepdims") else ()) + shapes[0][2:], []


def _upsampled(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    rows, columns = _pair(config["size"])
    return (shapes[0][0] * rows, shapes[0][1] * columns, shapes[0][2]), []


def _resized(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    return (_size(config["height"]), _size(config["width"]), shapes[0][2]), []


def _padded(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    rows, columns = _pairs(config["padding"])
    return (shapes[0][0] + sum(rows), shapes[0][1] + sum(columns), shapes[0][2]), []


def _cropped(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    rows, columns = _pairs(config["cropping"])
    return (shapes[0][0] - sum(rows), shapes[0][1] - sum(columns), shapes[0][2]), []


def _flat(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    return (prod(shapes[0]),), []


def _embedded(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]]:
    dimensions = _size(config["output_dim"])
    return (*shapes[0], dimensions), [(_size(config["input_dim"]), dimensions)]


def _merged(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]] | None:
    return (shapes[0], []) if len(set(shapes)) == 1 else None


def _joined(config: Config, shapes: list[Shape]) -> tuple[Shape, list[Shape]] | None:
    rest = {shape[:-1] for shape in shapes}
    if len(rest) > 1 or config.get("axis") not in (-1, len(shapes[0])):
        return None
    return (*shapes[0][:-1], sum(shape[-1] for shape in shapes)), []


_SAME = names(
    """
    Activation ActivityRegularization AlphaDropout BatchNormalization Dropout ELU GaussianDropout
    GaussianNoise GroupNormalization Identity LayerNormalization LeakyReLU PReLU ReLU Rescaling Softmax
    SpatialDropout2D UnitNormalization
    """
)
"""What gives a tensor of the size that it takes, from one."""

_RULES: dict[str, Rule] = {
    "AveragePooling2D": _pooled,
    "CenterCrop": _resized,
    "Concatenate": _joined,
    "Conv2D": _conv,
    "Conv2DTranspose": _transposed,
    "Cropping2D": _cropped,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "Embedding": _embedded,
    "Flatten": _flat,
    "GlobalAveragePooling2D": _global,
    "GlobalMaxPooling2D": _global,
    "MaxPooling2D": _pooled,
    "Resizing": _resized,
    "SeparableConv2D": _separable,
    "UpSampling2D": _upsampled,
    "ZeroPadding2D": _padded,
    **dict.fromkeys(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"), _merged),
}
