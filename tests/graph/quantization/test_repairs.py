from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import UnknownName
from resnet_edge.graph.model import read_graph
from resnet_edge.graph.quantization.calibrate import Measured, measure
from resnet_edge.graph.quantization.quantize import quantize
from resnet_edge.graph.quantization.repairs import REPAIRS, possible, repaired
from resnet_edge.graph.quantization.rounding import WORTH, can_round
from resnet_edge.graph.quantization.weighted import layers, write_constants
from tests.formats import nets
from tests.graph.road import Road, litert, road, scheme

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def measured(residual: Road) -> Measured:
    images = (image[None] for image in residual.images)
    return measure(
        residual.float_graph,
        images,
        takes_pixels=False,
        threads=1,
        second_moments=can_round,
        count=len(residual.images),
    )


def error(residual: Road, measured: Measured, repairs: tuple[str, ...], folder: Path, name: str) -> float:
    """The mean square of what the scheme `name` changes of the outputs on other images."""
    fixed = repaired(read_graph(residual.float_graph), measured, repairs)
    write_constants(residual.float_graph, fixed.constants, folder / "float.tflite")
    quantize(folder / "float.tflite", scheme(name), fixed.measured.limits(), folder / "q.tflite")
    images = nets.images(nets.residual_v1(), n=40, seed=8)
    outputs, truth = (
        np.concatenate([litert(p, image[None]) for image in images])
        for p in (folder / "q.tflite", residual.float_graph)
    )
    return float(np.square(outputs - truth).mean())


@pytest.mark.parametrize("repairs", [("round",), ("bias",), ("round", "bias"), REPAIRS])
def test_weights_cost_less_noise_on_images_that_were_not_seen(
    repairs: tuple[str, ...], residual: Road, measured: Measured, tmp_path: Path
) -> None:
    plain = error(residual, measured, (), tmp_path, "int16x8")  # the activations add next to nothing
    assert error(residual, measured, repairs, tmp_path, "int16x8") < plain


def test_integers_of_the_file_are_those_that_were_rounded_together(
    residual: Road, measured: Measured, tmp_path: Path
) -> None:
    graph = read_graph(residual.float_graph)
    fixed = repaired(graph, measured, ("equalize", "round"))
    write_constants(residual.float_graph, fixed.constants, tmp_path / "float.tflite")
    quantize(tmp_path / "float.tflite", scheme("int8"), fixed.measured.limits(), tmp_path / "q.tflite")
    stored = read_graph(tmp_path / "q.tflite")
    kernels = [stored.tensors[n.inputs[1]] for n in stored.nodes if n.op == "CONV_2D"]
    planned = [one for one in layers(read_graph(tmp_path / "float.tflite")) if one.op == "CONV_2D"]
    for kernel, one in zip(kernels, planned, strict=True):
        assert kernel.data is not None
        np.testing.assert_array_equal(
            np.rint(one.rows / one.steps[:, None]), kernel.data.reshape(one.rows.shape)
        )


def test_layer_with_too_few_patches_is_rounded_one_by_one_and_named(
    residual: Road, measured: Measured
) -> None:
    outcome = repaired(read_graph(residual.float_graph), measured, ("round",))
    assert any(
        "logits has 12 weights a row, and the images gave only 24 patches" in s for s in outcome.skipped
    )
    assert not any(
        index == layers(read_graph(residual.float_graph))[-1].index for index, _ in outcome.constants
    )


def test_no_repair_changes_nothing(residual: Road, measured: Measured) -> None:
    outcome = repaired(read_graph(residual.float_graph), measured, ())
    assert outcome.constants == {}
    assert outcome.measured is measured


def test_unknown_repair_is_refused(residual: Road, measured: Measured) -> None:
    with pytest.raises(UnknownName, match="no repair is called 'polish'.*round, equalize, bias"):
        repaired(read_graph(residual.float_graph), measured, ("polish",))


def test_what_would_take_too_long_is_left_out_unless_asked_for(
    residual: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = read_graph(residual.float_graph)
    assert possible(graph, at_any_cost=False) == REPAIRS
    assert WORTH > 1
    monkeypatch.setattr("resnet_edge.graph.quantization.repairs.WORTH", 1)
    assert possible(graph, at_any_cost=False) == ("equalize", "bias")
    assert possible(graph, at_any_cost=True) == REPAIRS


def test_grouped_convolutions_are_left_as_they_are_and_told(tmp_path: Path) -> None:
    model = nets.grouped()
    grouped = road(model, nets.images(model), tmp_path)
    images = (image[None] for image in grouped.images)
    measured = measure(
        grouped.float_graph, images, takes_pixels=False, threads=1, second_moments=can_round, count=24
    )
    graph = read_graph(grouped.float_graph)
    (index,) = (layer.index for layer in layers(graph) if layer.grouped)
    outcome = repaired(graph, measured, ("round", "bias"))
    assert {node for node, _ in outcome.constants}.isdisjoint({index})
    assert outcome.constants
    assert [line for line in outcome.skipped if line.endswith("has groups")]
