"""Files that say the same in another way raise no alarm, and what is wrong in such a file is accused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from resnet_edge.core.results.explanation import Explanation
from resnet_edge.diagnosis.layers.search import Searched, search
from resnet_edge.diagnosis.layers.sections import FloatReference, Sections
from tests.diagnosis.layers.test_compare import convolution, explained, put
from tests.graph.road import Road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Edit = Callable[[onnx.GraphProto, onnx.NodeProto], None]
WRONG = np.float32(1.3)


def stored(graph: onnx.GraphProto, name: str, values: np.ndarray) -> str:
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
    return name


def constant(graph: onnx.GraphProto, name: str) -> onnx.TensorProto:
    tensor: onnx.TensorProto = next(each for each in graph.initializer if each.name == name)
    return tensor


def attribute(node: onnx.NodeProto, name: str) -> onnx.AttributeProto:
    chosen: onnx.AttributeProto = next(each for each in node.attribute if each.name == name)
    return chosen


def before(graph: onnx.GraphProto, node: onnx.NodeProto, inserted: onnx.NodeProto) -> None:
    graph.node.insert([*graph.node].index(node), inserted)


def unfolded(graph: onnx.GraphProto, node: onnx.NodeProto, wrong: bool = False) -> tuple[np.ndarray, str]:
    """Take a factor for each channel out of a convolution, and its bias: those, and what it gives now."""
    weights = numpy_helper.to_array(constant(graph, node.input[1]))
    factor = np.linspace(0.5, 2, len(weights), dtype=np.float32)
    put(constant(graph, node.input[1]), weights / factor.reshape(-1, 1, 1, 1))
    bias = numpy_helper.to_array(constant(graph, node.input[2]))
    put(constant(graph, node.input[2]), np.zeros_like(bias))
    inner, node.output[0] = node.output[0], f"{node.output[0]}/inner"
    if wrong:
        factor = factor.copy()
        factor[3] *= WRONG
    return np.stack([factor, bias]), inner


def behind(graph: onnx.GraphProto, node: onnx.NodeProto, *inserted: onnx.NodeProto) -> None:
    at = [*graph.node].index(node) + 1
    for number, each in enumerate(inserted):
        graph.node.insert(at + number, each)


def as_multiplication(graph: onnx.GraphProto, node: onnx.NodeProto, wrong: bool = False) -> None:
    """What tf2onnx makes of a convolution with a bias and a batch normalization."""
    (factor, bias), out = unfolded(graph, node, wrong)
    factors = stored(graph, "factors", factor.reshape(1, -1, 1, 1))
    summands = stored(graph, "summands", bias.reshape(1, -1, 1, 1))
    multiplied = helper.make_node("Mul", [node.output[0], factors], ["multiplied"])
    behind(graph, node, multiplied, helper.make_node("Add", ["multiplied", summands], [out]))


def as_normalization(graph: onnx.GraphProto, node: onnx.NodeProto, wrong: bool = False) -> None:
    (factor, bias), out = unfolded(graph, node, wrong)
    mean = np.full_like(bias, 0.25)
    vectors = {"gamma": factor * 2, "beta": bias + mean * factor, "mean": mean, "variance": 0 * bias + 3.9}
    given = [stored(graph, name, values.astype(np.float32)) for name, values in vectors.items()]
    behind(graph, node, helper.make_node("BatchNormalization", [node.output[0], *given], [out], epsilon=0.1))


def as_pad(graph: onnx.GraphProto, node: onnx.NodeProto, wrong: bool = False) -> None:
    pads = attribute(node, "pads")
    top, left, bottom, right = pads.ints
    pads.ints[:] = [0, 0, 0, 0]
    amounts = [0, 0, top + wrong, left, 0, 0, bottom - wrong, right]
    name = stored(graph, "amounts", np.array(amounts, np.int64))
    before(graph, node, helper.make_node("Pad", [node.input[0], name], ["padded"]))
    node.input[0] = "padded"


def as_auto_pad(graph: onnx.GraphProto, node: onnx.NodeProto, wrong: bool = False) -> None:
    node.attribute.remove(attribute(node, "pads"))
    node.attribute.append(helper.make_attribute("auto_pad", "SAME_LOWER" if wrong else "SAME_UPPER"))


def edited(roads: Callable[[str], Road], out: Path, edit: Edit, net: str, number: int) -> Explanation:
    road = roads(net)
    path, _ = road.artifact("onnx", "fp32")
    model = onnx.load(path)
    edit(model.graph, convolution(model, number))
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, out / "edited.onnx")
    return explained(road, out / "edited.onnx", out)


WAYS = [
    (as_multiplication, "residual_v1", 2, "rescaled"),
    (as_normalization, "residual_v1", 2, "rescaled"),
    (as_pad, "residual_v1", 1, "padding"),
    (as_auto_pad, "even_kernels", 0, "padding"),
]


@pytest.mark.parametrize(("edit", "net", "number", "cause"), WAYS)
def test_what_says_the_same_is_no_error(
    edit: Edit, net: str, number: int, cause: str, roads: Callable[[str], Road], tmp_path: Path
) -> None:
    explanation = edited(roads, tmp_path, edit, net, number)
    assert (explanation.findings, explanation.remarks, explanation.compared) == ((), (), explanation.layers)


@pytest.mark.parametrize(("edit", "net", "number", "cause"), WAYS)
def test_what_is_wrong_in_it_is_named(
    edit: Callable[..., None],
    net: str,
    number: int,
    cause: str,
    roads: Callable[[str], Road],
    tmp_path: Path,
) -> None:
    name = convolution(onnx.load(roads(net).artifact("onnx", "fp32")[0]), number).output[0]
    explanation = edited(roads, tmp_path, lambda *given: edit(*given, wrong=True), net, number)
    assert [(each.layer.removesuffix("/inner"), each.cause) for each in explanation.findings] == [
        (name, cause)
    ]
    assert explanation.findings[0].certain


def spread(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    attribute(node, "dilations").ints[:] = [1, 1]
    attribute(node, "pads").ints[:] = [1, 1, 1, 1]


def other_filter(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    weights = numpy_helper.to_array(constant(graph, node.input[1])).copy()
    weights[5] *= 3
    put(constant(graph, node.input[1]), weights)


@pytest.mark.parametrize(
    ("net", "edit", "number", "cause"),
    [
        ("dilated", spread, 1, "dilation"),
        ("mobile", other_filter, 2, "rescaled"),
        ("depth_multiplier", other_filter, 1, "rescaled"),
        ("grouped", other_filter, 1, "rescaled"),
    ],
)
def test_kernels_that_are_spread_or_grouped_are_compared(
    net: str, edit: Edit, number: int, cause: str, roads: Callable[[str], Road], tmp_path: Path
) -> None:
    explanation = edited(roads, tmp_path, edit, net, number)
    assert [each.cause for each in explanation.findings] == [cause]
    assert explanation.findings[0].certain


def test_a_lost_limit_of_relu6_is_named(roads: Callable[[str], Road], tmp_path: Path) -> None:
    def loosen(graph: onnx.GraphProto, _: onnx.NodeProto) -> None:
        clip = next(node for node in graph.node if node.op_type == "Clip")
        put(constant(graph, clip.input[2]), np.array(60, np.float32))

    road = roads("mobile")
    bright = Road(
        folder=road.folder,
        images=road.images * 60,
        reference=road.reference,
        output=road.output,
        takes_pixels=road.takes_pixels,
    )
    explanation = edited(lambda _: bright, tmp_path, loosen, "mobile", 0)
    assert explanation.findings[0].cause == "activation_missing"
    assert "numbers above 6" in explanation.findings[0].sentence


def searched(road: Road, path: Path) -> tuple[Sections, Searched]:
    sections = Sections(FloatReference(road.float_graph), path, "onnx", road.images[:4])
    return sections, search(sections)


def test_all_tensors_of_a_good_file_are_cuts_and_none_is_accused(roads: Callable[[str], Road]) -> None:
    road = roads("residual_v1")
    sections, result = searched(road, road.artifact("onnx", "fp32")[0])
    assert result.accused == ()
    assert result.cuts == frozenset(sections.matches)


def test_the_first_of_what_departs_is_accused_and_no_tensor_behind_it(
    roads: Callable[[str], Road], tmp_path: Path
) -> None:
    """What comes behind is computed from the tensor as it is, and right."""
    road = roads("residual_v1")
    model = onnx.load(road.artifact("onnx", "fp32")[0])
    node = convolution(model, 2)
    other_filter(model.graph, node)
    onnx.save(model, tmp_path / "edited.onnx")
    sections, result = searched(road, tmp_path / "edited.onnx")
    (accused,) = result.accused
    assert accused.exact
    assert accused.departure.channels == (5,)
    assert node.output[0] in {step.gives[0] for step in sections.section(accused.tensor, accused.cuts)}
    assert accused.tensor not in accused.cuts
    assert accused.tensor in result.cuts
