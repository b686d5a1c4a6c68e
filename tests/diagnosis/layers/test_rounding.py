"""What number types round, operation by operation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_edge.diagnosis.layers.departures import known
from resnet_edge.diagnosis.layers.powers import Powers
from resnet_edge.diagnosis.layers.rounding import Rounding, roundings
from resnet_edge.diagnosis.layers.steps import Constant, LayerStep, OpenedSteps, StepGrid
from tests.diagnosis.layers.layer_links import layer

GRID = StepGrid(low=-1.0, high=1.0, step=1 / 128)


def walked(
    steps: tuple[LayerStep, ...],
    values: dict[str, NDArray[np.float32]],
    *,
    grids: dict[str, StepGrid] | None = None,
    cuts: tuple[str, ...] = (),
) -> dict[str, Rounding]:
    """Of a file of these steps and number types, in which one image gives these values."""
    opened = OpenedSteps(steps=steps, grids=grids or {}, entry="image", exit=steps[-1].gives[0])
    powers = Powers()
    powers.add(values)
    for step in steps:
        name = step.reads[0]
        if step.op == "quantize":
            powers.cut_off(step.gives[0], values[name], opened.grids[step.gives[0]])
    return roundings(opened, powers, dict.fromkeys(cuts, False))


def half(name: str, variance: float) -> LayerStep:
    """By a constant that was rounded so."""
    return LayerStep(
        op="mul",
        kind="product",
        reads=(name,),
        gives=("halved",),
        constant=Constant(values=np.array(0.5), variance=np.array(variance)),
    )


@pytest.mark.parametrize(("variance", "judged"), [(0.0, True), (1e-8, False)])
def test_what_is_unknown_of_an_operation_is_float32_behind_float32(variance: float, judged: bool) -> None:
    """The image posterized: a floor behind a product."""
    image = np.random.default_rng(0).uniform(1, 2, (1, 4, 4, 3)).astype(np.float32)
    floor = LayerStep(op="floor", kind="other", reads=("halved",), gives=("floored",))
    half_image = np.asarray(image * 0.5, np.float32)
    values = {"image": image, "halved": half_image, "floored": np.floor(half_image)}
    roundings = walked((half("image", variance), floor), values)
    assert known(roundings["floored"]) is judged
    if judged:
        assert float(np.max(roundings["floored"].whole)) < 1e-3


def test_what_an_inner_grid_cuts_off_is_no_error_of_what_reads_it() -> None:
    """ONNX Runtime's quantizer puts grids before layers whose input others read as it is."""
    image = np.full((1, 2, 2, 2), 0.5, np.float32)
    image[..., 1] = 1.5
    stored = LayerStep(op="quantize", kind="move", reads=("image",), gives=("stored",), exact=True)
    kernel = np.array([[[[2.0, 3.0]]], [[[2.0, 0.0]]]])
    values = {"image": image, "stored": np.clip(image, -1, 1), "y": np.zeros((1, 2, 2, 2), np.float32)}
    steps = (stored, layer("y", kernel, 0.0, None, "stored"))
    roundings = walked(steps, values, grids={"stored": GRID}, cuts=("image",))
    np.testing.assert_allclose(roundings["y"].hard, [1.5, 0.0], atol=1e-6)
    assert float(np.max(roundings["stored"].hard)) < GRID.step


def test_what_is_cut_off_of_a_tensor_that_nothing_judges_is_an_error() -> None:
    """With a wrong divisor, pixels are beyond the grid, and what the layer reads is at fault."""
    image = np.full((1, 2, 2, 1), 1.5, np.float32)
    stored = LayerStep(op="quantize", kind="move", reads=("image",), gives=("stored",), exact=True)
    values = {"image": image, "stored": np.clip(image, -1, 1), "y": np.zeros((1, 2, 2, 1), np.float32)}
    steps = (stored, layer("y", np.ones((1, 1, 1, 1)), 0.0, None, "stored"))
    assert walked(steps, values, grids={"stored": GRID})["y"].hard == 0
