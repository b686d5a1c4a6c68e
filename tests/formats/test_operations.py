"""Every operation that is lowered to ONNX, alone in a network, against LiteRT: float32, float16, int8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_edge.core.errors import ArtifactError
from resnet_edge.graph.model import read_graph
from tests.formats import nets
from tests.formats.operations import OPERATIONS, UNKNOWN, Operation, network
from tests.graph.road import Road, litert, onnxruntime, output_step, road

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

QUICK = ("enlarged bilinear", "transposed 3", "transposed longer", "attention", "split", "maxout", "greater")
STEPS = {
    # LiteRT places what it interpolates in fixed point, to 1/2048 of a pixel with XNNPACK.
    "resized bilinear": 2, "reduced bilinear": 2,
    # Requantized from grid to grid, which XNNPACK does with multipliers of 8 bits.
    "stacked": 2, "soft shrink": 2,
    # LiteRT scales a product of two activations, and the inverse root of a variance, in fixed point by its
    # plain kernels (XNNPACK takes neither), and what follows passes on the step that they are off by.
    "nonlocal": 2, "convnext": 2, "attention": 2,
}  # fmt: skip
"""Steps of the output by which the int8 files differ, where it is not one."""
JUMPS = frozenset({"whole numbers"})
"""float16 is on the other side of a jump here and there."""


def operation_road(operation: Operation, folder: Path, *, dynamic_batch: bool = False) -> Road:
    model = network(operation)
    return road(model, nets.images(model), folder, dynamic_batch=dynamic_batch)


def check(name: str, folder: Path) -> None:
    net = operation_road(OPERATIONS[name], folder)
    size = np.abs(net.reference).max()
    for scheme, tolerance in (("fp32", 2e-6), ("fp16", np.inf if name in JUMPS else 2e-3)):
        ours = litert(net.portable(scheme), net.images)
        theirs = onnxruntime(net.artifact("onnx", scheme)[0], net.images)
        assert np.abs(ours - theirs).max() <= tolerance * size, scheme
    portable = net.portable("int8")
    ours, theirs = litert(portable, net.images), onnxruntime(net.artifact("onnx", "int8")[0], net.images)
    steps = np.rint(np.abs(ours - theirs) / output_step(portable))
    assert steps.max() <= STEPS.get(name, 1)
    # What is first by more than the files may differ is first in both.
    sure = np.ptp(np.sort(ours, axis=1)[:, -2:], axis=1) > 2 * STEPS.get(name, 1) * output_step(portable)
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1))[sure].all()
    assert sure.any()


@pytest.mark.parametrize("name", QUICK)
def test_both_formats_give_the_same_numbers(name: str, tmp_path: Path) -> None:
    check(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in QUICK])
def test_so_does_every_other_operation(name: str, tmp_path: Path) -> None:
    check(name, tmp_path)


def check_open_batch(operation: Operation, steps: int, folder: Path) -> None:
    net = operation_road(operation, folder, dynamic_batch=True)
    portable, size = net.portable("int8"), np.abs(net.reference).max()
    for scheme, tolerance in (("fp32", 2e-6 * size), ("int8", 1.01 * steps * output_step(portable))):
        path = net.artifact("onnx", scheme)[0]
        ours = onnxruntime(path, net.images, batch=3)
        np.testing.assert_allclose(ours, litert(net.portable(scheme), net.images, 3), rtol=0, atol=tolerance)
        np.testing.assert_allclose(ours, onnxruntime(path, net.images), rtol=0, atol=1e-5)


def test_a_dilated_convolution_of_an_open_batch_is_lowered(tmp_path: Path) -> None:
    """TensorFlow writes it as one of blocks of pixels that are images of their own, padded with zeros."""
    check_open_batch(lambda x: nets.conv(x, 8, dilation_rate=2, groups=2), 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["convnext", "enlarged nearest", "soft shrink"])
def test_sizes_that_an_open_batch_leaves_open_are_found(name: str, tmp_path: Path) -> None:
    check_open_batch(OPERATIONS[name], STEPS.get(name, 1), tmp_path)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_lowered_is_refused_by_name(name: str, tmp_path: Path) -> None:
    operation, operator = UNKNOWN[name]
    net = operation_road(operation, tmp_path)
    assert operator in {node.op for node in read_graph(net.float_graph).nodes}
    for scheme in ("fp32", "fp16", "int8"):
        with pytest.raises(
            ArtifactError, match=f"no lowering of {operator}.*ask for --formats tflite"
        ) as caught:
            net.artifact("onnx", scheme)
        assert "\n" not in str(caught.value)
